// SPDX-License-Identifier: LGPL-2.1-or-later
// Splits a template into text and variables, by the rules of Python's string.Template.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace berth::render {

enum class PieceKind {
  text,         ///< literal; `$$` is a piece holding `$`
  variable,     ///< $NAME or ${NAME}
  lone_dollar,  ///< a `$` that is neither
};

/// One stretch of a template. Views point into the template.
struct Piece {
  PieceKind kind = PieceKind::text;
  std::string_view text;   ///< the literal, or the variable's name
  std::size_t offset = 0;  ///< of its beginning in the template, in bytes
};

/// True for `[_a-zA-Z][_a-zA-Z0-9]*`.
bool is_variable_name(std::string_view name);

/// Splits a whole template.
std::vector<Piece> split_template(std::string_view text);

/// Values of variables, by name.
using Values = std::map<std::string, std::string, std::less<>>;

/// The text that replaces a piece: empty for a variable without a value and for a lone `$`. Points into the template or
/// a value.
std::string_view content_of(const Piece& piece, const Values& values);

/// Substitutes the values; a variable without a value and a lone `$` become empty. Substituted text is not expanded
/// again.
std::string substitute(const std::vector<Piece>& pieces, const Values& values);

/// Size of the result of substitute() in bytes.
std::size_t substituted_size(const std::vector<Piece>& pieces, const Values& values);

}  // namespace berth::render
