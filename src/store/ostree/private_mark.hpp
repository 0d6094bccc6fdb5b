// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether other users may have changed objects of a repository, and which commits were verified since.
#pragma once

#include <optional>
#include <string>

namespace berth::store {

/// The file `.berth-private` in a repository. It is empty if no user but the owner could enter the repository and its
/// checkouts since the repository was created. It is absent, or has the first line `open`, if other users could: then
/// each commit is verified before it is deployed, and those that were found good follow, one per line. A complete
/// verification that finds no damage empties the file.
inline constexpr const char* private_mark = ".berth-private";

/// Marks a new repository as private.
void mark_private(int repository);

/// Marks a repository that other users could enter until now; earlier verifications are forgotten. Nothing happens when
/// the repository does not exist. @param repository absolute path
void mark_opened(const std::string& repository);

/// Whether a mark exists. @param repository absolute path
bool is_marked(const std::string& repository);

/// The verified commits, one per line after the line `open`; nullopt when nobody can have changed anything.
std::optional<std::string> verified_commits(int repository);

/// Stores the verified commits, unless the file would be too long. @param commits as verified_commits returns them
void write_verified_commits(int repository, const std::string& commits);

}  // namespace berth::store
