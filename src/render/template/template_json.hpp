// Finds out which value, or which place of the template, makes rendered JSON unreadable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/template/template_pieces.hpp"

namespace berth::render {

/// One sentence and the line of the template, from 1, that it is about.
struct JsonProblem {
  std::size_t line = 0;
  std::string message;
};

/// Looks at the JSON that a template gives with `values`.
/// @param text the template that `pieces` were cut from
/// @param rendered what substitute() made of them
/// @return nullopt when it parses (RFC 8259); else `the value of $NAME breaks the JSON: REASON`, or
///   `the template itself is no valid JSON, at column COLUMN: REASON`
std::optional<JsonProblem> json_problem(std::string_view text, const std::vector<Piece>& pieces, const Values& values,
                                        std::string_view rendered);

}  // namespace berth::render
