// The volumes that berth finds a place for: moved along when that place changes, filled when they are new, and closed
// to others.
#pragma once

#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Where the volumes of a deployment have to stay, because they cannot be renamed to where they belong: a file system
/// is mounted there, a link leads there, or something is in the new place. Empty when nothing keeps them.
std::string staying_volume_directory(const Context& context, const host::Deployment& before);

/// The directories that follow when the deployment in `directory` is replaced: volumes of one destination, in the
/// former place and in the one they belong to. @param config text of the config.json that takes over
/// @throws Error(conflict) when one has to be moved and cannot be
std::vector<NotedMove> volume_moves(const Context& context, const host::Deployment& before, const std::string& config,
                                    const host::DeploymentInfo& info);

/// Volumes of a plan that do not exist yet and for which the image has something.
std::vector<NotedFill> volumes_to_fill(const Context& context, const InstallPlan& plan,
                                       const std::vector<NotedMove>& moves);

/// Moves a volume by one rename, or takes that back; nothing happens when it was not done.
void move_volume(const Context& context, const NotedMove& move);
void move_volume_back(const Context& context, const NotedMove& move);
/// Removes the directories that moves left empty. Cannot fail.
void remove_left_directories(const Context& context, const std::vector<NotedMove>& moves) noexcept;

/// Makes a volume with what the image has there, durably and by one rename, or takes that back.
/// @param rootfs descriptor of the root file system of the image
void fill_volume(const Context& context, const NotedFill& fill, int rootfs);
void remove_filled_volume(const Context& context, const NotedFill& fill);

/// Says of an install where data of an earlier one are that it does not use.
void report_former_volumes(const Context& context, const InstallPlan& plan);

/// Keeps others out of the volumes that were installed by versions which left them open, as long as the directory
/// around them holds nothing else. What cannot be closed is a warning.
void close_former_volumes(const Context& context);

}  // namespace berth::ops
