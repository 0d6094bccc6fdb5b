// Copying a directory with everything in it.
#pragma once

#include <stop_token>
#include <string>

namespace berth::host {

/// Copies what is in the directory `from` into `to`, which must be empty: files, directories and links with owners
/// (for root), modes and extended attributes but for the labels of the host's security modules. `to` itself gets those
/// of `from`. Links are copied and never followed; devices, fifos and sockets are left out. Blocks are shared where the
/// file system can. What is copied is not yet durable, and stays when this fails.
/// @param name of the copy, for messages
/// @throws Error(failed) before anything is copied when it does not fit on the disk with a twentieth of it left free,
///   or has more than a million entries; Error(interrupted) when stop was requested
void copy_tree(int from, int to, const std::string& name, const std::stop_token& stop);

}  // namespace berth::host
