// What --display shows.
#pragma once

#include "ops/plan/plan.hpp"

namespace berth::cli {

/// Prints a plan: what the image asks for first, then files, values and texts. @param json as one document
void show_plan(bool json, const ops::InstallPlan& plan, const host::Layout& layout);

}  // namespace berth::cli
