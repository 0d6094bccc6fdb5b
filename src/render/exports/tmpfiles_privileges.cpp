// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/tmpfiles_privileges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/error.hpp"
#include "base/unit_syntax.hpp"
#include "render/spec/sensitive_paths.hpp"
#include "render/unit/tmpfiles_line.hpp"

namespace berth::render {
namespace {

constexpr std::size_t shown_bytes = 160;  ///< of a line of the image
/// Types that create a file unless one exists.
constexpr std::string_view making = "dvqQfpLC";
/// Types that create a directory, where set-id bits do not affect programs.
constexpr std::string_view directories = "dDvqQe";
/// Types that only exclude files from systemd-tmpfiles --clean.
constexpr std::string_view keeping = "xX";

bool has_modifier(const TmpfilesLine& line, char modifier) {
  return line.type.find(modifier, 1) != std::string::npos;
}

/// A setuid or setgid file.
bool gives_ids(const TmpfilesLine& line) {
  const auto digits = line.mode.find_first_of("01234567");
  unsigned mode = 0;
  if (digits == std::string::npos || directories.find(line.type[0]) != std::string_view::npos) {
    return false;
  }
  std::from_chars(line.mode.data() + digits, line.mode.data() + line.mode.size(), mode, 8);
  constexpr unsigned set_ids = 06000;
  return (mode & set_ids) != 0;
}

/// A harmless device node: null, zero, full, random, urandom.
bool is_harmless_device(const TmpfilesLine& line) {
  constexpr std::array<std::string_view, 5> harmless = {"1:3", "1:5", "1:7", "1:8", "1:9"};
  return line.type[0] == 'c' && std::find(harmless.begin(), harmless.end(), line.argument) != harmless.end();
}

/// The source of a copy or link; without an argument, the distribution's file for the path.
std::string source_of(const TmpfilesLine& line) {
  return line.argument.empty() || line.argument == "-" ? "/usr/share/factory" + line.path : line.argument;
}

enum class Reach { none, noted, host };

/// A copy exposes its source to all who may read the copy, and programs may follow a link unawares. A source that all
/// may read, and a link below its own directory, are harmless.
Reach reach_of_source(const TmpfilesLine& line) {
  const auto source = source_of(line);
  const bool link = line.type[0] == 'L';
  const bool plain = !goes_up(source) && !has_specifier(source);
  if (plain && (source.starts_with("/usr/") || (link && !source.starts_with('/')))) {
    return Reach::none;
  }
  const bool obeyed = reaches_sensitive_path(source);
  return (link && plain ? obeyed : !is_state_path(source)) ? Reach::host : Reach::noted;
}

Reach reach_of(const TmpfilesLine& line) {
  const char type = line.type[0];
  const bool usual = is_state_path(line.path);
  if (keeping.find(type) != std::string_view::npos) {
    return usual ? Reach::none : Reach::noted;
  }
  const bool node = (type == 'c' || type == 'b') && !is_harmless_device(line);
  const auto source = type == 'C' || type == 'L' ? reach_of_source(line) : Reach::none;
  if (!usual || gives_ids(line) || node || has_modifier(line, '^') || source == Reach::host) {
    return Reach::host;
  }
  const bool replaces = has_modifier(line, '+') || has_modifier(line, '=');
  return replaces || making.find(type) == std::string_view::npos ? Reach::noted : source;
}

/// The line; of a long one, the type, the path and the argument.
std::string shown(std::string_view text, const TmpfilesLine& line) {
  const auto part = [](std::string_view field) { return base::printable(field, shown_bytes); };
  return text.size() <= shown_bytes
             ? base::printable(text)
             : fmt::format("{} {} ... {}", part(line.type), part(line.path), part(line.argument));
}

}  // namespace

std::vector<Privilege> tmpfiles_privileges(std::string_view lines) {
  std::vector<Privilege> privileges;
  const auto add = [&privileges](const std::string& line, bool over_host) {
    privileges.push_back({fmt::format("changes the host by a tmpfiles.d line: {}", line), over_host});
  };
  while (!lines.empty()) {
    const auto text = base::take_line(lines);
    if (!is_tmpfiles_line(text)) {
      continue;
    }
    const auto line = read_tmpfiles_line(text);
    if (!line || line->type.empty() || line->path.empty()) {
      add(base::printable(text, shown_bytes), true);  // another version of systemd may accept it
    } else if (const auto reach = reach_of(*line); reach != Reach::none) {
      add(shown(text, *line), reach == Reach::host);
    }
  }
  return privileges;
}

}  // namespace berth::render
