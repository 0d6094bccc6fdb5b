// What the version of an OCI runtime says about it: whether berth can use it, and what it is known to let out.
#pragma once

#include <string>
#include <vector>

namespace berth::host {

/// @param version as in Runtime::version, e.g. "runc 1.0.0-rc10"
/// @return the least version that berth can use ("1.0.0") when this one is older; empty when it is new enough, or a
/// program or a version that berth does not know
std::string newer_runtime_needed(const std::string& version);

/// Ways out of a container that releases like this one have, e.g. "CVE-2024-21626, closed by runc 1.1.12". Versions
/// with the mark of a distribution ("1.1.5+ds1") are not judged: its corrections do not change the number.
std::vector<std::string> known_escapes(const std::string& version);

/// Whether a runtime takes a relative linux.cgroupsPath as a sibling of the control group that it is started in.
/// @param version empty for one that is not asked, as those of another root: then its name says what it is
bool takes_relative_cgroup(const std::string& version, const std::string& path);

}  // namespace berth::host
