// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptions of a package that holds the host files of an image: a Debian control file and an RPM spec.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "render/template/values.hpp"

namespace berth::render {

/// The remedy when files cannot be packaged.
inline constexpr const char* copy_instead = "use --system-package=no: the files are copied to the host directly";

/// The metadata of a package. Only `description` contains line breaks.
struct PackageDescription {
  std::string name;  ///< `atomic-container-NAME`
  std::string version;
  std::string release;
  std::string summary;
  std::string description;
  std::string license;
  std::string url;
  std::string requirements;  ///< in the syntax of the package manager, separated by commas
  std::string provides;
  std::string conflicts;
  std::string recommendation;  ///< name of a recommended package
  std::string architecture;    ///< OCI name: amd64, arm64; empty for any
};

/// One file of a package.
struct PackagedFile {
  std::string path;  ///< absolute
  bool directory = false;
  bool configuration = false;  ///< below /etc, so that an administrator may edit it
};

/// The unit of a package.
struct PackagedService {
  std::string unit;      ///< `NAME.service`; empty for none
  std::string tmpfiles;  ///< `NAME.conf`; empty for none
  std::string
      hidden_by;  ///< while this link exists another unit of that name is in use, which the scripts do not touch
};

/// The name of the package of a container. Characters that Debian does not allow become `-`.
std::string package_name(std::string_view container);

/// Describes a package by the labels `summary`, `description`, `version`, `release`, `license`, `url`, `requires`,
/// `provides` and `conflicts`, each also with the prefix `atomic.`, which takes precedence.
/// @param created epoch seconds; the version of an image without one
/// @param image_id hex; the release of an image without one, so that the packages of different images differ
PackageDescription describe_package(std::string_view container, const std::map<std::string, std::string>& labels,
                                    const std::string& image, const std::string& architecture, std::int64_t created,
                                    std::string_view image_id = {});

/// Text of DEBIAN/control (deb-control(5)). @param maintainer who made the package
std::string deb_control(const PackageDescription& package, std::string_view maintainer);
/// Text of DEBIAN/conffiles (deb-conffiles(5)); empty without such files.
/// @throws Error(verification) naming a path with a control character, which dpkg cannot record
std::string deb_conffiles(const std::vector<PackagedFile>& files);
/// A spec for rpmbuild of files that are in the build root already (rpm-spec(7)). Macros in texts of the image are
/// neutralized. @throws Error(verification) naming a path that a spec cannot contain
std::string rpm_spec(const PackageDescription& package, const std::vector<PackagedFile>& files);

/// Maintainer scripts (deb-postinst(5) and the like) by name: reload systemd and create the unit's directories, restart
/// it after an upgrade, and stop it before its removal. They do not start it: the next boot does, or the administrator.
std::map<std::string, std::string> deb_scripts(const PackagedService& service);
/// The same scripts as sections of a spec.
std::string rpm_scripts(const PackagedService& service);

}  // namespace berth::render
