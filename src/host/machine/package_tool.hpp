// SPDX-License-Identifier: LGPL-2.1-or-later
// The package manager of the host: builds, installs and removes packages.
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

/// The kind of the root's package database; nullopt when there is no database.
std::optional<PackageKind> package_kind(const Layout& layout);

/// `package.deb` or `package.rpm`, the name of the package in a deployment.
std::string_view package_file(PackageKind kind);

/// The parts of a package to be built.
struct PackageContent {
  std::string tree;   ///< directory with the files as they will be below the root; build() changes it
  std::string text;   ///< deb: DEBIAN/control; rpm: the spec
  std::string lists;  ///< deb: DEBIAN/conffiles; empty without any
  std::map<std::string, std::string> scripts{};  ///< deb: maintainer scripts by name
};

class PackageTool {
 public:
  /// @param lock_timeout how long to wait for another package manager
  PackageTool(const Layout& layout, PackageKind kind, std::chrono::seconds lock_timeout, std::stop_token stop);

  /// Builds a package with dpkg-deb or rpmbuild. @param directory absolute; package_file(kind) is written there
  /// @throws Error(failed) with the error output of the tool, Error(not_found) when it is not installed
  void build(const PackageContent& content, const std::string& directory) const;
  /// The name of the package in a file. @throws Error(verification) when it is not a valid name
  [[nodiscard]] std::string name_of(const std::string& file) const;
  /// The usual name of a package file: name, version and architecture of the package.
  [[nodiscard]] std::string file_name_of(const std::string& file) const;
  /// Installs a package file, replacing any other version. Edited files below /etc are kept.
  void install(const std::string& file) const;
  /// Removes a package, if it is installed. On a Debian host files below /etc may stay; purge() removes those.
  void remove(const std::string& name) const;
  /// Removes a package and its configuration files, whatever state it is in.
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
