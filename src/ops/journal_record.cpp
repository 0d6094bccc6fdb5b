#include "ops/journal_record.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/layout.hpp"

namespace berth::ops {

namespace {

constexpr const char* document = "journal note";
constexpr std::size_t unit_name_limit = 255;  // systemd's own

base::Json files_to_json(const std::vector<NotedFile>& files) {
  auto result = base::Json::array();
  for (const auto& file : files) {
    result.push_back({{"path", file.path}, {"sha256", file.checksum}});
  }
  return result;
}

/// A path inside the root, which does not lead out of it.
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

/// sha256 hex, or nothing.
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

std::vector<NotedFile> files_of(const base::JsonView& note, const char* key) {
  std::vector<NotedFile> files;
  for (const auto& file : note.at(key).as_array()) {
    files.push_back({path_of(file.at("path")), checksum_of(file.at("sha256"))});
  }
  return files;
}

base::Json package_to_json(const NotedPackage& package) {
  return {{"name", package.name}, {"configuration", files_to_json(package.configuration)}};
}

/// Notes of before there were secrets have none.
std::string secret_of(const base::JsonView& note) {
  const auto secret = note.find("secret");
  return secret ? secret->as_string() : "";
}

/// Notes of before there were packages have none.
NotedPackage package_of(const base::JsonView& note) {
  NotedPackage package;
  if (const auto found = note.find("package")) {
    package.name = found->at("name").as_string();
    package.configuration = files_of(*found, "configuration");
  }
  return package;
}

base::Json moves_to_json(const std::vector<NotedMove>& moves) {
  auto result = base::Json::array();
  for (const auto& move : moves) {
    result.push_back({{"from", move.from}, {"to", move.to}});
  }
  return result;
}

base::Json units_to_json(const std::vector<NotedUnit>& units) {
  auto result = base::Json::array();
  for (const auto& unit : units) {
    result.push_back({{"name", unit.name}, {"active", unit.active}, {"enabled", unit.enabled}, {"stays", unit.stays}});
  }
  return result;
}

base::Json fills_to_json(const std::vector<NotedFill>& fills) {
  auto result = base::Json::array();
  for (const auto& fill : fills) {
    result.push_back({{"path", fill.path}, {"content", fill.content}});
  }
  return result;
}

/// Notes of versions that left volumes alone have none.
void read_volumes(const base::JsonView& view, SwitchRecord& note) {
  if (const auto moves = view.find("volumeMoves")) {
    for (const auto& move : moves->as_array()) {
      note.moves.push_back({move.at("from").as_string(), move.at("to").as_string()});
    }
  }
  if (const auto fills = view.find("volumeFills")) {
    for (const auto& fill : fills->as_array()) {
      note.fills.push_back({fill.at("path").as_string(), fill.at("content").as_string()});
    }
  }
}

bool flag_of(const base::JsonView& note, const char* key) {
  const auto found = note.find(key);
  return found && found->as_bool();
}

/// Of a unit of systemd, such as it is given to its calls.
std::string unit_of(const base::JsonView& view) {
  auto unit = view.as_string();
  const auto dot = unit.rfind('.');
  if (dot == std::string::npos || dot == 0 || unit.size() > unit_name_limit || unit.starts_with('-') ||
      unit.find('/') != std::string::npos || unit.find('\0') != std::string::npos) {
    view.fail("expected the name of a unit");
  }
  return unit;
}

// Notes of an earlier version have none of these keys.

std::vector<std::string> noted_paths(const base::JsonView& note, const char* key) {
  const auto found = note.find(key);
  return found ? paths_of(*found) : std::vector<std::string>{};
}

std::vector<std::string> noted_units(const base::JsonView& note, const char* key) {
  std::vector<std::string> units;
  if (const auto found = note.find(key)) {
    for (const auto& unit : found->as_array()) {
      units.push_back(unit_of(unit));
    }
  }
  return units;
}

/// Empty for none. @param leaf how its last component begins
std::string noted_path(const base::JsonView& note, const char* key, const std::string& leaf) {
  const auto found = note.find(key);
  if (!found || found->as_string().empty()) {
    return "";
  }
  auto path = path_of(*found);
  if (!base::split_path(path).second.starts_with(leaf)) {
    found->fail(fmt::format("expected a file named {}", leaf));
  }
  return path;
}

std::vector<NotedUnit> companions_of(const base::JsonView& note) {
  std::vector<NotedUnit> units;
  if (const auto found = note.find("companions")) {
    for (const auto& unit : found->as_array()) {
      units.push_back({unit_of(unit.at("name")), unit.at("active").as_bool(), unit.at("enabled").as_bool(),
                       unit.at("stays").as_bool()});
    }
  }
  return units;
}

/// What notes of a switch and of an uninstall have in common. @param note has its name already
template <typename Note>
void read_service(const base::JsonView& view, Note& note) {
  note.invocation = view.string_or("invocation", "");
  note.runtime = noted_path(view, "runtime", "");
  note.taken_along = noted_units(view, "takenAlong");
  note.saved_unit = noted_path(view, "savedUnit", host::unit_name(note.name) + saved_suffix);
  note.saved_tmpfiles = noted_path(view, "savedTmpfiles", note.name + ".conf" + saved_suffix);
  note.companions = companions_of(view);
}

base::Json deployment_to_json(const NotedDeployment& deployment) {
  return {{"slot", deployment.slot},
          {"unit", deployment.unit},
          {"tmpfiles", deployment.tmpfiles},
          {"files", files_to_json(deployment.files)},
          {"package", package_to_json(deployment.package)}};
}

NotedDeployment deployment_of(const base::JsonView& view) {
  NotedDeployment deployment;
  deployment.slot = slot_of(view.at("slot"));
  deployment.unit = checksum_of(view.at("unit"));
  deployment.tmpfiles = checksum_of(view.at("tmpfiles"));
  deployment.files = files_of(view, "files");
  deployment.package = package_of(view);
  return deployment;
}

/// What no note of ours says: acting on it could remove the deployment that is live.
void refuse_nonsense(const base::JsonView& view, const SwitchRecord& note) {
  const bool installs = note.operation == "install";
  if (!installs && note.operation != "update" && note.operation != "rollback") {
    view.at("operation").fail("no operation of that name is known");
  }
  if (installs == note.before.has_value()) {
    view.fail(installs ? "an install has no deployment before it" : "there is no deployment to go back to");
  }
  if (installs ? note.after.slot != 0 : note.before->slot == note.after.slot) {
    view.fail("both deployments would be in one place");
  }
  if (note.had_place && (installs || !note.prepared)) {
    view.at("hadPlace").fail("nothing can wait for its place");
  }
}

}  // namespace

std::string noted_runtime(const host::DeploymentInfo& info) {
  return is_clean(info.runtime) ? info.runtime : "";
}

base::Json to_json(const SwitchRecord& note) {
  return {{"operation", note.operation},
          {"name", note.name},
          {"secret", note.secret},
          {"bootId", note.boot_id},
          {"before", note.before ? deployment_to_json(*note.before) : base::Json(nullptr)},
          {"after", deployment_to_json(note.after)},
          {"prepared", note.prepared},
          {"hadPlace", note.had_place},
          {"wasActive", note.was_active},
          {"starts", note.starts},
          {"wasEnabled", note.was_enabled},
          {"enables", note.enables},
          {"relinks", note.relinks},
          {"linkFolders", note.link_directories},
          {"tmpfilesPaths", note.tmpfiles_paths},
          {"volumeMoves", moves_to_json(note.moves)},
          {"volumeFills", fills_to_json(note.fills)},
          {"committed", note.committed},
          {"invocation", note.invocation},
          {"runtime", note.runtime},
          {"takenAlong", note.taken_along},
          {"masked", note.masked},
          {"savedUnit", note.saved_unit},
          {"savedTmpfiles", note.saved_tmpfiles},
          {"linksKnown", note.links_known},
          {"madeLinks", note.made_links},
          {"droppedLinks", note.dropped_links},
          {"companions", units_to_json(note.companions)},
          {"tmpfilesMasked", note.tmpfiles_masked},
          {"alsoUnits", note.also_units},
          {"alsoLinks", note.also_links}};
}

base::Json to_json(const UninstallNote& note) {
  return {{"operation", "uninstall"},
          {"name", note.name},
          {"secret", note.secret},
          {"hasUnit", note.has_unit},
          {"wasActive", note.was_active},
          {"wasEnabled", note.was_enabled},
          {"links", note.links},
          {"committed", note.committed},
          {"files", files_to_json(note.files)},
          {"package", package_to_json(note.package)},
          {"slot", note.slot},
          {"runtime", note.runtime},
          {"invocation", note.invocation},
          {"pidFile", note.pid_file},
          {"takenAlong", note.taken_along},
          {"savedUnit", note.saved_unit},
          {"savedTmpfiles", note.saved_tmpfiles},
          {"companions", units_to_json(note.companions)}};
}

std::optional<SwitchRecord> switch_note(const base::Json& json) {
  const base::JsonView view(json, document);
  SwitchRecord note;
  note.operation = view.at("operation").as_string();
  if (note.operation == "uninstall") {
    return std::nullopt;
  }
  note.name = name_of(view.at("name"));
  note.secret = secret_of(view);
  note.boot_id = view.at("bootId").as_string();
  if (const auto before = view.find("before")) {
    note.before = deployment_of(*before);
  }
  note.after = deployment_of(view.at("after"));
  note.prepared = view.at("prepared").as_bool();
  note.had_place = view.at("hadPlace").as_bool();
  note.was_active = view.at("wasActive").as_bool();
  note.starts = view.at("starts").as_bool();
  note.was_enabled = view.at("wasEnabled").as_bool();
  note.enables = view.at("enables").as_bool();
  note.relinks = view.at("relinks").as_bool();
  if (const auto directories = view.find("linkFolders")) {  // earlier versions noted none
    note.link_directories = paths_of(*directories);
  }
  note.tmpfiles_paths = paths_of(view.at("tmpfilesPaths"));
  read_volumes(view, note);
  note.committed = view.at("committed").as_bool();
  read_service(view, note);
  note.masked = flag_of(view, "masked");
  note.links_known = flag_of(view, "linksKnown");
  note.made_links = noted_paths(view, "madeLinks");
  note.dropped_links = noted_paths(view, "droppedLinks");
  note.tmpfiles_masked = flag_of(view, "tmpfilesMasked");
  note.also_links = noted_paths(view, "alsoLinks");
  note.also_units = noted_units(view, "alsoUnits");
  refuse_nonsense(view, note);
  return note;
}

std::optional<UninstallNote> uninstall_note(const base::Json& json) {
  const base::JsonView view(json, document);
  if (view.at("operation").as_string() != "uninstall") {
    return std::nullopt;
  }
  UninstallNote note;
  note.name = name_of(view.at("name"));
  note.secret = secret_of(view);
  note.has_unit = view.at("hasUnit").as_bool();
  note.was_active = view.at("wasActive").as_bool();
  note.was_enabled = view.at("wasEnabled").as_bool();
  if (const auto links = view.find("links")) {  // earlier versions noted none
    note.links = paths_of(*links);
  }
  note.committed = view.at("committed").as_bool();
  note.files = files_of(view, "files");
  note.package = package_of(view);
  if (const auto slot = view.find("slot")) {
    note.slot = slot_of(*slot);
  }
  read_service(view, note);
  note.pid_file = noted_path(view, "pidFile", fmt::format("container-{}.pid", note.name));
  return note;
}

}  // namespace berth::ops
