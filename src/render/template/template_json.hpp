// SPDX-License-Identifier: LGPL-2.1-or-later
// Finds the value, or the position in the template, that makes rendered JSON invalid.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/template/template_pieces.hpp"

namespace berth::render {

/// A message and the line of the template, from 1, that it is about.
struct JsonProblem {
  std::size_t line = 0;
  std::string message;
};

/// Checks the JSON that a template renders to with `values`.
/// @param text the template that `pieces` were cut from
/// @param rendered the result of substitute() for them
/// @return nullopt when it parses (RFC 8259); else `the value of $NAME breaks the JSON: REASON`, or
///   `the template itself is not valid JSON, at column COLUMN: REASON`
std::optional<JsonProblem> json_problem(std::string_view text, const std::vector<Piece>& pieces, const Values& values,
                                        std::string_view rendered);

}  // namespace berth::render
