// SPDX-License-Identifier: LGPL-2.1-or-later
// Checks of config.json, of hostfs and of the image configuration for the author of an image.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/finding.hpp"
#include "base/json_fwd.hpp"
#include "image/manifest.hpp"
#include "render/exports/exports.hpp"
#include "render/template/values.hpp"

namespace berth::render {

/// Reports files, directories and links of hostfs that endanger the host. @param values of the templates
base::Findings check_host_files(const Exports& exports, const Values& values);

/// What check_config_needs compares a finished config.json with.
struct ConfigNeeds {
  std::string_view text;  ///< the document's own text, to find line numbers in
  std::string_view file;  ///< its name
  int rootfs = -1;        ///< descriptor of the image's root file system; -1 when there is only /exports
  /// Whether a host path exists on every host, or is created by the image's units or tmpfiles.d lines.
  std::function<bool(const std::string&)> is_made;
  std::string_view unit = {};  ///< rendered
  bool is_service = true;      ///< false for an image that is run once
};

/// Reports what a finished config.json needs and the image or the host may lack.
base::Findings check_config_needs(const base::Json& config, const ConfigNeeds& needs);

/// Reports missing labels of the image configuration that berth shows or uses.
base::Findings check_labels(const image::ImageConfig& config);

}  // namespace berth::render
