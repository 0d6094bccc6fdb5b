// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/stream_links.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::render {
namespace {

constexpr std::size_t most_links = 10;
constexpr std::size_t most_entries = 200'000;

bool is_stream(std::string_view target) {
  constexpr std::array<std::string_view, 6> streams = {"/dev/stdout", "/dev/stderr",     "/dev/fd/1",
                                                       "/dev/fd/2",   "/proc/self/fd/1", "/proc/self/fd/2"};
  return std::any_of(streams.begin(), streams.end(), [&](std::string_view stream) {
    return target == stream || (target.starts_with("..") && target.ends_with(stream));
  });
}

/// Kernel file systems, and the directories with most files and no logs.
bool is_skipped(std::string_view path) {
  constexpr std::array<std::string_view, 7> skipped = {"dev",         "lib",     "proc",     "sys",
                                                       "usr/include", "usr/lib", "usr/share"};
  return std::find(skipped.begin(), skipped.end(), path) != skipped.end();
}

/// An empty Fd when the user may not read it.
base::Fd open_readable(int rootfs, const std::string& path) {
  try {
    return base::open_beneath(rootfs, path, O_RDONLY | O_DIRECTORY);
  } catch (const base::Error&) {
    return {};
  }
}

}  // namespace

std::vector<std::string> stream_links(int rootfs) {
  std::vector<std::string> links;
  std::vector<std::string> directories = {"."};
  std::size_t seen = 0;
  for (std::size_t next = 0; next < directories.size() && links.size() < most_links && seen < most_entries; ++next) {
    const auto path = directories[next];
    const base::Fd directory = open_readable(rootfs, path);
    for (const auto& name : directory ? base::list_directory(directory.get()) : std::vector<std::string>()) {
      const auto status = base::stat_at(directory.get(), name);
      const auto whole = path == "." ? name : fmt::format("{}/{}", path, name);
      ++seen;
      if (status && S_ISDIR(status->st_mode) && !is_skipped(whole)) {
        directories.push_back(whole);
      } else if (status && S_ISLNK(status->st_mode) && links.size() < most_links &&
                 is_stream(base::read_link_at(directory.get(), name).value_or(""))) {
        links.push_back("/" + whole);
      }
    }
  }
  return links;
}

}  // namespace berth::render
