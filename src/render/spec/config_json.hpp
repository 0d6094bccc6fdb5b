// config.json of a deployment: checked, brought up to date, or made from the image configuration.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "image/manifest.hpp"
#include "render/spec/host_features.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// A finished config.json.
struct RuntimeConfig {
  std::string text;  ///< exactly what is written; untouched input stays byte for byte
  base::Json document;
  std::vector<std::string> conversions;  ///< one sentence each, e.g. "capabilities list converted to sets"
  bool notifies_itself = false;  ///< the payload uses the host's socket; the runtime must not know of NOTIFY_SOCKET
};

/// Brings a rendered config.json to OCI runtime-spec 1.0.2 (contract, section 9) and checks it.
/// A missing linux.cgroupsPath becomes `cgroups_path` (not reported as a conversion).
/// @param remote_rootfs absolute path for --rootfs; empty: root.path must be `rootfs`
/// @throws Error when root is not read-only, unless it may be written, or root.path is another
RuntimeConfig finish_config(std::string_view text, std::string_view file, const HostFeatures& features,
                            const std::string& cgroups_path, const std::string& remote_rootfs = {});

/// Makes config.json text for an image without one from its OCI configuration (contract, section 6): arguments,
/// environment, user resolved against rootfs's own passwd and group (never the host's), working directory, volumes as
/// binds (volumes.hpp), host network, /etc/resolv.conf and /etc/hosts of the host, default capabilities.
/// /tmp, /run, /var/tmp and /var/cache are tmpfs. There are no rlimits: those of the unit hold. Mount points and a
/// working directory that the image lacks are made by the runtime inside the checkout, as empty files and directories;
/// nothing shared with the repository is touched by that.
/// @param rootfs descriptor of the checked-out root file system
/// @throws Error(failed) "no command specified", unknown user …
std::string generate_config(const image::ImageConfig& image, int rootfs, const Values& values,
                            const HostFeatures& features = {});

/// What a generated config.json lacks of the image configuration, one sentence each: entries of its environment that
/// are no variables.
std::vector<std::string> left_out_of_generated(const image::ImageConfig& image);

/// Host paths that bind mounts of a final config.json use as sources, in order.
std::vector<std::string> bind_sources(const base::Json& config);

}  // namespace berth::render
