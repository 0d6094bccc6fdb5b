// What died transactions leave in a repository.
#pragma once

namespace berth::store {

/// Removes staging folders (`tmp/staging-*`) below the repository folder that no living process has locked.
/// libostree removes those of earlier boots only, and would carry objects of an aborted import, which nobody has
/// verified to the end, into the next transaction.
void remove_stale_staging(int repository);

}  // namespace berth::store
