// Finds out which value, or which place of the template, makes rendered JSON unreadable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exports/template_pieces.hpp"

namespace berth::exports {

/// Looks at the JSON that a template gives with `values`.
/// @param text the template that `pieces` were cut from
/// @param rendered what substitute() made of them
/// @return nullopt when it parses (RFC 8259); else one sentence located in the template:
///   `FILE:LINE: the value of $NAME breaks the JSON: REASON`, or
///   `FILE:LINE:COLUMN: the template itself is no valid JSON: REASON`
std::optional<std::string> json_problem(std::string_view text, const std::vector<Piece>& pieces, const Values& values,
                                        std::string_view rendered, std::string_view file);

}  // namespace berth::exports
