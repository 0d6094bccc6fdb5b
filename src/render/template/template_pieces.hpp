// A template cut into text and variables, by the rules of Python's string.Template.
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
  std::string_view text;   ///< what is written, or the variable's name
  std::size_t offset = 0;  ///< where it begins in the template, in bytes
};

/// True for `[_a-zA-Z][_a-zA-Z0-9]*`.
bool is_variable_name(std::string_view name);

/// Cuts a whole template.
std::vector<Piece> split_template(std::string_view text);

/// What variables stand for, by name.
using Values = std::map<std::string, std::string, std::less<>>;

/// What a piece becomes; a variable without a value and a lone `$` become nothing. The view is into the template or a
/// value.
std::string_view content_of(const Piece& piece, const Values& values);

/// Puts the values in; a variable without a value and a lone `$` give nothing.
/// Substituted text is not looked at again.
std::string substitute(const std::vector<Piece>& pieces, const Values& values);

/// Size of what substitute() would return, in bytes, without making it.
std::size_t substituted_size(const std::vector<Piece>& pieces, const Values& values);

}  // namespace berth::render
