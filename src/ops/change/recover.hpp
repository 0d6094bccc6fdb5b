// Finishing or undoing what an earlier command left behind when it was killed.
#pragma once

#include <string>

#include "host/state/lock.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// For every container with a journal note and no living holder of its lock: an install, update or rollback is taken
/// back, or finished when it was committed; an uninstall is completed. Left-over staging directories are removed. What
/// cannot be recovered is a warning, so that it does not keep the other containers.
void recover_pending(Context& context);

/// As recover_pending, for `berth recover`: the first failure is thrown at the end. A damaged note, which other
/// commands refuse, is settled by what is on the disk (ops/change/damaged_record.hpp).
void recover_all(Context& context);

/// The lock of a container, for a command that changes it, with nothing of it left unfinished: who held the lock before
/// us may have been killed.
/// @throws Error as host::ContainerLock::take does, and when the container cannot be recovered
host::ContainerLock lock_container(Context& context, const std::string& name);

}  // namespace berth::ops
