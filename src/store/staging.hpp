// What died transactions leave in a repository.
#pragma once

#include <chrono>

namespace berth::store {

/// Removes staging folders (`tmp/staging-*`) below the repository folder that no living process has locked.
/// libostree removes those of earlier boots only, and would carry objects of an aborted import, which nobody has
/// verified to the end, into the next transaction.
/// @param least_age of libostree's folders that are removed. It makes the folder first and its lock then, so a young
///   one may belong to somebody who is about to lock it; zero for those who let libostree write.
void remove_stale_staging(int repository, std::chrono::seconds least_age = {});

}  // namespace berth::store
