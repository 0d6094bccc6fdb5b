// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/exports.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/shown_text.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;
using base::Fd;

constexpr int read_flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
constexpr std::size_t host_entry_limit = 100'000;
constexpr std::size_t host_depth_limit = 64;
constexpr std::size_t path_length_limit = 4095;

std::string_view kind_of(mode_t mode) {
  if (S_ISLNK(mode)) {
    return "a symbolic link";
  }
  if (S_ISDIR(mode)) {
    return "a directory";
  }
  return S_ISREG(mode) ? "a file" : "a special file";
}

/// Opens a directory of the image; nullopt when it does not exist. Links are refused, because they could lead to the
/// host.
std::optional<Fd> open_real_directory(int parent, const std::string& name, std::string_view shown) {
  const auto status = base::stat_at(parent, name);
  if (!status) {
    return std::nullopt;
  }
  if (!S_ISDIR(status->st_mode)) {
    throw Error(ErrorKind::verification,
                fmt::format("{} in the image is {}, not a directory", shown, kind_of(status->st_mode)),
                "berth does not follow links out of /exports; the image must bring a real directory");
  }
  return base::open_directory_at(parent, name);
}

/// Text files of /exports must read the same for every program.
void refuse_binary(std::string_view text, std::string_view shown) {
  if (text.find('\0') != std::string_view::npos) {
    throw Error(ErrorKind::verification, fmt::format("{} contains a NUL byte, so it is not a text file", shown),
                "correct that file of the image");
  }
  if (text.starts_with("\xef\xbb\xbf") || text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    throw Error(ErrorKind::verification, fmt::format("{} begins with a byte order mark", shown),
                "save it as UTF-8 without a byte order mark");
  }
  refuse_control_characters(text, shown);
}

/// Reads one of the named files; nullopt when it does not exist.
std::optional<std::string> read_text(int exports, const std::string& name) {
  const std::string shown = "exports/" + name;
  const auto status = base::stat_at(exports, name);
  if (!status) {
    return std::nullopt;
  }
  if (!S_ISREG(status->st_mode)) {
    throw Error(ErrorKind::verification,
                fmt::format("{} in the image is {}, not a file", shown, kind_of(status->st_mode)),
                "the image must bring it as a plain file");
  }
  const Fd file = base::open_at(exports, name, read_flags);
  std::string text = base::read_all(file.get(), template_size_limit, shown);
  refuse_binary(text, shown);
  return text;
}

/// Walks exports/hostfs, parents before children.
class HostWalk {
 public:
  void enter(int directory, const std::string& path, std::size_t depth) {
    if (depth > host_depth_limit) {
      throw Error(ErrorKind::verification, fmt::format("exports/hostfs/{} is nested more than {} directories deep",
                                                       base::printable(path), host_depth_limit));
    }
    const std::string prefix = path.empty() ? "" : path + "/";
    for (const auto& name : base::list_directory(directory)) {
      add(directory, name, fmt::format("{}{}", prefix, name), depth);
    }
  }
  std::vector<HostEntry> take() { return std::move(entries_); }

 private:
  void add(int directory, const std::string& name, const std::string& path, std::size_t depth) {
    const auto status = base::stat_at(directory, name);
    if (!status) {
      throw Error(ErrorKind::failed,
                  fmt::format("exports/hostfs/{} vanished while it was read", base::printable(path)));
    }
    check_limits(path);
    check_name(path, "the name");
    HostEntry entry{path, kind(*status, path), status->st_mode & 07777U, status->st_uid, status->st_gid, {}, false,
                    false};
    if (entry.kind == HostEntryKind::link) {
      entry.link_target = base::read_link_at(directory, name).value_or("");
      check_name(entry.link_target, "the link target");
    } else if (entry.kind == HostEntryKind::file) {
      const Fd file = base::open_at(directory, name, read_flags);
      entry.has_capability = ::fgetxattr(file.get(), "security.capability", nullptr, 0) > 0;
    }
    entries_.push_back(std::move(entry));
    if (S_ISDIR(status->st_mode)) {
      const std::size_t own = entries_.size();
      enter(base::open_directory_at(directory, name).get(), path, depth + 1);
      entries_[own - 1].empty_directory = entries_.size() == own;
    }
  }

  void check_limits(const std::string& path) const {
    if (entries_.size() >= host_entry_limit) {
      throw Error(ErrorKind::verification, fmt::format("exports/hostfs has more than {} entries", host_entry_limit));
    }
    if (path.size() > path_length_limit) {
      throw Error(ErrorKind::verification, fmt::format("exports/hostfs holds a path longer than {} bytes: {}",
                                                       path_length_limit, base::printable(path.substr(0, 80))));
    }
  }

  /// Names are shown before an install, and stored in line-oriented lists and records.
  static void check_name(const std::string& name, std::string_view what) {
    if (const auto at = base::find_control(name); at != std::string::npos) {
      throw Error(
          ErrorKind::verification,
          fmt::format("exports/hostfs: {} {} contains {}", what, base::printable(name), base::control_name(name, at)),
          "give it a name without control characters");
    }
  }

  static HostEntryKind kind(const struct stat& status, const std::string& path) {
    if (S_ISDIR(status.st_mode)) {
      return HostEntryKind::directory;
    }
    if (S_ISLNK(status.st_mode)) {
      return HostEntryKind::link;
    }
    if (!S_ISREG(status.st_mode)) {
      throw Error(ErrorKind::verification,
                  fmt::format("exports/hostfs/{} is neither file, directory nor link", base::printable(path)),
                  "device nodes, pipes and sockets cannot be copied to the host; use tmpfiles.template");
    }
    return HostEntryKind::file;
  }

  std::vector<HostEntry> entries_;
};

/// Warns about entries of manifest.json that match no file of hostfs.
void warn_about_names(std::string_view key, const std::vector<std::string>& names, const std::set<std::string>& paths,
                      base::Reporter& reporter) {
  constexpr std::size_t shown_limit = 5;
  std::vector<std::string> unknown;
  for (const auto& name : names) {
    if (!paths.contains(name) && !paths.contains("/" + name)) {
      unknown.push_back(base::printable(name));
    }
  }
  if (!unknown.empty()) {
    const auto shown = std::min(unknown.size(), shown_limit);
    const auto more = unknown.size() - shown;
    unknown.resize(shown);
    reporter.warning(fmt::format("exports/manifest.json: {} names paths that are not in exports/hostfs: {}{}", key,
                                 fmt::join(unknown, ", "), more == 0 ? "" : fmt::format(" and {} more", more)));
  }
}

void warn_about_manifest(const Exports& exports, base::Reporter& reporter) {
  std::set<std::string> paths;
  for (const auto& entry : exports.host_entries) {
    paths.insert("/" + entry.path);
  }
  std::vector<std::string> renamed;
  renamed.reserve(exports.manifest.rename_files.size());
  for (const auto& [from, to] : exports.manifest.rename_files) {
    renamed.push_back(from);
  }
  warn_about_names("renameFiles", renamed, paths, reporter);
  warn_about_names("installedFilesTemplate", exports.manifest.installed_files_template, paths, reporter);
}

}  // namespace

base::Fd open_exports(int rootfs) {
  auto directory = open_real_directory(rootfs, "exports", "/exports");
  return directory ? std::move(*directory) : base::Fd();
}

Exports read_exports(int directory, base::Reporter& reporter, const ExportsFault& fault) {
  Exports exports;
  exports.present = directory >= 0;
  if (!exports.present) {
    return exports;
  }
  const auto part = [&fault](const auto& read) {
    try {
      read();
    } catch (const Error& error) {
      if (!fault) {
        throw;
      }
      fault(error);
    }
  };
  part([&] { exports.config = read_text(directory, "config.json"); });
  if (!exports.config) {
    part([&] { exports.config_template = read_text(directory, "config.json.template"); });
  }
  part([&] { exports.service_template = read_text(directory, "service.template"); });
  part([&] { exports.tmpfiles_template = read_text(directory, "tmpfiles.template"); });
  part([&] { exports.rpm_spec = read_text(directory, "rpm.spec"); });
  if (!exports.rpm_spec) {
    part([&] { exports.rpm_spec_template = read_text(directory, "rpm.spec.template"); });
  }
  const auto package = base::stat_at(directory, "container.rpm");
  exports.container_rpm = package && S_ISREG(package->st_mode);
  part([&] {
    if (const auto text = read_text(directory, "manifest.json")) {
      exports.manifest = parse_exports_manifest(*text, reporter);
    }
  });
  part([&] {
    if (const auto hostfs = open_real_directory(directory, "hostfs", "/exports/hostfs")) {
      HostWalk walk;
      walk.enter(hostfs->get(), "", 0);
      exports.host_entries = walk.take();
    }
  });
  warn_about_manifest(exports, reporter);
  return exports;
}

base::Fd open_host_entry(int directory, const HostEntry& entry) {
  if (entry.kind != HostEntryKind::file) {
    throw Error(ErrorKind::verification, fmt::format("exports/hostfs/{} is not a file", base::printable(entry.path)));
  }
  return base::open_beneath(directory, "hostfs/" + entry.path, read_flags);
}

base::Fd open_container_rpm(int directory) {
  return base::open_beneath(directory, "container.rpm", read_flags);
}

std::string read_host_entry(int directory, const HostEntry& entry, std::uint64_t limit) {
  const Fd file = open_host_entry(directory, entry);
  return base::read_all(file.get(), limit, "exports/hostfs/" + entry.path);
}

}  // namespace berth::render
