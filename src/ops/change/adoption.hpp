// SPDX-License-Identifier: LGPL-2.1-or-later
// Completes an adoption that was killed, and removes the links of adopted containers. The verb is ops/containers/adopt.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "host/state/lock.hpp"
#include "ops/change/adopted_places.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Journal record of an adoption, or of giving a container back.
struct AdoptionRecord {
  std::string name;
  std::string from;   ///< inside the root
  bool undo = false;  ///< the container is given back
};
base::Json to_json(const AdoptionRecord& record);
/// nullopt when the record is that of another operation. @throws Error(verification) for a damaged one
std::optional<AdoptionRecord> parse_adoption_record(const base::Json& json);

/// Takes the lock under which containers are adopted or given back. @throws Error(conflict) after `timeout`
host::ContainerLock lock_adoptions(const Context& context, std::chrono::seconds timeout);

/// Whether a directory is an OSTree repository.
bool is_repository(const std::string& path);
/// The path inside the root of a path of the host.
std::string path_in_root(const Context& context, const std::string& path);

/// Deployments of a container that berth created. `atomic` cannot use them: the paths in them lead to the directory of
/// berth.
std::vector<std::string> own_slots(const Context& context, const AdoptedPlaces& places, const std::string& name);
/// Removes them, before the other deployments are given back.
void drop_own_slots(const Context& context, const AdoptedPlaces& places, const std::string& name);
/// Closes deployments of `atomic`, which are open to other users.
void close_slots(const Context& context, const AdoptedPlaces& places, const std::string& name);

/// Completes an interrupted adoption, or giving back. The caller holds the lock.
void complete_adoption(Context& context, const AdoptionRecord& record);

/// Tidies up after a killed adoption, unless another command adopts: creates the link to a repository that was moved,
/// removes entries of repositories that were given back, and temporary files.
void tidy_adoptions(Context& context);

/// Removes the links of a removed container from the directory of `atomic`.
void remove_adopted_links(const Context& context, const std::string& name);

}  // namespace berth::ops
