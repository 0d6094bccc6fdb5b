// Finishing or undoing what an earlier command left behind when it was killed.
#pragma once

#include "ops/session.hpp"

namespace berth::ops {

/// For every container with a journal note and no living holder of its lock: an install is taken back, an uninstall
/// completed. Left-over staging folders are removed. Containers that another command works on are passed over.
void recover_pending(Session& session);

}  // namespace berth::ops
