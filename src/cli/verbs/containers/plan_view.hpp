// SPDX-License-Identifier: LGPL-2.1-or-later
// The output of --display.
#pragma once

#include "ops/plan/plan.hpp"

namespace berth::cli {

/// Prints a plan: the privileges first, then files, values and texts. @param json print one JSON document instead
void show_plan(bool json, const ops::InstallPlan& plan, const host::Layout& layout);

}  // namespace berth::cli
