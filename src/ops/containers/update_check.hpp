// berth update --check: what an update would bring.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "ops/containers/update.hpp"
#include "ops/context.hpp"
#include "ops/plan/text_diff.hpp"

namespace berth::ops {

/// How the container would differ after an update.
struct DeploymentDiff {
  SetDifference capabilities;
  SetDifference namespaces;
  SetDifference mounts;
  SetDifference environment;
  std::string config;        ///< the rest of config.json, as unified_diff has it
  std::string unit;          ///< unified
  std::string tmpfiles;      ///< unified
  SetDifference host_files;  ///< paths
  std::vector<std::string> changed_host_files;
  SetDifference default_values;  ///< NAME=VALUE

  [[nodiscard]] bool empty() const;
};

struct UpdateCheck {
  std::string container;
  std::string image;
  std::string id_installed;
  std::string id_available;
  std::string version_installed;  ///< label `version`, or empty
  std::string version_available;
  std::size_t layers_to_fetch = 0;
  std::uint64_t bytes_to_fetch = 0;  ///< compressed
  std::optional<DeploymentDiff> diff;
  std::optional<base::Error> error;

  [[nodiscard]] bool newer() const { return !error && id_installed != id_available; }
};

/// Fetches manifest and image configuration, and changes nothing.
/// @param request name, set, rebase, pull, authfile, platform as for an update
/// @param with_diff fetches the image into the store when it is not there, to compare
/// @throws Error
UpdateCheck check_update(Context& context, const UpdateRequest& request, bool with_diff);

/// Checks every installed container; what fails with one is in its row.
std::vector<UpdateCheck> check_all_updates(Context& context, const UpdateRequest& request, bool with_diff);

}  // namespace berth::ops
