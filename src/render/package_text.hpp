// Descriptions of a package that holds the host files of an image: a Debian control file and an RPM spec.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "render/template/values.hpp"

namespace berth::render {

/// The remedy where something cannot be packaged.
inline constexpr const char* copy_instead = "use --system-package=no: the files are copied to the host directly";

/// What a package manager is told about a package. No member holds a line break but `description`.
struct PackageDescription {
  std::string name;  ///< `atomic-container-NAME`
  std::string version;
  std::string release;
  std::string summary;
  std::string description;
  std::string license;
  std::string url;
  std::string requirements;  ///< in the package manager's own words, separated by commas
  std::string provides;
  std::string conflicts;
  std::string recommendation;  ///< name of a package that makes sense beside it
  std::string architecture;    ///< as OCI images name it: amd64, arm64; empty for any
};

/// One file of a package.
struct PackagedFile {
  std::string path;  ///< absolute
  bool directory = false;
  bool configuration = false;  ///< an administrator may edit it: what is below /etc
};

/// The unit that a package brings.
struct PackagedService {
  std::string unit;       ///< `NAME.service`; empty for none
  std::string tmpfiles;   ///< `NAME.conf`; empty for none
  std::string hidden_by;  ///< while this link exists another unit of that name is in use, which is left alone
};

/// The name of the package of a container. Letters that a Debian package name cannot have become `-`.
std::string package_name(std::string_view container);

/// From the labels `summary`, `description`, `version`, `release`, `license`, `url`, `requires`, `provides` and
/// `conflicts`, each also with `atomic.` before it, which wins.
/// @param created epoch seconds; the version of an image without one
/// @param image_id hex; the release of an image without one, so that a list of packages tells images apart
PackageDescription describe_package(std::string_view container, const std::map<std::string, std::string>& labels,
                                    const std::string& image, const std::string& architecture, std::int64_t created,
                                    std::string_view image_id = {});

/// Text of DEBIAN/control (deb-control(5)). @param maintainer who made the package
std::string deb_control(const PackageDescription& package, std::string_view maintainer);
/// Text of DEBIAN/conffiles (deb-conffiles(5)); empty when there are none.
/// @throws Error(verification) naming a path with a control character, which no list of dpkg can hold
std::string deb_conffiles(const std::vector<PackagedFile>& files);
/// A spec for rpmbuild of files that are in the build root already (rpm-spec(7)). Macros in texts of the image are made
/// harmless. @throws Error(verification) naming a path that cannot stand in a spec
std::string rpm_spec(const PackageDescription& package, const std::vector<PackagedFile>& files);

/// Maintainer scripts (deb-postinst(5) and the like) by name: have systemd know the unit and make its directories,
/// restart it when another version takes over, and stop it before it goes. It is started by the boot, or by whoever
/// wants it.
std::map<std::string, std::string> deb_scripts(const PackagedService& service);
/// The same as sections of a spec.
std::string rpm_scripts(const PackagedService& service);

}  // namespace berth::render
