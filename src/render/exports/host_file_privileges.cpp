// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/host_file_privileges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "render/spec/sensitive_paths.hpp"

namespace berth::render {
namespace {

constexpr std::size_t shown_bytes = 160;  ///< of a path of the image

std::string shown(std::string_view line) {
  return base::printable(line, shown_bytes);
}

}  // namespace

std::vector<std::string> paths_overridden_by(const std::string& destination) {
  // In order of precedence. (/lib and /bin are links today.)
  static constexpr std::array<std::string_view, 4> configuration = {"/etc/", "/run/", "/usr/local/lib/", "/usr/lib/"};
  static constexpr std::array<std::string_view, 4> programs = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
                                                               "/usr/bin/"};
  std::vector<std::string> paths;
  const auto add = [&](const auto& directories) {
    const auto own = std::find_if(directories.begin(), directories.end(),
                                  [&](std::string_view directory) { return destination.starts_with(directory); });
    for (auto next = own; next != directories.end(); ++next) {
      if (next != own) {
        paths.push_back(std::string(*next) + destination.substr(own->size()));
      }
    }
  };
  add(configuration);
  if (destination.starts_with("/usr/local/")) {
    add(programs);
  }
  return paths;
}

std::optional<Privilege> host_file_privilege(const std::string& destination, mode_t mode, bool has_capability) {
  constexpr mode_t set_ids = 06000;
  if ((mode & set_ids) != 0) {
    return Privilege{fmt::format("puts a setuid or setgid program on the host: {} ({:04o})", shown(destination), mode),
                     true};
  }
  if (has_capability) {
    return Privilege{fmt::format("puts a program with capabilities on the host: {}", shown(destination)), true};
  }
  if (is_sensitive_path(destination)) {
    return Privilege{fmt::format("puts a file on the host that controls programs run by root: {}", shown(destination)),
                     true};
  }
  return std::nullopt;
}

}  // namespace berth::render
