// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_text.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace berth::render {
namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Offset after the string that begins at `quote`.
std::size_t skip_string(std::string_view text, std::size_t quote) {
  std::size_t at = quote + 1;
  while (at < text.size() && text[at] != '"') {
    at += text[at] == '\\' ? 2 : 1;
  }
  return std::min(at + 1, text.size());
}

/// Offset after the `{` of the top-level member `linux`; npos when it is not an object, nullopt without one.
std::optional<std::size_t> find_linux(std::string_view text) {
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (c == '"') {
      const std::size_t end = skip_string(text, at);
      const bool is_linux = depth == 1 && text.substr(at, end - at) == "\"linux\"";
      const std::size_t colon = text.find_first_not_of(blanks, end);
      at = end - 1;
      if (is_linux && colon != std::string_view::npos && text[colon] == ':') {
        const std::size_t value = text.find_first_not_of(blanks, colon + 1);
        return value != std::string_view::npos && text[value] == '{' ? value + 1 : std::string_view::npos;
      }
    }
  }
  return std::nullopt;
}

/// Inserts `member` before the other members of an object, on its own line if they have their own lines.
/// @param place offset after the `{`
std::string with_first_member(std::string_view text, std::size_t place, const std::string& member) {
  const std::size_t next = text.find_first_not_of(blanks, place);
  const bool empty = next == std::string_view::npos || text[next] == '}';
  std::string result(text.substr(0, place));
  if (!empty) {
    result += text.substr(place, next - place);
  }
  result += member + (empty ? "" : ",");
  if (!empty && next == place) {
    result += ' ';
  }
  return result.append(text.substr(place));
}

/// Offset of the value of the member `key` (with its quotes) of the object that begins before `place`.
std::optional<std::size_t> find_value(std::string_view text, std::size_t place, std::string_view key) {
  int depth = 0;
  for (std::size_t at = place; at < text.size() && depth >= 0; ++at) {
    const char c = text[at];
    depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
    if (c == '"') {
      const std::size_t end = skip_string(text, at);
      const std::size_t colon = text.find_first_not_of(blanks, end);
      if (depth == 0 && text.substr(at, end - at) == key && colon != std::string_view::npos && text[colon] == ':') {
        return text.find_first_not_of(blanks, colon + 1);
      }
      at = end - 1;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> replace_cgroups_path(std::string_view text, const std::string& path) {
  const auto place = find_linux(text);
  if (!place || *place == std::string_view::npos) {
    return std::nullopt;
  }
  const auto value = find_value(text, *place, "\"cgroupsPath\"");
  if (!value || *value >= text.size() || text[*value] != '"') {
    return std::nullopt;
  }
  return std::string(text.substr(0, *value)) + base::Json(path).dump() +
         std::string(text.substr(skip_string(text, *value)));
}

std::optional<std::string> insert_cgroups_path(std::string_view text, const std::string& path) {
  const auto member = "\"cgroupsPath\": " + base::Json(path).dump();
  const auto place = find_linux(text);
  if (!place) {
    const std::size_t brace = text.find('{');
    return brace == std::string_view::npos
               ? std::nullopt
               : std::optional(with_first_member(text, brace + 1, "\"linux\": {" + member + "}"));
  }
  return *place == std::string_view::npos ? std::nullopt : std::optional(with_first_member(text, *place, member));
}

}  // namespace berth::render
