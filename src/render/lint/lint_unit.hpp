// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of service.template for the author of an image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/finding.hpp"

namespace berth::render {

/// Checks whether the unit template fits what berth starts. @param text of service.template
base::Findings check_unit_template(std::string_view text);

/// Host paths that RuntimeDirectory=, StateDirectory= and the like of a rendered unit create (systemd.exec(5)).
std::vector<std::string> directories_of_unit(std::string_view rendered);

}  // namespace berth::render
