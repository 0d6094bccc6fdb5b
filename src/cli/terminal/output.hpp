// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions for everything that is printed. Much of it comes from images, registries and files, and is sanitised here.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "base/json_fwd.hpp"

namespace berth::cli {

/// Prints a text as base::shown_text shows it. @throws std::system_error when the stream is closed
void emit_text(std::FILE* stream, std::string_view text);

/// As fmt::print, through emit_text. Pass arguments that must not contain line breaks through base::shown_line.
template <typename... Args>
void emit(fmt::format_string<Args...> format, Args&&... args) {
  emit_text(stdout, fmt::format(format, std::forward<Args>(args)...));
}

/// The same on standard error, for messages printed before a Reporter exists.
template <typename... Args>
void emit_error(fmt::format_string<Args...> format, Args&&... args) {
  emit_text(stderr, fmt::format(format, std::forward<Args>(args)...));
}

/// Prints a text unchanged, for programs. Standard output must not be a terminal.
void emit_as_written(std::string_view text);

/// Prints a question, and reads the answer from standard input. @return whether it is yes
bool ask(std::FILE* stream, std::string_view question);

/// Prints a JSON document and a line break. Characters outside ASCII are escaped, so none has to be replaced.
/// @param indent blanks per level; -1: all on one line
void emit_json(const base::Json& document, int indent = 2);

}  // namespace berth::cli
