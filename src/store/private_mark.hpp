// Whether other users may have changed objects of a repository, and what was examined since.
#pragma once

#include <string>
#include <vector>

#include "store/checksum.hpp"
#include "store/examination.hpp"
#include "store/repository.hpp"

namespace berth::store {

/// The file `.berth-private` in a repository. Empty: since the repository was made nobody but its owner could enter it
/// and what is checked out from it, so that objects are what they were when they were written. Absent, or with the word
/// `open`: somebody could, and each commit is compared with its objects before it is deployed; those that were found
/// good follow, one a line. A complete examination that finds nothing empties the file.
inline constexpr const char* private_mark = ".berth-private";

/// Marks a repository that we have just made.
void mark_private(int repository);

/// Marks one that others could enter until now; what was examined before counts no more. Nothing happens when there is
/// no such repository. @param repository absolute path
void mark_opened(const std::string& repository);

/// Whether there is a mark. @param repository absolute path
bool is_marked(const std::string& repository);

/// Examines a commit that is about to be deployed, unless it cannot have been changed or was examined before.
/// @return whether it can have been changed. @throws Error(verification) naming what is damaged
bool examine_before_use(const Repository& repository, const StoreOptions& options, const Checksum& commit);

/// After an examination of all commits that found nothing: examines the rest, and if that is sound, too, the repository
/// is one that nobody can have changed. @return what is damaged
std::vector<ObjectFault> complete_examination(const Repository& repository, Examination& examination);

}  // namespace berth::store
