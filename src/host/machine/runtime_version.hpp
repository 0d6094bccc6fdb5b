// SPDX-License-Identifier: LGPL-2.1-or-later
// Conclusions from the version of an OCI runtime: whether berth can use it, and which container escapes it has.
#pragma once

#include <string>
#include <vector>

namespace berth::host {

/// @param version as in Runtime::version, e.g. "runc 1.0.0-rc10"
/// @return the oldest version that berth supports ("1.0.0") when this one is older; empty when it is new enough, or
/// when berth does not know the program or the form of its version
std::string newer_runtime_needed(const std::string& version);

/// Known container escapes of this release, e.g. "CVE-2024-21626, closed by runc 1.1.12". None are reported for
/// versions of a distribution ("1.1.5+ds1"), which fixes them without changing the number.
std::vector<std::string> known_escapes(const std::string& version);

/// Whether a runtime takes a relative linux.cgroupsPath as a sibling of the control group that it is started in.
/// @param version empty for a runtime of another root, which is not queried: then its name decides
bool takes_relative_cgroup(const std::string& version, const std::string& path);

}  // namespace berth::host
