// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "render/exports/host_file_privileges.hpp"
#include "render/spec/config_check.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

constexpr const char* labels_file = "image configuration";

/// Whether a link leaves hostfs, or is absolute to a path that hostfs does not have.
bool leads_away(const HostEntry& entry, const Exports& exports) {
  const auto& target = entry.link_target;
  if (target.starts_with('/')) {
    return std::none_of(exports.host_entries.begin(), exports.host_entries.end(),
                        [&](const HostEntry& other) { return "/" + other.path == target; });
  }
  auto depth = std::count(entry.path.begin(), entry.path.end(), '/');
  for (std::string_view rest = target; !rest.empty();) {
    const auto component = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(component.size() + 1, rest.size()));
    if (component == "..") {
      --depth;
    } else if (!component.empty() && component != ".") {
      ++depth;
    }
    if (depth < 0) {
      return true;
    }
  }
  return false;
}

void check_entry(const HostEntry& entry, const Exports& exports, const Values& values, base::Findings& findings) {
  const std::string file = "exports/hostfs/" + base::printable(entry.path);
  const bool link = entry.kind == HostEntryKind::link;
  if (link && leads_away(entry, exports)) {
    findings.push_back(
        {base::Severity::warning, "link-away", file, 0,
         fmt::format("the link leads to {}, which is not in exports/hostfs", base::printable(entry.link_target)),
         "link to a file of hostfs by a relative path, or leave the link out"});
  }
  if (!link && (entry.mode & 0002U) != 0 && (entry.mode & 01000U) == 0) {
    findings.push_back({base::Severity::warning, "world-writable", file, 0,
                        fmt::format("every user of the host could write to it ({:04o})", entry.mode),
                        "remove the permission: chmod o-w"});
  }
  if (entry.kind == HostEntryKind::directory && !entry.empty_directory) {
    return;
  }
  const auto destination = host_destination(entry.path, exports.manifest, values);
  if (const auto privilege = host_file_privilege(destination, link ? 0 : entry.mode, entry.has_capability)) {
    findings.push_back({base::Severity::warning, "privilege-over-host", file, 0, privilege->message,
                        "remove it, unless the host is meant to trust the image with it"});
  }
}

void check_program(const base::Json& process, const ConfigNeeds& needs, base::Findings& findings) {
  const auto program = process.at("args").at(0).get<std::string>();
  if (needs.rootfs < 0 || !program.starts_with('/')) {
    return;
  }
  try {
    if (!base::find_in_root(needs.rootfs, program, O_PATH)) {
      findings.push_back({base::Severity::warning, "no-such-program", std::string(needs.file),
                          line_of(needs.text, fmt::format("\"{}\"", program)),
                          fmt::format("the image has no {}", base::printable(program)),
                          "correct process.args, or add the program"});
    }
  } catch (const base::Error&) {
    return;  // the path cannot be resolved in this root file system
  }
}

}  // namespace

base::Findings check_host_files(const Exports& exports, const Values& values) {
  base::Findings findings;
  for (const auto& entry : exports.host_entries) {
    check_entry(entry, exports, values, findings);
  }
  return findings;
}

base::Findings check_config_needs(const base::Json& config, const ConfigNeeds& needs) {
  base::Findings findings;
  const auto& process = config.at("process");
  check_program(process, needs, findings);
  if (const auto refusal = service_refusal(config, needs.file, needs.unit); refusal && needs.is_service) {
    findings.push_back({base::Severity::error, "terminal", std::string(needs.file), line_of(needs.text, "\"terminal\""),
                        refusal->message().substr(needs.file.size() + 2), refusal->hint()});
  }
  for (const auto& mount : config.value("mounts", base::Json::array())) {
    const auto source = mount.value("source", "");
    if (is_bind_mount(mount) && source.starts_with('/') && !needs.is_made(source)) {
      const auto destination = mount.value("destination", "");
      findings.push_back({base::Severity::warning, "source-not-made", std::string(needs.file),
                          line_of(needs.text, fmt::format("\"{}\"", destination)),
                          fmt::format("nothing creates {}, which is bound at {}: without it the service does not start",
                                      base::printable(source), base::printable(destination)),
                          "add a line to exports/tmpfiles.template that creates it, see tmpfiles.d(5)"});
    }
  }
  return findings;
}

base::Findings check_labels(const image::ImageConfig& config) {
  base::Findings findings;
  const auto label = [&](const std::string& name) {
    const auto found = config.labels.find(name);
    return found == config.labels.end() ? std::string() : found->second;
  };
  if (label("atomic.type") != "system") {
    findings.push_back({base::Severity::warning, "no-type-label", labels_file, 0,
                        "the label atomic.type is not `system`, so other tools do not recognize a system image",
                        "write LABEL atomic.type=system"});
  }
  std::vector<std::string> missing;
  for (const std::string name : {"summary", "version", "license", "url"}) {
    if (label(name).empty() && label("atomic." + name).empty()) {
      missing.push_back(name);
    }
  }
  if (!missing.empty()) {
    findings.push_back({base::Severity::note, "missing-labels", labels_file, 0,
                        fmt::format("labels that users see are missing: {}", fmt::join(missing, ", ")),
                        "write a LABEL for each"});
  }
  return findings;
}

}  // namespace berth::render
