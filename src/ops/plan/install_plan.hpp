// What an install will do, as data, and what it is made of.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/finding.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/layout.hpp"
#include "host/machine/facts.hpp"
#include "host/machine/package_tool.hpp"
#include "host/state/deployment.hpp"
#include "ops/plan/shared_host_files.hpp"
#include "render/exports/exports.hpp"
#include "render/spec/config_json.hpp"
#include "render/spec/volumes.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

/// A hostfs entry that goes to the host, with the checksum it will be recorded with.
struct PlannedFile {
  host::HostFile file;
  std::string checksum;  ///< sha256 hex of a file's content or a link's target; empty for directories
  bool present = false;  ///< another container made it, just as this one wants it: it belongs to both
};

/// A package to be made of the host files.
struct PlannedPackage {
  host::PackageKind kind = host::PackageKind::deb;
  std::string name;
  std::string text;    ///< control file, or spec
  std::string lists;   ///< of a control file: the names of its configuration files
  bool ready = false;  ///< the image brings the package itself, as exports/container.rpm
};

struct InstallPlan {
  std::string name;
  int slot = 0;
  std::string deployment;  ///< DESTDIR, as the booted host sees it
  std::string image;       ///< canonical image name
  std::string image_id;
  std::string commit;
  std::string runtime;  ///< absolute path, inside the root
  render::Values values;
  std::string config;        ///< text of config.json; empty for an image that only brings host files
  std::string cgroups_path;  ///< linux.cgroupsPath that berth chooses when config.json says none
  std::vector<std::string> conversions;
  std::optional<std::string> unit;           ///< none with noContainerService
  std::optional<std::string> tmpfiles;       ///< none when there would be no line in it
  std::vector<PlannedFile> files;            ///< directories before what is in them
  std::optional<PlannedPackage> package;     ///< holds the files
  std::size_t left_out_files = 0;            ///< entries of hostfs that are not for users' containers
  std::vector<std::string> kept_files;       ///< host files that exist already and stay as they are
  std::vector<std::string> tmpfiles_paths;   ///< paths that do not exist now and that the tmpfiles lines will make
  std::vector<render::Volume> volumes;       ///< of a config.json that was generated
  base::Findings findings;                   ///< what will not work, or is open to others on this host
  std::vector<std::string> privileges;       ///< what the container may do that is powerful
  std::vector<std::string> host_privileges;  ///< those of them that make it as mighty as root on this host
  host::DeploymentInfo info;
};

/// What belongs to the deployment that the planned one replaces, and so is free for it.
struct ReusablePaths {
  std::set<std::string> host_files;      ///< recorded, and still what was recorded; recorded directories
  std::set<std::string> tmpfiles_paths;  ///< its tmpfiles.d lines make them
};

/// Everything a plan depends on. The functions answer questions about the host and the checked-out image.
struct PlanInputs {
  std::string name;
  std::string value_of_name;  ///< what $NAME is; empty: `name`
  int slot = 0;
  std::string image;
  std::string image_id;
  std::string commit;
  std::string remote_rootfs;  ///< --rootfs, absolute inside the root; empty: the deployment's own
  std::int64_t created = 0;   ///< epoch seconds, for info
  const image::ImageConfig* image_config = nullptr;
  const render::Exports* exports = nullptr;
  std::string default_service_template;
  render::Values set;  ///< --set
  std::string uuid;
  host::Runtime runtime;
  const host::Facts* facts = nullptr;
  render::HostFeatures features;
  const host::Layout* layout = nullptr;
  std::string system_package = "no";              ///< yes, no, or auto: if the image asks for it
  std::optional<host::PackageKind> package_kind;  ///< of this host
  bool local = false;                             ///< the image came from a layout or archive
  bool one_off = false;                           ///< it is run, not installed
  bool preview = false;                           ///< it is looked at by its author, who is told of all that is wrong
  bool for_package = false;                       ///< host files go elsewhere: those of this host are not in the way
  ReusablePaths replaced;
  std::string volume_directory;  ///< where the volumes are and have to stay; empty: where they belong
  OthersFiles others;
  std::function<bool(const std::string&)> host_exists;
  std::function<bool(const PlannedFile&)> is_there;           ///< whether the host has just what is planned
  std::function<std::string(const std::string&)> host_place;  ///< a host path with its links followed
  /// Owner of an existing directory of the host; nullopt when there is none. Throws for one that root cannot reach
  /// safely.
  std::function<std::optional<uid_t>(const std::string&)> directory_owner;
  std::function<std::string(const render::HostEntry&)> read_entry;      ///< text of a hostfs file, for templates
  std::function<std::string(const render::HostEntry&)> entry_checksum;  ///< sha256 hex of a hostfs file
  /// config.json for an image without one, and its volumes.
  std::function<std::string(const render::Values&, const render::HostFeatures&)> generate_config;
  std::function<std::vector<render::Volume>(const std::string& directory)> volumes;
  /// What is at a host path, links followed; nullopt when nothing is. May be empty: nothing is known.
  std::function<std::optional<struct stat>(const std::string&)> host_status;
  std::function<std::vector<std::string>()> stream_links;  ///< see render::stream_links; may be empty
};

/// The member of an info document with InstallPlan::privileges.
inline constexpr const char* privileges_key = "privileges";

}  // namespace berth::ops
