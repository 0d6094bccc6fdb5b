// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/writable_paths.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/json.hpp"
#include "base/unit_syntax.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/spec/sensitive_paths.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/tmpfiles_line.hpp"

namespace berth::render {
namespace {

constexpr mode_t default_mode = 0755;  ///< tmpfiles.d(5)

bool is_mounted_nosuid(std::string_view path) {
  constexpr std::array<std::string_view, 5> mounts = {"/dev", "/proc", "/run", "/sys", "/var/run"};
  return std::any_of(mounts.begin(), mounts.end(), [&](std::string_view mount) { return is_below(path, mount); });
}

/// An octal mode after the prefixes `~` and `:`; nullopt for an invalid one.
std::optional<mode_t> mode_of(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of("~:"), field.size()));
  if (field.empty() || field == "-") {
    return default_mode;
  }
  mode_t mode = 0;
  const auto* const end = field.data() + field.size();
  return std::from_chars(field.data(), end, mode, 8).ptr == end ? std::optional(mode) : std::nullopt;
}

unsigned id_of(std::string_view field) {
  unsigned id = 0;
  std::from_chars(field.data(), field.data() + field.size(), id);
  return id;
}

/// A line that creates a directory, in parts.
struct DirectoryLine {
  std::string_view head;  ///< type, path and the blanks after them, unchanged
  std::string marks;      ///< `~` and `:` before the mode
  std::string_view rest;  ///< after the mode
  MadeDirectory directory;
};

/// @return nullopt for any other line, and for a path that only systemd can expand
std::optional<DirectoryLine> directory_line(std::string_view line) {
  const auto read = read_tmpfiles_line(line);
  if (!read || read->type.empty() || std::string_view("dDvqQ").find(read->type[0]) == std::string_view::npos ||
      !read->path.starts_with('/') || read->path.find('%') != std::string::npos) {
    return std::nullopt;
  }
  const auto mode = mode_of(read->mode);
  if (!mode) {
    return std::nullopt;
  }
  DirectoryLine result;
  result.rest = line;
  take_tmpfiles_field(result.rest);
  take_tmpfiles_field(result.rest);
  const auto blanks = std::min(result.rest.find_first_not_of(" \t"), result.rest.size());
  result.head = line.substr(0, line.size() - result.rest.size() + blanks);
  take_tmpfiles_field(result.rest);
  result.marks = read->mode.substr(0, read->mode.find_first_not_of("~:"));
  result.directory = {std::string(without_slashes(read->path)), *mode, id_of(read->user), id_of(read->group)};
  return result;
}

/// Applies the lines that change modes, which systemd-tmpfiles applies after all others.
void apply_changes(std::string_view tmpfiles, std::vector<MadeDirectory>& directories) {
  while (!tmpfiles.empty()) {
    const auto line = read_tmpfiles_line(base::take_line(tmpfiles));
    if (!line || line->type.empty() || std::string_view("zZmaA").find(line->type[0]) == std::string_view::npos) {
      continue;
    }
    const bool list = line->type[0] == 'a' || line->type[0] == 'A';  // an access control list may admit any user
    const bool recursive = line->type[0] == 'Z' || line->type[0] == 'A';
    const auto mode = list || line->mode.empty() || line->mode == "-" ? std::nullopt : mode_of(line->mode);
    const auto pattern = normalized_host_path(line->path);
    for (auto& directory : directories) {
      const int flags = FNM_PATHNAME | (recursive ? FNM_LEADING_DIR : 0);
      if ((list || mode) && ::fnmatch(pattern.c_str(), directory.path.c_str(), flags) == 0) {
        directory.mode = mode.value_or(directory.mode | S_IXOTH);
      }
    }
  }
}

/// Whether others lose their rights on a directory. @param made all directories of the lines
bool is_to_be_closed(const MadeDirectory& directory, const std::vector<std::string>& paths,
                     const std::vector<MadeDirectory>& made) {
  constexpr mode_t others = 0007;
  constexpr mode_t others_write = 0002;
  if ((directory.mode & others) == 0 || is_usual_host_path(directory.path)) {
    return false;
  }
  const bool bound =
      std::any_of(paths.begin(), paths.end(), [&](const std::string& path) { return is_below(directory.path, path); });
  const bool above =
      std::any_of(paths.begin(), paths.end(), [&](const auto& path) { return is_below(path, directory.path); });
  // One closed directory above it is enough, and does not affect the container.
  const bool covered = std::any_of(made.begin(), made.end(), [&](const MadeDirectory& outer) {
    return outer.path != directory.path && is_below(directory.path, outer.path) && !is_usual_host_path(outer.path);
  });
  return bound ? above && !covered && (directory.mode & others_write) == 0 : above;
}

}  // namespace

std::vector<std::string> writable_host_paths(const base::Json& config) {
  std::vector<std::string> paths;
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    const auto named = bind_source(mount);
    const auto source = without_slashes(named);
    if (is_writable_mount(mount) && source.starts_with('/') && !is_mounted_nosuid(source)) {
      paths.emplace_back(source);
    }
  }
  return paths;
}

std::vector<MadeDirectory> made_directories(std::string_view tmpfiles) {
  std::vector<MadeDirectory> directories;
  for (auto lines = tmpfiles; !lines.empty();) {
    if (auto made = directory_line(base::take_line(lines))) {
      directories.push_back(std::move(made->directory));
    }
  }
  apply_changes(tmpfiles, directories);
  return directories;
}

ClosedLines close_tmpfiles(std::string_view lines, const std::vector<std::string>& paths) {
  ClosedLines result;
  const auto made = made_directories(lines);
  result.text = each_line(lines, [&](std::string_view line) {
    const auto found = directory_line(line);
    if (!found || !is_to_be_closed(found->directory, paths, made)) {
      return std::string(line);
    }
    const auto& directory = found->directory;
    const mode_t mode = directory.mode & 07770U;
    result.changes.push_back(
        fmt::format("{} gets the mode {:04o} instead of {:04o}, so that others cannot use what the container writes "
                    "there",
                    directory.path, mode, directory.mode));
    const bool apart = found->head.ends_with(' ') || found->head.ends_with('\t');
    return fmt::format("{}{}{}{:04o}{}", found->head, apart ? "" : " ", found->marks, mode, found->rest);
  });
  return result;
}

}  // namespace berth::render
