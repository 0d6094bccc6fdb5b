// SPDX-License-Identifier: LGPL-2.1-or-later
// Volumes whose host directories berth chooses. They are moved when that directory changes, filled when they are new,
// and not accessible to other users.
#pragma once

#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"
#include "ops/journal_record.hpp"
#include "ops/plan/install_plan.hpp"

namespace berth::ops {

/// Checks whether volumes that an earlier version installed can be renamed into today's directory. They cannot when a
/// file system is mounted there, when a link leads there, or when the new directory is not empty.
/// @return the directory in which they stay; empty when they can be moved
std::string staying_volume_directory(const Context& context, const host::Deployment& before);

/// Finds the volumes that move when a deployment is replaced: those whose mount destination is the same and whose host
/// directory differs.
/// @param before the deployment that is replaced
/// @param config text of the new deployment's config.json
/// @param info of the new deployment
/// @throws Error(conflict) when a volume cannot be moved
std::vector<RecordedMove> volume_moves(const Context& context, const host::Deployment& before,
                                       const std::string& config, const host::DeploymentInfo& info);

/// @return volumes of a plan that do not exist yet and for which the image has files
std::vector<RecordedFill> volumes_to_fill(const Context& context, const InstallPlan& plan,
                                          const std::vector<RecordedMove>& moves);

/// Moves a volume with one rename.
void move_volume(const Context& context, const RecordedMove& move);
/// Reverts move_volume, if it was done.
void move_volume_back(const Context& context, const RecordedMove& move);
/// Removes the directories that moves left empty; failures are ignored.
void remove_left_directories(const Context& context, const std::vector<RecordedMove>& moves) noexcept;

/// Creates a volume with the files that the image has at its destination, durably, with one rename at the end.
/// @param rootfs descriptor of the root file system of the image
void fill_volume(const Context& context, const RecordedFill& fill, int rootfs);
/// Reverts fill_volume, whether it was done completely, partly, or not at all.
void remove_filled_volume(const Context& context, const RecordedFill& fill);

/// Warns about data of an earlier installation that an install does not use.
void report_former_volumes(const Context& context, const InstallPlan& plan);

/// Removes the access of other users to volumes that were installed by versions of berth which left them open, when the
/// directory that contains them contains nothing else. Failures are warnings.
void close_former_volumes(const Context& context);

}  // namespace berth::ops
