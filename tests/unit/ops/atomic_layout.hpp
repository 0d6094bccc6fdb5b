// SPDX-License-Identifier: LGPL-2.1-or-later
// The deployments of another tool on the same machine.
#pragma once

#include <utility>

#include "host/layout.hpp"
#include "ops/context.hpp"
#include "ops/machine.hpp"

namespace berth::test {

inline constexpr const char* atomic_directory = "/var/lib/containers/atomic";

/// The context of the other tool.
inline ops::Context atomic_context(Machine& machine) {
  host::LayoutSettings settings;
  settings.root = machine.directory / "root";
  settings.running = true;
  settings.deployments = atomic_directory;
  auto context = machine.context();
  context.layout = host::Layout(std::move(settings));
  return context;
}

}  // namespace berth::test
