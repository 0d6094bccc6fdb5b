// SPDX-License-Identifier: LGPL-2.1-or-later
// Creates small images as OCI layouts, as other tools write them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/manifest.hpp"

namespace berth::test {

/// A file of a layer; a name that ends with `/` is a directory.
struct LayerFile {
  std::string name;
  std::string content;
  unsigned mode = 0644;
  std::string link_target;  ///< of a symbolic link; empty for a file
  unsigned owner = 0;
};

struct ImageSpec {
  std::vector<LayerFile> files;
  std::string config = "{}";  ///< the `config` member of the image configuration
  std::string architecture = image::host_platform().architecture;
};

/// Writes an OCI layout with one uncompressed layer to the new directory `path`.
void write_oci_layout(const std::string& path, const ImageSpec& spec);

}  // namespace berth::test
