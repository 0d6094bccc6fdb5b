// What goes to standard output. Everything does by one of these, for much of it is from images, registries and files.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.hpp"

namespace berth::cli {

/// Prints a text as base::shown_text shows it. @throws std::system_error when nobody takes it
void emit_text(std::FILE* stream, std::string_view text);

/// As fmt::print, by emit_text. A part that must not make lines of its own goes through base::shown_line before.
template <typename... Args>
void emit(fmt::format_string<Args...> format, Args&&... args) {
  emit_text(stdout, fmt::format(format, std::forward<Args>(args)...));
}

/// The same on standard error, for what is said before there is a Reporter.
template <typename... Args>
void emit_error(fmt::format_string<Args...> format, Args&&... args) {
  emit_text(stderr, fmt::format(format, std::forward<Args>(args)...));
}

/// Prints a text byte by byte, for programs: a terminal must not be behind standard output.
void emit_as_written(std::string_view text);

/// Prints a JSON document and a line break. What is not ASCII is escaped, so that nothing has to be replaced.
/// @param indent blanks a level; -1: all on one line
void emit_json(const base::Json& document, int indent = 2);

}  // namespace berth::cli
