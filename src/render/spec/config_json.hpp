// SPDX-License-Identifier: LGPL-2.1-or-later
// config.json of a deployment: checked and brought up to date.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "render/spec/host_features.hpp"

namespace berth::render {

/// A finished config.json.
struct RuntimeConfig {
  std::string text;  ///< the text to write; unconverted input stays byte for byte
  base::Json document;
  std::vector<std::string> conversions;  ///< one message each, e.g. "capabilities list converted to sets"
  /// The payload uses systemd's own notification socket; the runtime must not get NOTIFY_SOCKET (sd_notify(3)).
  bool notifies_itself = false;
};

/// Converts a rendered config.json to OCI runtime-spec 1.0.2 (docs/system-containers.md, "Old configurations") and
/// checks it. A missing linux.cgroupsPath becomes `cgroups_path`, which is not reported as a conversion.
/// @param remote_rootfs absolute path for --rootfs; empty: root.path must be `rootfs`
/// @throws Error(verification) for an invalid document, a root that is writable without features.writable_root, or
///   another root.path
RuntimeConfig finish_config(std::string_view text, std::string_view file, const HostFeatures& features,
                            const std::string& cgroups_path, const std::string& remote_rootfs = {});

}  // namespace berth::render
