// How a container says that it is well: `healthCheck` of manifest.json, or the Healthcheck of the image configuration.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "image/manifest.hpp"

namespace berth::render {

/// A command that is run inside the container; exit status 0 means that it is well.
struct HealthCheck {
  std::vector<std::string> command;
  std::chrono::milliseconds interval{5'000};  ///< between two tries
  std::chrono::milliseconds timeout{30'000};  ///< for one try; then it is killed and has failed
  std::chrono::milliseconds start_period{0};  ///< after the start; failures in it do not count
  int retries = 3;                            ///< so many failures in a row, and it is not well
};

/// `healthCheck` of berth-exports(5): `command` (a list, or a text for /bin/sh), and `interval`, `timeout`,
/// `startPeriod` in seconds, `retries`. @throws Error(verification) naming the key
HealthCheck parse_health_check(const base::JsonView& view);

/// Docker's form: CMD, CMD-SHELL; nullopt for NONE and, as Docker has it, for every other form. Zeros mean our
/// defaults.
std::optional<HealthCheck> health_check_of(const image::Healthcheck& docker);

/// What parse_health_check reads.
base::Json to_json(const HealthCheck& check);

}  // namespace berth::render
