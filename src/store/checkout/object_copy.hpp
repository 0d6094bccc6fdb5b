// SPDX-License-Identifier: LGPL-2.1-or-later
// Copies of content objects, for files that can have no further hard link.
#pragma once

#include <string>

namespace berth::store {

/// Copies the file or symbolic link `from` of a bare repository to the new name `to`, with owner, mode, time and
/// extended attributes. @throws Error
void copy_object(int objects, const std::string& from, int directory, const std::string& to);

}  // namespace berth::store
