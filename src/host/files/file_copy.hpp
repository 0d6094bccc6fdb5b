// SPDX-License-Identifier: LGPL-2.1-or-later
// Copies the content and attributes of one file.
#pragma once

#include <string>

namespace berth::host {

/// Copies all bytes from one open file to another.
/// @return sha256 hex of the bytes written. @throws Error naming `name`
std::string copy_content(int from, int to, const std::string& name);

/// Makes the empty file `to` a copy of `from` that shares its blocks until one of the two is written to
/// (ioctl_ficlone(2)). @return false where the file system cannot do that; `to` is then still empty
bool clone_content(int from, int to) noexcept;

/// sha256 hex of an open file from its beginning. @throws Error naming `name`
std::string content_checksum(int file, const std::string& name);

/// Copies security.capability and user.* attributes; security.selinux and the like stay the host's own. user.* is
/// left out where the file system does not know it. @throws Error naming `name`
void copy_attributes(int from, int to, const std::string& name);

/// Copies user.*, trusted.*, system.* (access control lists) and security.capability; the labels of security modules
/// stay the host's own. user.* is left out where the file system does not know it. @throws Error naming `name`
void copy_all_attributes(int from, int to, const std::string& name);

}  // namespace berth::host
