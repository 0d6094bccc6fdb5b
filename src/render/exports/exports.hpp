// SPDX-License-Identifier: LGPL-2.1-or-later
// The directory /exports of an image, read by descriptor without following any link out of the image.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/json.hpp"
#include "base/reporter.hpp"
#include "render/exports/health_check.hpp"
#include "render/template/values.hpp"

namespace berth::render {

inline constexpr std::uint64_t template_size_limit = 1U << 20U;  ///< bytes of each file in /exports

/// manifest.json (docs/system-containers.md, "manifest.json").
struct ExportsManifest {
  std::string version;
  Values default_values;
  std::vector<std::string> installed_files_template;
  std::map<std::string, std::string> rename_files;
  bool no_container_service = false;
  bool use_links = true;
  std::optional<HealthCheck> health_check;
  base::Json document = base::Json::object();  ///< as read, unknown keys included
};

enum class HostEntryKind { file, directory, link };

/// One entry below exports/hostfs.
struct HostEntry {
  std::string path;  ///< relative to hostfs, e.g. `usr/local/bin/x`
  HostEntryKind kind = HostEntryKind::file;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string link_target;       ///< for links
  bool empty_directory = false;  ///< empty directories are created and recorded, others only as parents
  bool has_capability = false;   ///< a security.capability attribute
};

/// The contents of /exports that an install uses.
struct Exports {
  bool present = false;                        ///< whether the image has /exports
  std::optional<std::string> config;           ///< config.json, used unchanged
  std::optional<std::string> config_template;  ///< only when there is no config.json
  std::optional<std::string> service_template;
  std::optional<std::string> tmpfiles_template;
  std::optional<std::string> rpm_spec;           ///< rpm.spec, used unchanged
  std::optional<std::string> rpm_spec_template;  ///< only when there is no rpm.spec
  bool container_rpm = false;                    ///< whether the image has a package of its own
  ExportsManifest manifest;
  std::vector<HostEntry> host_entries;  ///< parents before children
};

/// Opens the directory /exports of a root file system. @return an empty Fd without one @throws Error when it is a link
base::Fd open_exports(int rootfs);

/// Called with the reason for each part that cannot be used.
using ExportsFault = std::function<void(const base::Error&)>;

/// Reads an exports directory. hostfs and the named files must not be symbolic links; links inside hostfs are entries
/// themselves. hostfs has at most 100,000 entries and is at most 64 directories deep.
/// @param directory descriptor of /exports; without one (-1) the image has none
/// @param fault called for each part that cannot be used and is left out; without it the first error is thrown
/// @throws Error naming the file below /exports, the key and the reason
Exports read_exports(int directory, base::Reporter& reporter, const ExportsFault& fault = {});

/// Content of a hostfs file (for installedFilesTemplate). @param directory descriptor of /exports @param limit bytes
std::string read_host_entry(int directory, const HostEntry& entry, std::uint64_t limit);

/// Descriptor of a hostfs file, opened for reading without following links. @param directory descriptor of /exports
base::Fd open_host_entry(int directory, const HostEntry& entry);

/// Descriptor of container.rpm in the directory /exports, opened like open_host_entry.
base::Fd open_container_rpm(int directory);

/// Parses manifest.json. Unknown keys are kept, with a warning. @throws Error(verification) naming the key
ExportsManifest parse_exports_manifest(std::string_view text, base::Reporter& reporter);

/// Destination on the host of a hostfs path: renameFiles applied (exact file, else the longest directory prefix),
/// variables substituted. @return absolute path without `.`/`..` components @throws Error
std::string host_destination(const std::string& hostfs_path, const ExportsManifest& manifest, const Values& values);

/// Checks that no two entries have the same destination (directories may).
/// @throws Error(verification) naming both
void check_destinations(const std::vector<HostEntry>& entries, const ExportsManifest& manifest, const Values& values);

}  // namespace berth::render
