// Nobody but root, or the user whose containers they are, reaches files of images.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/json.hpp"
#include "ops/session.hpp"

namespace berth::ops {

/// Closes what others can enter: the folder of deployments with all that is in it, the repository, and preinstalled
/// containers, as earlier versions and other tools made them. Objects that could be changed are examined from then on
/// before they are deployed (store/private_mark.hpp). What cannot be closed is a warning, for nothing else may wait for
/// it. A few fstat(2) when all is closed; to be called before anything else is done.
void close_places(Session& session);

/// The group of the host that passes for root in a container with a user namespace of its own, from its config.json;
/// nullopt without one, and when that is root's.
std::optional<gid_t> passing_group(const base::Json& config);

/// Closes a deployment that comes from elsewhere, as far as its own config.json allows. @param name of its folder
void close_deployment(const Session& session, int deployments, const std::string& name);

/// Lets the container of a deployment reach its root file system: makes `folder`, its place, 0700, or 0710 with the
/// group that passes, and lets that group through the folder of deployments. @param config its config.json
void let_container_pass(const Session& session, int folder, const base::Json& config);

}  // namespace berth::ops
