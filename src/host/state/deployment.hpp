// SPDX-License-Identifier: LGPL-2.1-or-later
// Installed containers on disk: links, deployment directories and info files (docs/system-containers.md, "Deployments
// on disk").
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/reporter.hpp"
#include "host/layout.hpp"

namespace berth::host {

/// Limit in bytes of a stored unit, tmpfiles.d file or config.json.
inline constexpr std::uint64_t deployment_text_limit = 4U << 20U;

/// The `info` file. Missing keys have these defaults; unknown keys are kept in `document`.
struct DeploymentInfo {
  std::string image;
  std::string revision;  ///< image id
  std::string ostree_commit;
  std::int64_t created = 0;  ///< epoch seconds
  std::map<std::string, std::string, std::less<>> values;
  bool has_container_service = true;
  std::vector<std::string> installed_files;                     ///< absolute host paths, in order of creation
  std::map<std::string, std::string> installed_files_checksum;  ///< path → sha256 hex
  std::vector<std::string> installed_files_template;
  std::map<std::string, std::string> rename_installed_files;
  bool rpm_installed = false;
  std::string system_package = "no";
  std::string package;  ///< name of the package that holds the host files; empty when berth copied them
  std::string remote;   ///< path of a remote rootfs; empty when the rootfs is a checkout
  bool use_links = true;
  std::string runtime;
  bool local = false;                 ///< the image came from a layout or archive: no registry is queried for updates
  base::Json health_check = nullptr;  ///< `healthCheck` of berth-exports(5), or null
  base::Json document = base::Json::object();
};

/// @throws Error(verification) naming `document` and the key
DeploymentInfo parse_info(std::string_view text, std::string_view document);
/// As parse_info, but sets only the members of the keys `wanted`, and stops parsing after the last of them. The result
/// must not be written back.
DeploymentInfo parse_info_summary(std::string_view text, std::string_view document,
                                  std::span<const std::string_view> wanted);
/// Pretty-printed JSON with a final newline: known keys, then the unknown ones of `document`.
std::string write_info(const DeploymentInfo& info);

/// One installed container.
struct Deployment {
  std::string name;
  int slot = 0;
  std::string path;  ///< as this process opens it
  bool preinstalled = false;
  DeploymentInfo info;
};

/// A container whose link or info file cannot be read; lists show it too.
struct BrokenDeployment {
  std::string name;
  std::string reason;
};

struct DeploymentList {
  std::vector<Deployment> deployments;  ///< sorted by name
  std::vector<BrokenDeployment> broken;
};

/// The slot of a container's link (NAME -> NAME.0 or NAME.1); nullopt when there is no such link.
std::optional<int> current_slot(const Layout& layout, const std::string& name);
/// `NAME.SLOT`, the directory of a deployment below the deployments.
std::string slot_name(const std::string& name, int slot);
/// The recorded sha256 (hex) of an installed file; empty for directories and when none is recorded.
std::string recorded_checksum(const DeploymentInfo& info, const std::string& path);
/// @return nullopt when it is not installed. @throws Error when its link or info file is broken
std::optional<Deployment> find_deployment(const Layout& layout, const std::string& name);
/// Whether a preinstalled container has that name, also when an installed one hides it.
bool is_preinstalled(const Layout& layout, const std::string& name);
/// As find_deployment. @throws Error(not_found) when it is not installed
Deployment installed_deployment(const Layout& layout, const std::string& name);
/// Throws Error(not_found).
[[noreturn]] void throw_not_installed(const std::string& name);
DeploymentList list_deployments(const Layout& layout);
/// As list_deployments, with infos as of parse_info_summary.
DeploymentList list_summaries(const Layout& layout, std::span<const std::string_view> wanted);
/// Refuses a name whose paths are taken: a deployment `foo.0` of the container `foo` and a container `foo.0` need the
/// same path. @throws Error(conflict)
void refuse_name_conflict(const Layout& layout, const std::string& name);

/// Creates the directory of deployments, 0700, with its parents.
/// @return what was created, outermost first, as absolute paths. @throws Error
std::vector<std::string> make_deployments_directory(const Layout& layout);

}  // namespace berth::host
