// SPDX-License-Identifier: LGPL-2.1-or-later
// config.json for an image that has none, from its OCI image configuration.
#pragma once

#include <string>
#include <vector>

#include "image/manifest.hpp"
#include "render/spec/host_features.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// Makes the text of config.json from an OCI image configuration (docs/system-containers.md, "Default configuration"):
/// arguments, environment, user resolved against the root file system's own passwd and group (never the host's),
/// working directory, volumes as bind mounts (volumes.hpp), host network, the host's /etc/resolv.conf and /etc/hosts,
/// default capabilities. /tmp, /run, /var/tmp and /var/cache are tmpfs. There are no rlimits: those of the unit apply.
/// Missing mount points and a missing working directory are created by the runtime inside the checkout, as empty files
/// and directories; objects shared with the repository are not touched by that.
/// @param rootfs descriptor of the checked-out root file system
/// @throws Error(failed) "no command specified", unknown user …
std::string generate_config(const image::ImageConfig& image, int rootfs, const Values& values,
                            const HostFeatures& features = {});

/// One message for each entry of the image's environment that is not a variable, and therefore not in a generated
/// config.json.
std::vector<std::string> ignored_environment(const image::ImageConfig& image);

}  // namespace berth::render
