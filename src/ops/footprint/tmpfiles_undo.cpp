// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/tmpfiles_undo.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <optional>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/unit_syntax.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/tmpfiles_line.hpp"

namespace berth::ops {

namespace {

using render::TmpfilesLine;

/// Lines by path, without trailing slashes.
std::map<std::string, TmpfilesLine> lines_by_path(std::string_view lines) {
  std::map<std::string, TmpfilesLine> result;
  while (!lines.empty()) {
    if (auto line = render::read_tmpfiles_line(base::take_line(lines))) {
      line->path.resize(render::without_slashes(line->path).size());
      auto path = line->path;
      result.emplace(std::move(path), std::move(*line));
    }
  }
  return result;
}

/// @return sha256 hex of the content that a line creates; nullopt when it is not known
std::optional<std::string> created_checksum(int root, const TmpfilesLine& line) {
  const auto argument = render::expanded_argument(line);
  if (!argument) {
    return std::nullopt;
  }
  const auto source = argument->empty() || *argument == "-" ? "/usr/share/factory" + line.path : *argument;
  switch (line.type[0]) {
    case 'f':
    case 'F':
    case 'w':
      return base::digest_of(*argument == "-" ? "" : *argument).hex();
    case 'L':
      return base::digest_of(source).hex();
    case 'C':
      return host::host_checksum(root, source);
    default:
      return std::nullopt;
  }
}

bool holds_content(const struct stat& status) {
  return S_ISREG(status.st_mode) || S_ISLNK(status.st_mode);
}

}  // namespace

void undo_tmpfiles(const Context& context, const std::vector<std::string>& paths, std::string_view lines) {
  const auto root = open_root(context);
  const auto by_path = lines_by_path(lines);
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    const auto [parent, leaf] = base::split_path(*path);
    if (const auto danger = host::danger_on_the_way(root.get(), *path)) {
      context.reporter.warning(fmt::format("{} is kept: {}", *path, danger->what()));
      continue;
    }
    const auto directory = host::find_trusted_directory(root.get(), parent);
    if (!directory || ::unlinkat(directory->get(), leaf.c_str(), AT_REMOVEDIR) == 0 || errno != ENOTDIR) {
      continue;
    }
    const auto status = base::stat_at(directory->get(), leaf);
    const auto line = by_path.find(*path);
    const auto made = line == by_path.end() ? std::nullopt : created_checksum(root.get(), line->second);
    if (status && holds_content(*status) && (!made || made != host::checksum_in(directory->get(), leaf))) {
      context.reporter.warning(fmt::format("{} was changed after systemd-tmpfiles created it and is kept", *path));
    } else {
      ::unlinkat(directory->get(), leaf.c_str(), 0);
    }
  }
}

}  // namespace berth::ops
