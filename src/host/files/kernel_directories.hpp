// SPDX-License-Identifier: LGPL-2.1-or-later
// The directories in which only the kernel creates files.
#pragma once

#include <string>

namespace berth::host {

/// @param path cleaned, inside the root @param destination its name in the message
/// @throws Error(not_permitted) when `path` is /proc, /sys or /dev, or lies in one of them
void refuse_kernel_directories(const std::string& path, const std::string& destination);

}  // namespace berth::host
