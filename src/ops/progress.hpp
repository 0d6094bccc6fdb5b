// SPDX-License-Identifier: LGPL-2.1-or-later
// Progress of long work as JSON, and its names for people.
#pragma once

#include <string_view>

#include "base/json_fwd.hpp"
#include "base/reporter.hpp"

namespace berth::ops {

/// What a piece of work does, as a word or two: "waiting", "fetching", "fetched".
std::string_view label_of(const base::Progress& progress);

/// "bytes", "objects", …
std::string_view name_of(base::ProgressUnit unit);

/// @return id, task, label, phase, done, total and unit, as schemas/berth-progress.schema.json describes them
base::Json to_json(const base::Progress& progress);

}  // namespace berth::ops
