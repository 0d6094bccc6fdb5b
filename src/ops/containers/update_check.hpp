// SPDX-License-Identifier: LGPL-2.1-or-later
// berth update --check: reports available updates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/json_fwd.hpp"
#include "base/text_diff.hpp"
#include "ops/containers/update.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// How a container would differ after an update.
struct DeploymentDiff {
  base::SetDifference capabilities;
  base::SetDifference namespaces;
  base::SetDifference mounts;
  base::SetDifference environment;
  std::string config;              ///< the other parts of config.json, as a unified diff
  std::string unit;                ///< unified diff
  std::string tmpfiles;            ///< unified diff
  base::SetDifference host_files;  ///< paths
  std::vector<std::string> changed_host_files;
  base::SetDifference default_values;  ///< NAME=VALUE

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

/// Fetches the manifest and the image configuration. Does not change the container.
/// @param request as for an update
/// @param with_diff compare the deployments, for which the image is fetched into the store
/// @throws Error
UpdateCheck check_update(Context& context, const UpdateRequest& request, bool with_diff);

/// Checks all installed containers. A failure is recorded in the result for the container.
std::vector<UpdateCheck> check_all_updates(Context& context, const UpdateRequest& request, bool with_diff);

base::Json to_json(const DeploymentDiff& diff);

/// What an update of one container would bring (berth-update.schema.json).
base::Json to_json(const UpdateCheck& check);

/// The same of all containers.
base::Json to_json(const std::vector<UpdateCheck>& checks);

}  // namespace berth::ops
