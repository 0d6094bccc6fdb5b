// SPDX-License-Identifier: LGPL-2.1-or-later
// berth adopt: takes over containers and images of `atomic`, while the services keep running.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct AdoptRequest {
  std::string from;        ///< directory of deployments of `atomic`, inside the root, e.g. /var/lib/containers/atomic
  std::string repository;  ///< its repository, inside the root; empty: the default of `atomic`
  std::vector<std::string> names;  ///< containers; empty: all of them
  bool only_plan = false;          ///< --dry-run
};

struct AdoptedContainer {
  std::string name;
  std::string image;
  std::string image_id;
  bool running = false;
  std::vector<std::string> directories;  ///< deployments that move: NAME.0, NAME.1
  std::vector<std::string> dropped;      ///< undo: deployments of berth that `atomic` could not run
};

/// What happens to the repository of `atomic`.
enum class RepositoryFate {
  none,    ///< it does not exist
  shared,  ///< berth already uses it
  moved,
  copied,  ///< berth has its own: objects missing there are added, as hard links
  stays,   ///< undo: it was not moved, and stays
};

struct AdoptOutcome {
  bool done = false;  ///< false: only planned
  std::string from;
  std::string to;
  std::vector<AdoptedContainer> containers;  ///< sorted by name
  RepositoryFate repository = RepositoryFate::none;
  std::string repository_path;      ///< inside the root; empty for `none`
  std::vector<std::string> images;  ///< names of images that are added to berth's repository
};

/// Exchanges each deployment with a link in one system call (renameat2(2), RENAME_EXCHANGE), so that the paths in units
/// stay valid at every moment. Changes no unit, no configuration and no process.
/// @throws Error before anything is changed: not_found when there is nothing to adopt, conflict for a name that berth
///   already uses, failed when the directories are on different file systems
AdoptOutcome adopt(Context& context, const AdoptRequest& request);

/// Reverts the adoption of containers whose live deployment was made by `atomic`.
/// @throws Error before anything is changed: conflict for a container whose live deployment was made by berth
AdoptOutcome undo_adoption(Context& context, const AdoptRequest& request);

base::Json to_json(const AdoptedContainer& container);

/// berth-adopt.schema.json
base::Json to_json(const AdoptOutcome& outcome);

}  // namespace berth::ops
