// Taking back what systemd-tmpfiles made for a deployment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

/// Removes what was made at `paths`: directories as long as nobody put anything into them, other things as long as they
/// are what the lines make. What somebody changed, and what nobody can compare, stays and is named.
/// @param paths absolute inside the root, outer ones first @param lines of tmpfiles.d(5) that made them
void undo_tmpfiles(const Context& context, const std::vector<std::string>& paths, std::string_view lines);

}  // namespace berth::ops
