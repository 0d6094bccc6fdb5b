// Whether other users may have changed objects of a repository, and what was examined since.
#pragma once

#include <optional>
#include <string>

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

/// What was examined, one commit a line after the word `open`; nullopt when nobody can have changed anything.
std::optional<std::string> examined_commits(int repository);

/// Keeps what was examined, unless the file would be too long. @param commits as examined_commits gives them
void mark_examined(int repository, const std::string& commits);

}  // namespace berth::store
