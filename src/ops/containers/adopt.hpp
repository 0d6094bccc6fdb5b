// berth adopt: what the older tool installed and stored becomes berth's, while its services run on.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

struct AdoptRequest {
  std::string from;                ///< the older tool's deployments, inside the root, e.g. /var/lib/containers/atomic
  std::string repository;          ///< its repository, inside the root; empty: where that tool looks for it
  std::vector<std::string> names;  ///< containers; empty: all of them
  bool only_plan = false;          ///< --dry-run
};

struct AdoptedContainer {
  std::string name;
  std::string image;
  std::string image_id;
  bool running = false;
  std::vector<std::string> directories;  ///< deployments that move: NAME.0, NAME.1
  std::vector<std::string> dropped;      ///< undo: deployments that berth made and the older tool could not run
};

/// What happens to the older tool's repository.
enum class RepositoryFate {
  none,    ///< there is none
  shared,  ///< berth uses it already
  moved,
  copied,  ///< berth has one of its own: what is missing there comes over, as hard links
  stays,   ///< undo: it was not moved
};

struct AdoptOutcome {
  std::string from;
  std::string to;
  std::vector<AdoptedContainer> containers;  ///< sorted by name
  RepositoryFate repository = RepositoryFate::none;
  std::string repository_path;      ///< inside the root; empty with none
  std::vector<std::string> images;  ///< names of images that are berth's by this
};

/// Each deployment changes its place with a link in one system call (renameat2(2), RENAME_EXCHANGE), so that every path
/// that a unit names leads to it at every moment. No unit, no configuration and no process is touched.
/// @throws Error before anything is changed: not_found when there is nothing, conflict for a name that berth uses
///   already, failed when the directories are on different file systems
AdoptOutcome adopt(Context& context, const AdoptRequest& request);

/// Takes it back, for the containers that are still as the older tool made them.
/// @throws Error before anything is changed: conflict for a container whose live deployment berth made
AdoptOutcome undo_adoption(Context& context, const AdoptRequest& request);

}  // namespace berth::ops
