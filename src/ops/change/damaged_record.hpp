// SPDX-License-Identifier: LGPL-2.1-or-later
// Recovery of a container whose journal record is damaged.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Restores the container from the files on disk: a backup is put back where the live deployment has that file, and
/// removed otherwise. Then the record is removed. The caller holds the container's lock.
/// @throws Error(verification) when no deployment is live; nothing has changed then
void settle_damaged_record(Context& context, const std::string& name);

}  // namespace berth::ops
