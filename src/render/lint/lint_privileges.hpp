// SPDX-License-Identifier: LGPL-2.1-or-later
// Privileges as notes for the author of an image, with the lines that ask for them.
#pragma once

#include <string_view>

#include "base/finding.hpp"
#include "base/json_fwd.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// @param rendered the unit, line by line as its template
base::Findings unit_notes(std::string_view rendered, const Values& values);

/// @param rendered tmpfiles.d lines, line by line as their template
base::Findings tmpfiles_notes(std::string_view rendered);

/// @param cgroups_path see config_privileges @param text the document's own text, to find line numbers in
/// @param file name of the text, for the findings
base::Findings config_notes(const base::Json& config, std::string_view cgroups_path, std::string_view text,
                            std::string_view file);

}  // namespace berth::render
