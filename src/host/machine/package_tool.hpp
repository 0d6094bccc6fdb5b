// The package manager of the host: makes packages and has them installed and removed.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "host/layout.hpp"

namespace berth::host {

enum class PackageKind { deb, rpm };

/// The kind that the root's package database is of; nullopt when it has none.
std::optional<PackageKind> package_kind(const Layout& layout);

/// `package.deb` or `package.rpm`, the file that a deployment keeps its package in.
std::string_view package_file(PackageKind kind);

/// What a package is made of.
struct PackageContent {
  std::string tree;   ///< directory that holds the files as they will be below the root; used up
  std::string text;   ///< deb: DEBIAN/control; rpm: the spec
  std::string lists;  ///< deb: DEBIAN/conffiles; empty for none
  std::map<std::string, std::string> scripts{};  ///< deb: programs in DEBIAN by name
};

class PackageTool {
 public:
  /// @param lock_timeout how long another package manager that is at work is waited for
  PackageTool(const Layout& layout, PackageKind kind, std::chrono::seconds lock_timeout, std::stop_token stop);

  /// Makes a package with dpkg-deb or rpmbuild. @param directory absolute; gets package_file(kind)
  /// @throws Error(failed) with what the tool said, Error(not_found) when it is not installed
  void build(const PackageContent& content, const std::string& directory) const;
  /// The name of the package in a file, which is fit to be given to the package manager.
  [[nodiscard]] std::string name_of(const std::string& file) const;
  /// What a package file is usually called: name, version and architecture.
  [[nodiscard]] std::string file_name_of(const std::string& file) const;
  /// Installs a package file, over any other version of it. Files that somebody edited below /etc stay.
  void install(const std::string& file) const;
  /// Removes a package, except that files below /etc may stay on a Debian host: purge() forgets those.
  /// Not an error when it is not installed.
  void remove(const std::string& name) const;
  /// Removes everything of a package, whatever state it is in.
  void purge(const std::string& name) const;

 private:
  [[nodiscard]] std::string field_of(const std::string& file, const std::string& deb, const std::string& rpm) const;
  void run_dpkg(std::vector<std::string> arguments) const;
  void run_rpm(std::vector<std::string> arguments) const;
  [[nodiscard]] bool has_rpm(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> rpm_command() const;

  std::string root_;
  PackageKind kind_;
  std::chrono::seconds lock_timeout_;
  std::stop_token stop_;
};

}  // namespace berth::host
