// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/package_tool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "host/files/host_file.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view dpkg_status = "/var/lib/dpkg/status";
constexpr std::array rpm_databases = {"/usr/lib/sysimage/rpm", "/var/lib/rpm"};
constexpr std::chrono::minutes work_timeout{30};  // a package may hold a whole root file system
constexpr std::chrono::milliseconds lock_pause{100};

/// Maintainer scripts and messages must not depend on the caller's environment.
base::ProcessOptions tool_options(const std::string& home, const std::stop_token& stop) {
  base::ProcessOptions options;
  options.timeout = work_timeout;
  options.stop = stop;
  options.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
                         "DEBIAN_FRONTEND=noninteractive", "HOME=" + home};
  return options;
}

std::optional<std::string> rpm_database(const std::string& root) {
  const auto directory = base::open_host_directory(root);
  for (const std::string path : rpm_databases) {
    if (host_exists(directory.get(), path)) {
      return path;
    }
  }
  return std::nullopt;
}

/// The lock that frontends of dpkg hold around several calls (dpkg's doc/frontend.txt).
base::Fd lock_dpkg(const std::string& root, std::chrono::seconds timeout, const std::stop_token& stop) {
  const auto directory = base::open_host_directory(root);
  const auto database = base::open_in_root(directory.get(), "/var/lib/dpkg", O_RDONLY | O_DIRECTORY);
  auto file = base::open_at(database.get(), "lock-frontend", O_RDWR | O_CREAT, 0640);
  const auto end = std::chrono::steady_clock::now() + timeout;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  while (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      base::throw_errno("lock the package manager");
    }
    if (stop.stop_requested()) {
      base::throw_interrupted();
    }
    if (std::chrono::steady_clock::now() >= end) {
      throw Error(ErrorKind::conflict,
                  fmt::format("another package manager has held its lock for more than {} s", timeout.count()),
                  "try again when it has finished");
    }
    std::this_thread::sleep_for(lock_pause);
  }
  return file;
}

std::string joined_lines(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    if (const auto begin = line.find_first_not_of(" \t"); begin != std::string_view::npos) {
      result += result.empty() ? "" : " ";
      result += line.substr(begin);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

void build_deb(const PackageContent& content, const std::string& output, const base::ProcessOptions& options) {
  const auto tree = base::open_host_directory(content.tree);
  base::check_errno(::mkdirat(tree.get(), "DEBIAN", 0755), "create the directory DEBIAN");
  const auto directory = base::open_directory_at(tree.get(), "DEBIAN");
  base::create_file_at(directory.get(), "control", content.text, 0644);
  if (!content.lists.empty()) {
    base::create_file_at(directory.get(), "conffiles", content.lists, 0644);
  }
  for (const auto& [name, text] : content.scripts) {
    base::create_file_at(directory.get(), name, text, 0755);
  }
  base::run_checked({"dpkg-deb", "-Zgzip", "--build", content.tree, output}, options);
}

void build_rpm(const PackageContent& content, const std::string& directory, const base::ProcessOptions& options) {
  constexpr const char* temp_directory = "rpmbuild";
  const auto place = base::open_host_directory(directory);
  base::check_errno(::mkdirat(place.get(), temp_directory, 0700), "create a directory for rpmbuild");
  const auto top = fmt::format("{}/{}", directory, temp_directory);
  base::create_file_at(base::open_directory_at(place.get(), temp_directory).get(), "package.spec", content.text, 0600);
  base::run_checked({"rpmbuild", "-bb", "--quiet", "--buildroot", content.tree, "--define", "_topdir " + top,
                     "--define", "_rpmdir " + directory, "--define",
                     fmt::format("_rpmfilename {}", package_file(PackageKind::rpm)), top + "/package.spec"},
                    options);
  base::remove_tree_at(place.get(), temp_directory);
}

}  // namespace

std::optional<PackageKind> package_kind(const Layout& layout) {
  const auto root = base::open_host_directory(layout.root());
  if (host_exists(root.get(), std::string(dpkg_status))) {
    return PackageKind::deb;
  }
  if (rpm_database(layout.root())) {
    return PackageKind::rpm;
  }
  return std::nullopt;
}

std::string_view package_file(PackageKind kind) {
  return kind == PackageKind::deb ? "package.deb" : "package.rpm";
}

PackageTool::PackageTool(const Layout& layout, PackageKind kind, std::chrono::seconds lock_timeout,
                         std::stop_token stop)
    : root_(layout.root()), kind_(kind), lock_timeout_(lock_timeout), stop_(std::move(stop)) {}

void PackageTool::build(const PackageContent& content, const std::string& directory) const {
  const auto options = tool_options(directory, stop_);
  if (kind_ == PackageKind::deb) {
    build_deb(content, fmt::format("{}/{}", directory, package_file(kind_)), options);
  } else {
    build_rpm(content, directory, options);
  }
}

std::string PackageTool::name_of(const std::string& file) const {
  return field_of(file, "${Package}", "%{NAME}");
}

std::string PackageTool::file_name_of(const std::string& file) const {
  return field_of(file, "${Package}_${Version}_${Architecture}.deb", "%{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm");
}

/// @param deb format of dpkg-deb @param rpm format of rpm
std::string PackageTool::field_of(const std::string& file, const std::string& deb, const std::string& rpm) const {
  const auto command =
      kind_ == PackageKind::deb
          ? std::vector<std::string>{"dpkg-deb", "--show", "--showformat=" + deb, file}
          : std::vector<std::string>{"rpm", "--query", "--nosignature", "--queryformat", rpm, "--package", file};
  auto name = base::run_checked(command, tool_options("/root", stop_)).output;
  name.erase(std::min(name.find('\n'), name.size()));
  const auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("+-._~").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (name.empty() || std::isalnum(static_cast<unsigned char>(name.front())) == 0 ||
      !std::all_of(name.begin(), name.end(), fits)) {
    throw Error(ErrorKind::verification, fmt::format("'{}' is not the name of a package", base::printable(name)));
  }
  return name;
}

void PackageTool::install(const std::string& file) const {
  if (kind_ == PackageKind::deb) {
    // Files below /etc that an earlier removal by berth deleted come back; edited ones stay.
    run_dpkg({"--force-confold", "--force-confmiss", "--install", file});
  } else {
    run_rpm({"--upgrade", "--oldpackage", "--replacepkgs", file});
  }
}

void PackageTool::remove(const std::string& name) const {
  if (kind_ == PackageKind::deb) {
    run_dpkg({"--force-remove-reinstreq", "--remove", name});
  } else if (has_rpm(name)) {
    run_rpm({"--erase", name});
  }
}

void PackageTool::purge(const std::string& name) const {
  if (kind_ == PackageKind::deb) {
    run_dpkg({"--force-remove-reinstreq", "--purge", name});
  } else {
    remove(name);
  }
}

void PackageTool::run_dpkg(std::vector<std::string> arguments) const {
  const auto lock = lock_dpkg(root_, lock_timeout_, stop_);
  auto options = tool_options("/root", {});  // an interrupted dpkg is worse than a late answer to Ctrl-C
  options.environment->emplace_back("DPKG_FRONTEND_LOCKED=true");
  arguments.insert(arguments.begin(), {"dpkg", "--root=" + root_});
  const auto result = base::run_process(arguments, options);
  if (result.exit_code != 0) {  // the reason is in the first lines, not the last
    throw Error(ErrorKind::failed,
                fmt::format("dpkg refused: {}", base::printable(joined_lines(result.error_output), 600)));
  }
}

std::vector<std::string> PackageTool::rpm_command() const {
  std::vector<std::string> command = {"rpm", "--root", root_};
  if (const auto database = rpm_database(root_)) {
    command.insert(command.end(), {"--dbpath", *database});
  }
  return command;
}

bool PackageTool::has_rpm(const std::string& name) const {
  auto command = rpm_command();
  command.insert(command.end(), {"--query", "--quiet", name});
  return base::run_process(command, tool_options("/root", {})).exit_code == 0;
}

void PackageTool::run_rpm(std::vector<std::string> arguments) const {
  auto command = rpm_command();
  command.insert(command.end(), arguments.begin(), arguments.end());
  base::run_checked(command, tool_options("/root", {}));
}

}  // namespace berth::host
