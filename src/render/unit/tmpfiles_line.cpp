// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/tmpfiles_line.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/unit_quoting.hpp"

namespace berth::render {

bool is_tmpfiles_line(std::string_view line) {
  const auto begin = line.find_first_not_of(base::unit_blanks);
  return begin != std::string_view::npos && line[begin] != '#';
}

std::optional<TmpfilesLine> read_tmpfiles_line(std::string_view line) {
  if (!is_tmpfiles_line(line)) {
    return std::nullopt;
  }
  TmpfilesLine read;
  for (auto* field : {&read.type, &read.path, &read.mode, &read.user, &read.group, &read.age}) {
    if (line.empty()) {
      break;
    }
    auto word = base::take_unit_word(line);
    if (!word) {
      return std::nullopt;
    }
    *field = std::move(*word);
  }
  read.argument = line;
  read.argument.erase(read.argument.find_last_not_of(base::unit_blanks) + 1);
  return read;
}

std::optional<std::string> expanded_argument(const TmpfilesLine& line) {
  auto text = base::unescape_unit_text(line.argument);
  for (std::size_t at = 0; text && (at = text->find('%', at)) != std::string::npos; ++at) {
    if (text->compare(at, 2, "%%") != 0) {
      return std::nullopt;
    }
    text->erase(at, 1);
  }
  return line.type.find_first_of("~^") == std::string::npos ? text : std::nullopt;
}

std::string_view take_tmpfiles_field(std::string_view& line) {
  const auto begin = std::min(line.find_first_not_of(" \t"), line.size());
  std::size_t end = begin;
  for (char quote = '\0'; end < line.size(); ++end) {
    const char c = line[end];
    if (quote == '\0' && (c == ' ' || c == '\t')) {
      break;
    }
    if (c == '\\') {
      ++end;
    } else if (quote == '\0' ? c == '"' || c == '\'' : c == quote) {
      quote = quote == '\0' ? c : '\0';
    }
  }
  const auto field = line.substr(0, std::min(end, line.size()));
  line.remove_prefix(field.size());
  return field;
}

}  // namespace berth::render
