// Copying a directory with everything in it.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

namespace berth::host {

inline constexpr std::size_t copied_entries_limit = 1'000'000;

/// Copies what is in the directory `from` into `to`, which must be empty: files, directories and links with owners
/// (for root), modes and extended attributes but for the labels of the host's security modules. `to` itself gets those
/// of `from`. Links are copied and never followed; devices, fifos and sockets are left out. Blocks are shared where the
/// file system can. What is copied is not yet durable, and stays when this fails.
/// @param name of the copy, for messages
/// @throws Error(failed) before anything is copied when it does not fit on the disk with a twentieth of it left free,
///   or has too many entries; Error(interrupted) when stop was requested
/// @param most_entries so many at most
void copy_tree(int from, int to, const std::string& name, const std::stop_token& stop,
               std::size_t most_entries = copied_entries_limit);

}  // namespace berth::host
