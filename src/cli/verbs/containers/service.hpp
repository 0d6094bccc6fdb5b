// SPDX-License-Identifier: LGPL-2.1-or-later
// What berth start, stop and restart share.
#pragma once

#include <string>

#include "cli/options/command_line.hpp"

namespace berth::cli {

/// A verb that takes names of containers and calls `work` for each.
Verb service_verb(const VerbEntry& entry, void (*work)(ops::Context& context, const std::string& container));

}  // namespace berth::cli
