// A container that changes hands between the older tool and berth: what a killed adoption left is completed, and its
// traces go with the container.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "host/state/lock.hpp"
#include "ops/change/adopted_places.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// The note of a container that changes hands, for recovery.
struct AdoptNote {
  std::string name;
  std::string from;  ///< inside the root
  bool undo = false;
};
base::Json to_json(const AdoptNote& note);
/// nullopt when the note is of another operation. @throws Error(verification) for a damaged one
std::optional<AdoptNote> adopt_note(const base::Json& json);

/// One command at a time adopts or gives back. @throws Error(conflict) after `timeout`
host::ContainerLock lock_adoptions(const Context& context, std::chrono::seconds timeout);

/// Whether a directory has a repository's objects.
bool is_repository(const std::string& path);
/// A path on the disk as the root has it.
std::string path_in_root(const Context& context, const std::string& path);

/// Deployments of a container that berth made: the older tool finds nothing at the paths that they name.
std::vector<std::string> own_slots(const Context& context, const AdoptedPlaces& places, const std::string& name);
/// Removes them, before the others are given back.
void drop_own_slots(const Context& context, const AdoptedPlaces& places, const std::string& name);
/// Closes what the older tool let everybody in.
void close_slots(const Context& context, const AdoptedPlaces& places, const std::string& name);

/// Completes what an interruption left, in the direction in which it was going. The caller holds the lock.
void complete_adoption(Context& context, const AdoptNote& note);

/// What an adoption that was killed left beside its containers, unless another command is at it: the link in the place
/// of a repository that moved, the record of what was given back, names that were in use for a moment.
void tidy_adoptions(Context& context);

/// Removes the links that an adoption left in the older tool's directory for a container that is gone.
void remove_adopted_links(const Context& context, const std::string& name);

}  // namespace berth::ops
