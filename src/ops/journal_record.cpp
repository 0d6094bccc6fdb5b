// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/journal_record.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/layout.hpp"

namespace berth::ops {

namespace {

constexpr const char* document = "journal record";
constexpr std::size_t unit_name_limit = 255;  // systemd's own

base::Json files_to_json(const std::vector<RecordedFile>& files) {
  auto result = base::Json::array();
  for (const auto& file : files) {
    result.push_back({{"path", file.path}, {"sha256", file.checksum}});
  }
  return result;
}

/// Whether a path is absolute and has no `..`.
bool is_clean(const std::string& path) {
  return path.starts_with('/') && path.find('\0') == std::string::npos &&
         (path + "/").find("/../") == std::string::npos;
}

std::string path_of(const base::JsonView& view) {
  auto path = view.as_string();
  if (!is_clean(path)) {
    view.fail("expected an absolute path");
  }
  return path;
}

std::vector<std::string> paths_of(const base::JsonView& view) {
  std::vector<std::string> paths;
  for (const auto& path : view.as_array()) {
    paths.push_back(path_of(path));
  }
  return paths;
}

/// sha256 hex, or empty.
std::string checksum_of(const base::JsonView& view) {
  auto checksum = view.as_string();
  const bool hex = checksum.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!checksum.empty() && (!hex || checksum.size() != 64)) {
    view.fail("expected a sha256 in hexadecimal digits");
  }
  return checksum;
}

int slot_of(const base::JsonView& view) {
  const auto slot = view.as_integer();
  if (slot != 0 && slot != 1) {
    view.fail("expected the slot 0 or 1");
  }
  return static_cast<int>(slot);
}

std::string name_of(const base::JsonView& view) {
  auto name = view.as_string();
  try {
    host::check_container_name(name);
  } catch (const base::Error&) {
    view.fail("expected the name of a container");
  }
  return name;
}

std::vector<RecordedFile> files_of(const base::JsonView& record, const char* key) {
  std::vector<RecordedFile> files;
  for (const auto& file : record.at(key).as_array()) {
    files.push_back({path_of(file.at("path")), checksum_of(file.at("sha256"))});
  }
  return files;
}

base::Json package_to_json(const RecordedPackage& package) {
  return {{"name", package.name}, {"configuration", files_to_json(package.configuration)}};
}

/// Records of early versions have no package.
RecordedPackage package_of(const base::JsonView& record) {
  RecordedPackage package;
  if (const auto found = record.find("package")) {
    package.name = found->at("name").as_string();
    package.configuration = files_of(*found, "configuration");
  }
  return package;
}

base::Json moves_to_json(const std::vector<RecordedMove>& moves) {
  auto result = base::Json::array();
  for (const auto& move : moves) {
    result.push_back({{"from", move.from}, {"to", move.to}});
  }
  return result;
}

base::Json units_to_json(const std::vector<RecordedUnit>& units) {
  auto result = base::Json::array();
  for (const auto& unit : units) {
    result.push_back({{"name", unit.name}, {"active", unit.active}, {"enabled", unit.enabled}, {"stays", unit.stays}});
  }
  return result;
}

base::Json fills_to_json(const std::vector<RecordedFill>& fills) {
  auto result = base::Json::array();
  for (const auto& fill : fills) {
    result.push_back({{"path", fill.path}, {"content", fill.content}});
  }
  return result;
}

/// Records of early versions have no volumes.
void read_volumes(const base::JsonView& view, SwitchRecord& record) {
  if (const auto moves = view.find("volumeMoves")) {
    for (const auto& move : moves->as_array()) {
      record.moves.push_back({move.at("from").as_string(), move.at("to").as_string()});
    }
  }
  if (const auto fills = view.find("volumeFills")) {
    for (const auto& fill : fills->as_array()) {
      record.fills.push_back({fill.at("path").as_string(), fill.at("content").as_string()});
    }
  }
}

/// Name of a systemd unit.
std::string unit_of(const base::JsonView& view) {
  auto unit = view.as_string();
  const auto dot = unit.rfind('.');
  if (dot == std::string::npos || dot == 0 || unit.size() > unit_name_limit || unit.starts_with('-') ||
      unit.find('/') != std::string::npos || unit.find('\0') != std::string::npos) {
    view.fail("expected the name of a unit");
  }
  return unit;
}

// Records of early versions have none of these keys.

std::vector<std::string> optional_paths(const base::JsonView& record, const char* key) {
  const auto found = record.find(key);
  return found ? paths_of(*found) : std::vector<std::string>{};
}

std::vector<std::string> optional_units(const base::JsonView& record, const char* key) {
  std::vector<std::string> units;
  if (const auto found = record.find(key)) {
    for (const auto& unit : found->as_array()) {
      units.push_back(unit_of(unit));
    }
  }
  return units;
}

/// Empty when the key does not exist. @param leaf prefix of the last component
std::string optional_path(const base::JsonView& record, const char* key, const std::string& leaf) {
  const auto found = record.find(key);
  if (!found || found->as_string().empty()) {
    return "";
  }
  auto path = path_of(*found);
  if (!base::split_path(path).second.starts_with(leaf)) {
    found->fail(fmt::format("expected a file named {}", leaf));
  }
  return path;
}

std::vector<RecordedUnit> companions_of(const base::JsonView& record) {
  std::vector<RecordedUnit> units;
  if (const auto found = record.find("companions")) {
    for (const auto& unit : found->as_array()) {
      units.push_back({unit_of(unit.at("name")), unit.at("active").as_bool(), unit.at("enabled").as_bool(),
                       unit.at("stays").as_bool()});
    }
  }
  return units;
}

/// Reads members that records of a switch and of an uninstall share. @param record with its name set
template <typename Record>
void read_service(const base::JsonView& view, Record& record) {
  record.invocation = view.string_or("invocation", "");
  record.runtime = optional_path(view, "runtime", "");
  record.taken_along = optional_units(view, "takenAlong");
  record.saved_unit = optional_path(view, "savedUnit", host::unit_name(record.name) + saved_suffix);
  record.saved_tmpfiles = optional_path(view, "savedTmpfiles", record.name + ".conf" + saved_suffix);
  record.companions = companions_of(view);
}

base::Json deployment_to_json(const RecordedDeployment& deployment) {
  return {{"slot", deployment.slot},
          {"unit", deployment.unit},
          {"tmpfiles", deployment.tmpfiles},
          {"files", files_to_json(deployment.files)},
          {"package", package_to_json(deployment.package)}};
}

RecordedDeployment deployment_of(const base::JsonView& view) {
  RecordedDeployment deployment;
  deployment.slot = slot_of(view.at("slot"));
  deployment.unit = checksum_of(view.at("unit"));
  deployment.tmpfiles = checksum_of(view.at("tmpfiles"));
  deployment.files = files_of(view, "files");
  deployment.package = package_of(view);
  return deployment;
}

/// Refuses combinations that berth never writes: acting on them could remove the live deployment.
void refuse_nonsense(const base::JsonView& view, const SwitchRecord& record) {
  const bool installs = record.operation == "install";
  if (!installs && record.operation != "update" && record.operation != "rollback") {
    view.at("operation").fail("unknown operation");
  }
  if (installs == record.before.has_value()) {
    view.fail(installs ? "an install has no deployment before it" : "there is no deployment to go back to");
  }
  if (installs ? record.after.slot != 0 : record.before->slot == record.after.slot) {
    view.fail("both deployments have the same slot");
  }
  if (record.had_place && (installs || !record.prepared)) {
    view.at("hadPlace").fail("this operation displaces no deployment");
  }
}

}  // namespace

std::string recorded_runtime(const host::DeploymentInfo& info) {
  return is_clean(info.runtime) ? info.runtime : "";
}

base::Json to_json(const SwitchRecord& record) {
  return {{"operation", record.operation},
          {"name", record.name},
          {"secret", record.secret},
          {"bootId", record.boot_id},
          {"before", record.before ? deployment_to_json(*record.before) : base::Json(nullptr)},
          {"after", deployment_to_json(record.after)},
          {"prepared", record.prepared},
          {"hadPlace", record.had_place},
          {"wasActive", record.was_active},
          {"starts", record.starts},
          {"wasEnabled", record.was_enabled},
          {"enables", record.enables},
          {"relinks", record.relinks},
          {"linkFolders", record.link_directories},
          {"tmpfilesPaths", record.tmpfiles_paths},
          {"volumeMoves", moves_to_json(record.moves)},
          {"volumeFills", fills_to_json(record.fills)},
          {"committed", record.committed},
          {"invocation", record.invocation},
          {"runtime", record.runtime},
          {"takenAlong", record.taken_along},
          {"masked", record.masked},
          {"savedUnit", record.saved_unit},
          {"savedTmpfiles", record.saved_tmpfiles},
          {"linksKnown", record.links_known},
          {"madeLinks", record.made_links},
          {"droppedLinks", record.dropped_links},
          {"companions", units_to_json(record.companions)},
          {"tmpfilesMasked", record.tmpfiles_masked},
          {"alsoUnits", record.also_units},
          {"alsoLinks", record.also_links}};
}

base::Json to_json(const UninstallRecord& record) {
  return {{"operation", "uninstall"},
          {"name", record.name},
          {"secret", record.secret},
          {"hasUnit", record.has_unit},
          {"wasActive", record.was_active},
          {"wasEnabled", record.was_enabled},
          {"links", record.links},
          {"committed", record.committed},
          {"files", files_to_json(record.files)},
          {"package", package_to_json(record.package)},
          {"slot", record.slot},
          {"runtime", record.runtime},
          {"invocation", record.invocation},
          {"pidFile", record.pid_file},
          {"takenAlong", record.taken_along},
          {"savedUnit", record.saved_unit},
          {"savedTmpfiles", record.saved_tmpfiles},
          {"companions", units_to_json(record.companions)}};
}

std::optional<SwitchRecord> parse_switch_record(const base::Json& json) {
  const base::JsonView view(json, document);
  SwitchRecord record;
  record.operation = view.at("operation").as_string();
  if (record.operation == "uninstall") {
    return std::nullopt;
  }
  record.name = name_of(view.at("name"));
  record.secret = view.string_or("secret", "");  // early versions recorded none
  record.boot_id = view.at("bootId").as_string();
  if (const auto before = view.find("before")) {
    record.before = deployment_of(*before);
  }
  record.after = deployment_of(view.at("after"));
  record.prepared = view.at("prepared").as_bool();
  record.had_place = view.at("hadPlace").as_bool();
  record.was_active = view.at("wasActive").as_bool();
  record.starts = view.at("starts").as_bool();
  record.was_enabled = view.at("wasEnabled").as_bool();
  record.enables = view.at("enables").as_bool();
  record.relinks = view.at("relinks").as_bool();
  record.link_directories = optional_paths(view, "linkFolders");
  record.tmpfiles_paths = paths_of(view.at("tmpfilesPaths"));
  read_volumes(view, record);
  record.committed = view.at("committed").as_bool();
  read_service(view, record);
  record.masked = view.bool_or("masked", false);
  record.links_known = view.bool_or("linksKnown", false);
  record.made_links = optional_paths(view, "madeLinks");
  record.dropped_links = optional_paths(view, "droppedLinks");
  record.tmpfiles_masked = view.bool_or("tmpfilesMasked", false);
  record.also_links = optional_paths(view, "alsoLinks");
  record.also_units = optional_units(view, "alsoUnits");
  refuse_nonsense(view, record);
  return record;
}

std::optional<UninstallRecord> parse_uninstall_record(const base::Json& json) {
  const base::JsonView view(json, document);
  if (view.at("operation").as_string() != "uninstall") {
    return std::nullopt;
  }
  UninstallRecord record;
  record.name = name_of(view.at("name"));
  record.secret = view.string_or("secret", "");  // early versions recorded none
  record.has_unit = view.at("hasUnit").as_bool();
  record.was_active = view.at("wasActive").as_bool();
  record.was_enabled = view.at("wasEnabled").as_bool();
  record.links = optional_paths(view, "links");
  record.committed = view.at("committed").as_bool();
  record.files = files_of(view, "files");
  record.package = package_of(view);
  if (const auto slot = view.find("slot")) {
    record.slot = slot_of(*slot);
  }
  read_service(view, record);
  record.pid_file = optional_path(view, "pidFile", fmt::format("container-{}.pid", record.name));
  return record;
}

}  // namespace berth::ops
