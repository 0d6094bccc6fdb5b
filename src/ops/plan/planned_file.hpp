// SPDX-License-Identifier: LGPL-2.1-or-later
// A file of the image's exports/hostfs that an install creates on the host.
#pragma once

#include <string>

#include "host/files/host_file.hpp"

namespace berth::ops {

/// A host file, with the checksum that the deployment records for it.
struct PlannedFile {
  host::HostFile file;
  std::string checksum;  ///< SHA-256 of a file's content or a link's target, in hex; empty for directories
  bool present = false;  ///< another container created an identical one: both own it
};

}  // namespace berth::ops
