// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/template_pieces.hpp"

#include <algorithm>

namespace berth::render {
namespace {

bool begins_name(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool continues_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9');
}

/// Length of the variable name at the front of `text`; 0 when it begins with another character.
std::size_t name_length(std::string_view text) {
  if (text.empty() || !begins_name(text.front())) {
    return 0;
  }
  const auto* end = std::find_if_not(text.begin(), text.end(), continues_name);
  return static_cast<std::size_t>(end - text.begin());
}

/// Reads the piece that begins with the `$` at `offset`. @param next set to the offset after it
Piece read_dollar(std::string_view text, std::size_t offset, std::size_t& next) {
  const std::string_view rest = text.substr(offset + 1);
  if (!rest.empty() && rest.front() == '$') {
    next = offset + 2;
    return {PieceKind::text, text.substr(offset, 1), offset};
  }
  const bool braced = !rest.empty() && rest.front() == '{';
  const std::string_view inner = rest.substr(braced ? 1 : 0);
  const std::size_t length = name_length(inner);
  if (length == 0 || (braced && inner.substr(length, 1) != "}")) {
    next = offset + 1;
    return {PieceKind::lone_dollar, text.substr(offset, 1), offset};
  }
  next = offset + 1 + length + (braced ? 2 : 0);
  return {PieceKind::variable, inner.substr(0, length), offset};
}

}  // namespace

bool is_variable_name(std::string_view name) {
  return !name.empty() && name_length(name) == name.size();
}

std::vector<Piece> split_template(std::string_view text) {
  std::vector<Piece> pieces;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t dollar = std::min(text.find('$', at), text.size());
    if (dollar > at) {
      pieces.push_back({PieceKind::text, text.substr(at, dollar - at), at});
    }
    at = dollar;
    if (at < text.size()) {
      pieces.push_back(read_dollar(text, at, at));
    }
  }
  return pieces;
}

std::string_view content_of(const Piece& piece, const Values& values) {
  if (piece.kind == PieceKind::text) {
    return piece.text;
  }
  const auto found = piece.kind == PieceKind::variable ? values.find(piece.text) : values.end();
  return found == values.end() ? std::string_view() : std::string_view(found->second);
}

std::string substitute(const std::vector<Piece>& pieces, const Values& values) {
  std::string result;
  result.reserve(substituted_size(pieces, values));
  for (const auto& piece : pieces) {
    result += content_of(piece, values);
  }
  return result;
}

std::size_t substituted_size(const std::vector<Piece>& pieces, const Values& values) {
  std::size_t size = 0;
  for (const auto& piece : pieces) {
    size += content_of(piece, values).size();
  }
  return size;
}

}  // namespace berth::render
