// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/host_path.hpp"

#include <algorithm>
#include <cstddef>

#include "base/file.hpp"

namespace berth::render {

std::string_view without_slashes(std::string_view path) {
  return path.substr(0, std::max<std::size_t>(path.find_last_not_of('/') + 1, 1));
}

bool is_below(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

std::string squeezed_path(std::string_view path, std::string_view document) {
  std::string result;
  for (const auto& component : base::safe_components(path, document)) {
    result.append("/").append(component);
  }
  return result.empty() ? "/" : result;
}

}  // namespace berth::render
