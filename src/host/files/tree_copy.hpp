// SPDX-License-Identifier: LGPL-2.1-or-later
// Copies a directory tree.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

namespace berth::host {

inline constexpr std::size_t copied_entries_limit = 1'000'000;

/// Copies the content of the directory `from` into `to`, which must be empty: files, directories and links with owners
/// (for root), modes and extended attributes except the labels of the host's security modules. `to` itself gets those
/// of `from`. Links are copied, not followed; devices, fifos and sockets are omitted. Blocks are shared where the file
/// system supports it. The copy is not synced, and stays when this fails.
/// @param name of the copy, for messages
/// @param most_entries limit of files and directories
/// @throws Error(failed) before anything is copied, when the copy would leave less than a twentieth of the disk free or
///   has too many entries; Interrupted when a stop was requested
void copy_tree(int from, int to, const std::string& name, const std::stop_token& stop,
               std::size_t most_entries = copied_entries_limit);

}  // namespace berth::host
