// SPDX-License-Identifier: LGPL-2.1-or-later
// Recovery: completes or undoes the changes of commands that were killed.
#pragma once

#include <string>

#include "host/state/lock.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Recovers every container that has a journal record and whose lock is free: an install, update or rollback is undone,
/// or completed when it was committed; an uninstall or adoption is completed. Stale staging directories are removed.
/// A container that cannot be recovered is reported as a warning, and the others are recovered.
void recover_pending(Context& context);

/// As recover_pending, for `berth recover`: also handles damaged records (ops/change/damaged_record.hpp), writes
/// missing units again and repairs the configuration of the repository.
/// @throws Error the first failure, after everything else was recovered
void recover_all(Context& context);

/// Takes the lock of a container that is to be changed, and recovers the container: the previous holder may have been
/// killed.
/// @throws Error as host::ContainerLock::take does, and when the container cannot be recovered
host::ContainerLock lock_container(Context& context, const std::string& name);

}  // namespace berth::ops
