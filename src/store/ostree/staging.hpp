// SPDX-License-Identifier: LGPL-2.1-or-later
// Staging directories, and the removal of those that killed transactions left in a repository.
#pragma once

#include <chrono>
#include <string>

#include "base/fd.hpp"

namespace berth::store {

/// The prefix of berth's staging directories. libostree takes over stale directories whose names begin with the boot
/// ID, so that is not part of the name.
inline constexpr const char* own_staging_prefix = "staging-berth-";

/// Locks the staging directory `name` in `directory`, before it is created, as libostree does: by an open file
/// description lock on a lock file beside it. Others do not remove the directory until the descriptor is closed.
[[nodiscard]] base::Fd lock_staging(int directory, const std::string& name);

/// Removes staging directories (`tmp/staging-*`), and those that repairs of earlier versions left
/// (`tmp/berth-repair-PID`), below the repository directory, unless a living process has locked them. libostree removes
/// those of earlier boots only, and would use objects of an aborted import, whose digests were never verified, in the
/// next transaction.
/// @param least_age of libostree's directories that are removed. It creates the directory before its lock, so that a
///   process may be about to lock a recent one; zero before libostree writes
void remove_stale_staging(int repository, std::chrono::seconds least_age = {});

}  // namespace berth::store
