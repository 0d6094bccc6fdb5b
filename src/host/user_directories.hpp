// Where the containers of a user are: the directories of the XDG Base Directory Specification.
#pragma once

#include <functional>
#include <string>

namespace berth::host {

/// A user and his directories, all absolute.
struct UserDirectories {
  std::string name;  ///< as in passwd(5); the number when it knows none
  unsigned uid = 0;
  std::string home;
  std::string data;     ///< $XDG_DATA_HOME, ~/.local/share
  std::string config;   ///< $XDG_CONFIG_HOME, ~/.config
  std::string runtime;  ///< $XDG_RUNTIME_DIR, /run/user/UID
};

/// @param variable the value of an environment variable, empty when it is not set. HOME comes from passwd when unset
/// @throws Error(usage) naming the variable that is no absolute path, or the user without a home
UserDirectories user_directories(unsigned uid, const std::function<std::string(const char*)>& variable);

}  // namespace berth::host
