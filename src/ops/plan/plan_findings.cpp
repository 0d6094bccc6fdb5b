// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/plan_findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/unit_syntax.hpp"
#include "render/exports/writable_paths.hpp"
#include "render/lint/lint_unit.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/spec/sensitive_paths.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/tmpfiles.hpp"

namespace berth::ops {

namespace {

using base::Findings;
using base::Severity;

constexpr const char* config_file = "config.json";
constexpr uid_t first_user = 1000;  ///< smaller ids are those of the system's services (login.defs(5), UID_MIN)

bool is_below_any(std::string_view path, const std::vector<std::string_view>& directories) {
  return std::any_of(directories.begin(), directories.end(),
                     [&](std::string_view directory) { return render::is_below(path, directory); });
}

/// Host paths that will exist when the service starts.
class ExistingPaths {
 public:
  ExistingPaths(const PlanInputs& in, const InstallPlan& plan) : in_(in) {
    const auto unit = plan.unit.value_or("");
    add(render::directories_of_unit(unit));
    const auto copies = fmt::format("{}/container-{}", in.host.layout.runtime_in_root(), in.target.name);
    add({copies + "/resolv.conf", copies + "/hosts"});
    add(render::created_tmpfiles_paths(plan.tmpfiles.value_or("")));
    for (const auto& planned : plan.files) {
      add({planned.file.destination});
    }
    add(plan.kept_files);
  }

  [[nodiscard]] bool has(const std::string& path) const {
    return created_.contains(path) || is_below_any(path, {"/dev", "/proc", "/sys"}) || exists(path);
  }

 private:
  /// Adds paths with all their parents.
  void add(const std::vector<std::string>& paths) {
    for (const auto& path : paths) {
      for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        created_.insert(path.substr(0, slash));
      }
      created_.insert(path);
    }
  }

  /// For a root that is not booted, and for packages, paths that every host has are assumed to exist.
  [[nodiscard]] bool exists(const std::string& path) const {
    const bool elsewhere = in_.host.layout.offline() || in_.target.for_package;
    if (elsewhere && (render::is_usual_host_path(path) || is_below_any(path, {"/run", "/var/run"}))) {
      return true;
    }
    return in_.probe.status(path).has_value();
  }

  const PlanInputs& in_;
  std::set<std::string> created_;
};

void find_missing_sources(const PlanInputs& in, const base::Json& config, const InstallPlan& plan, Findings& findings) {
  const ExistingPaths existing(in, plan);
  std::set<std::string> reported;
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    const std::string source(render::without_slashes(render::bind_source(mount)));
    if (source.starts_with('/') && !existing.has(source) && reported.insert(source).second) {
      findings.push_back({Severity::warning, "source-not-made", config_file, 0,
                          fmt::format("nothing creates {}, which is bound at {}: without it the service does not start",
                                      base::printable(source), base::printable(mount.value("destination", ""))),
                          "create it before the start, or have the image bring a tmpfiles.d line for it"});
    }
  }
}

/// Access of other users to directories that the container writes to.
class DirectoryAccess {
 public:
  DirectoryAccess(const PlanInputs& in, const InstallPlan& plan)
      : in_(in), directories_(render::made_directories(plan.tmpfiles.value_or(""))) {
    for (const auto& planned : plan.files) {
      if (planned.file.kind == host::HostFile::Kind::directory) {
        directories_.push_back({planned.file.destination, planned.file.mode, planned.file.uid, planned.file.gid});
      }
    }
  }

  [[nodiscard]] bool is_open(const std::string& place) const {
    for (auto slash = place.find('/', 1);; slash = place.find('/', slash + 1)) {
      const auto directory = directory_at(place.substr(0, slash));
      if (directory && keeps_out(*directory)) {
        return false;
      }
      if (slash == std::string::npos) {
        return true;
      }
    }
  }

 private:
  /// Planned directories override those of the host: tmpfiles.d lines run last.
  [[nodiscard]] std::optional<render::MadeDirectory> directory_at(const std::string& path) const {
    const auto made =
        std::find_if(directories_.begin(), directories_.end(), [&](const auto& each) { return each.path == path; });
    if (made != directories_.end()) {
      return *made;
    }
    const auto found = in_.probe.status(path);
    return found && S_ISDIR(found->st_mode)
               ? std::optional(render::MadeDirectory{path, found->st_mode & 07777U, found->st_uid, found->st_gid})
               : std::nullopt;
  }

  [[nodiscard]] bool keeps_out(const render::MadeDirectory& directory) const {
    const auto trusted = [](unsigned id, unsigned own) { return id < first_user || id == own; };
    return (directory.mode & S_IXOTH) == 0 && trusted(directory.uid, in_.host.facts.uid) &&
           ((directory.mode & S_IXGRP) == 0 || trusted(directory.gid, in_.host.facts.gid));
  }

  const PlanInputs& in_;
  std::vector<render::MadeDirectory> directories_;
};

void find_open_places(const PlanInputs& in, const base::Json& config, const InstallPlan& plan, Findings& findings) {
  const DirectoryAccess access(in, plan);
  std::set<std::string> reported;
  for (const auto& place : render::writable_host_paths(config)) {
    if (reported.insert(place).second && access.is_open(place)) {
      findings.push_back({Severity::warning, "open-to-others", config_file, 0,
                          fmt::format("the container writes to {}, where other users of the host can run what it "
                                      "leaves, setuid programs too",
                                      base::printable(place)),
                          "keep data below a directory of mode 0700 that is root's"});
    }
  }
}

/// Whether the unit gives the service a standard output that can be opened again.
bool has_file_for_output(const std::string& unit) {
  bool result = false;
  for (const auto& assignment : base::parse_unit(unit).assignments) {
    if (assignment.section == "Service" && assignment.key == "StandardOutput") {
      constexpr std::array<std::string_view, 5> files = {"append:", "file:", "truncate:", "null", "tty"};
      result = std::any_of(files.begin(), files.end(),
                           [&](std::string_view file) { return assignment.value.starts_with(file); });
    }
  }
  return result;
}

/// Arguments and environment variables of the command that name a standard stream as a file.
std::vector<std::string> streams_in_command(const base::Json& process) {
  std::vector<std::string> words;
  for (const char* key : {"args", "env"}) {
    for (const auto& word : process.value(key, base::Json::array())) {
      const auto text = word.is_string() ? word.get<std::string>() : std::string();
      for (const std::string_view stream : {"/dev/stdout", "/dev/stderr", "/proc/self/fd/1", "/proc/self/fd/2"}) {
        if (text.ends_with(stream)) {
          words.push_back(text);
        }
      }
    }
  }
  return words;
}

void find_streams(const PlanInputs& in, const base::Json& config, const InstallPlan& plan, Findings& findings) {
  constexpr const char* hint =
      "have the program write to its standard output itself, or give the unit a drop-in with "
      "StandardOutput=append:/var/log/FILE in [Service]";
  if (!plan.unit || has_file_for_output(*plan.unit)) {
    return;
  }
  if (const auto links = in.probe.stream_links(); !links.empty()) {
    findings.push_back(
        {Severity::warning, "stream-link", "image", 0,
         fmt::format("files that the image links to /dev/stdout or /dev/stderr cannot be opened, because "
                     "the standard streams of a service are sockets of the journal: {}",
                     base::printable(fmt::format("{}", fmt::join(links, ", ")))),
         hint});
  }
  for (const auto& word : streams_in_command(config.value("process", base::Json::object()))) {
    findings.push_back(
        {Severity::warning, "stream-link", config_file, 0,
         fmt::format("the command line or environment names `{}`, and the standard streams of a service are "
                     "sockets of the journal, which cannot be opened",
                     base::printable(word)),
         hint});
  }
}

}  // namespace

Findings plan_findings(const PlanInputs& in, const base::Json& config, const InstallPlan& plan) {
  Findings findings;
  if (in.request.one_off) {
    return findings;  // it runs in the foreground, and missing sources are created in memory
  }
  find_missing_sources(in, config, plan, findings);
  if (plan.host_privileges.empty()) {  // otherwise the container needs no setuid program to be root
    find_open_places(in, config, plan, findings);
  }
  find_streams(in, config, plan, findings);
  return findings;
}

std::vector<std::string> warnings_of(const Findings& findings) {
  std::vector<std::string> warnings;
  for (const auto& finding : findings) {
    if (finding.severity == Severity::warning) {
      warnings.push_back(fmt::format("{}; {}", finding.message, finding.hint));
    }
  }
  return warnings;
}

}  // namespace berth::ops
