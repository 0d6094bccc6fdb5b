// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/planned_links.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/file.hpp"

namespace berth::ops {

namespace {

constexpr int max_links = 40;  // path_resolution(7)

/// Components of a path, last one first.
std::vector<std::string> reversed_components(std::string_view path) {
  std::vector<std::string> components;
  while (!path.empty()) {
    const auto name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (!name.empty() && name != ".") {
      components.emplace_back(name);
    }
  }
  std::reverse(components.begin(), components.end());
  return components;
}

}  // namespace

PlannedLinks::PlannedLinks(const std::vector<PlannedFile>& files, const HostProbe& probe) : probe_(probe) {
  for (const auto& planned : files) {
    if (planned.file.kind == host::HostFile::Kind::link) {
      const auto [parent, name] = base::split_path(planned.file.destination);
      const auto inner = probe_.resolve(parent == "/" ? "/x" : parent + "/x");
      targets_.emplace(inner.substr(0, inner.size() - 1) + name, planned.file.link_target);
    }
  }
}

std::string PlannedLinks::resolve(const std::string& path) const {
  auto left = reversed_components(path);
  std::vector<std::string> found;
  int links = 0;
  while (!left.empty()) {
    const auto name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      if (!found.empty()) {
        found.pop_back();
      }
      continue;
    }
    const auto parent = fmt::format("/{}", fmt::join(found, "/"));
    found.push_back(name);
    const auto here = fmt::format("/{}", fmt::join(found, "/"));
    const auto planned = targets_.find(here);
    const auto real = probe_.resolve(here + "/x");
    if (planned == targets_.end() && real == here + "/x") {
      continue;
    }
    if (++links > max_links) {
      return path;
    }
    const auto target = planned == targets_.end() ? real.substr(0, real.size() - 2) : planned->second;
    auto more = reversed_components(target.starts_with('/') ? target : fmt::format("{}/{}", parent, target));
    std::move(more.begin(), more.end(), std::back_inserter(left));
    found.clear();
  }
  return fmt::format("/{}", fmt::join(found, "/"));
}

}  // namespace berth::ops
