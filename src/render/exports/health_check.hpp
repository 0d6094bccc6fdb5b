// SPDX-License-Identifier: LGPL-2.1-or-later
// Health checks: `healthCheck` of manifest.json, or Healthcheck of the image configuration.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "image/manifest.hpp"

namespace berth::render {

/// A command that runs inside the container; exit status 0 means healthy.
struct HealthCheck {
  std::vector<std::string> command;
  std::chrono::milliseconds interval{5'000};  ///< between two tries
  std::chrono::milliseconds timeout{30'000};  ///< for one try, which then is killed and counts as failed
  std::chrono::milliseconds start_period{0};  ///< after the start, during which failures do not count
  int retries = 3;                            ///< consecutive failures that make the container unhealthy
};

/// `healthCheck` of berth-exports(5): `command` (a list, or a text for /bin/sh), and `interval`, `timeout`,
/// `startPeriod` in seconds, `retries`. @throws Error(verification) naming the key
HealthCheck parse_health_check(const base::JsonView& view);

/// Docker's form: CMD, CMD-SHELL; nullopt for NONE and, as in Docker, for every other form. Zeros mean the defaults.
std::optional<HealthCheck> health_check_of(const image::Healthcheck& docker);

/// The form that parse_health_check reads.
base::Json to_json(const HealthCheck& check);

}  // namespace berth::render
