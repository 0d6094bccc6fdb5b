// SPDX-License-Identifier: LGPL-2.1-or-later
// The directories of a user's containers (XDG Base Directory Specification).
#pragma once

#include <functional>
#include <string>

namespace berth::host {

/// A user and the user's directories, all absolute.
struct UserDirectories {
  std::string name;  ///< as in passwd(5); the number when there is no entry
  unsigned uid = 0;
  std::string home;
  std::string data;     ///< $XDG_DATA_HOME, ~/.local/share
  std::string config;   ///< $XDG_CONFIG_HOME, ~/.config
  std::string runtime;  ///< $XDG_RUNTIME_DIR, /run/user/UID
};

/// @param variable the value of an environment variable, empty when it is not set. HOME comes from passwd when unset
/// @throws Error(usage) naming the variable that is not an absolute path, or the user without a home directory
UserDirectories user_directories(unsigned uid, const std::function<std::string(const char*)>& variable);

}  // namespace berth::host
