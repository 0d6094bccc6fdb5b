// What died transactions leave in a repository.
#pragma once

#include <chrono>
#include <string>

#include "base/fd.hpp"

namespace berth::store {

/// What our own staging directories are called. libostree takes over left directories whose names begin with the boot's
/// id, so that is not part of the name.
inline constexpr const char* own_staging_prefix = "staging-berth-";

/// Locks the staging directory `name` in `directory`, before it is made, as libostree does: a lock file beside it, with
/// an open file description lock. Whoever cleans up leaves it alone until the descriptor is closed.
[[nodiscard]] base::Fd lock_staging(int directory, const std::string& name);

/// Removes staging directories (`tmp/staging-*`), and what repairs of earlier versions left (`tmp/berth-repair-PID`),
/// below the repository directory that no living process has locked. libostree removes those of earlier boots only, and
/// would carry objects of an aborted import, which nobody has verified to the end, into the next transaction.
/// @param least_age of libostree's directories that are removed. It makes the directory first and its lock then, so a
/// young
///   one may belong to somebody who is about to lock it; zero for those who let libostree write.
void remove_stale_staging(int repository, std::chrono::seconds least_age = {});

}  // namespace berth::store
