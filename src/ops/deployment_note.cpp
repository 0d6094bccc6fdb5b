#include "ops/deployment_note.hpp"

namespace berth::ops {

namespace {

constexpr const char* document = "journal note";

base::Json files_to_json(const std::vector<NotedFile>& files) {
  auto result = base::Json::array();
  for (const auto& file : files) {
    result.push_back({{"path", file.path}, {"sha256", file.checksum}});
  }
  return result;
}

std::vector<NotedFile> files_of(const base::JsonView& note, const char* key) {
  std::vector<NotedFile> files;
  for (const auto& file : note.at(key).as_array()) {
    files.push_back({file.at("path").as_string(), file.at("sha256").as_string()});
  }
  return files;
}

base::Json package_to_json(const NotedPackage& package) {
  return {{"name", package.name}, {"configuration", files_to_json(package.configuration)}};
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

/// Notes of an earlier version have fewer keys.
std::vector<std::string> strings_of(const base::JsonView& note, const char* key) {
  const auto found = note.find(key);
  return found ? found->as_strings() : std::vector<std::string>{};
}

base::Json units_to_json(const std::vector<NotedUnit>& units) {
  auto result = base::Json::array();
  for (const auto& unit : units) {
    result.push_back({{"name", unit.name}, {"active", unit.active}, {"enabled", unit.enabled}, {"stays", unit.stays}});
  }
  return result;
}

std::vector<NotedUnit> units_of(const base::JsonView& note) {
  std::vector<NotedUnit> units;
  if (const auto found = note.find("companions")) {
    for (const auto& unit : found->as_array()) {
      units.push_back({unit.at("name").as_string(), unit.at("active").as_bool(), unit.at("enabled").as_bool(),
                       unit.at("stays").as_bool()});
    }
  }
  return units;
}

bool flag_of(const base::JsonView& note, const char* key) {
  const auto found = note.find(key);
  return found && found->as_bool();
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
  deployment.slot = view.at("slot").as_integer() == 0 ? 0 : 1;
  deployment.unit = view.at("unit").as_string();
  deployment.tmpfiles = view.at("tmpfiles").as_string();
  deployment.files = files_of(view, "files");
  deployment.package = package_of(view);
  return deployment;
}

}  // namespace

base::Json to_json(const SwitchNote& note) {
  return {{"operation", note.operation},
          {"name", note.name},
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
          {"tmpfilesPaths", note.tmpfiles_paths},
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
          {"companions", units_to_json(note.companions)}};
}

base::Json to_json(const UninstallNote& note) {
  return {{"operation", "uninstall"},
          {"name", note.name},
          {"hasUnit", note.has_unit},
          {"wasActive", note.was_active},
          {"wasEnabled", note.was_enabled},
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

std::optional<SwitchNote> switch_note(const base::Json& json) {
  const base::JsonView view(json, document);
  SwitchNote note;
  note.operation = view.at("operation").as_string();
  if (note.operation == "uninstall") {
    return std::nullopt;
  }
  note.name = view.at("name").as_string();
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
  note.tmpfiles_paths = view.at("tmpfilesPaths").as_strings();
  note.committed = view.at("committed").as_bool();
  note.invocation = view.string_or("invocation", "");
  note.runtime = view.string_or("runtime", "");
  note.taken_along = strings_of(view, "takenAlong");
  note.masked = flag_of(view, "masked");
  note.saved_unit = view.string_or("savedUnit", "");
  note.saved_tmpfiles = view.string_or("savedTmpfiles", "");
  note.links_known = flag_of(view, "linksKnown");
  note.made_links = strings_of(view, "madeLinks");
  note.dropped_links = strings_of(view, "droppedLinks");
  note.companions = units_of(view);
  return note;
}

std::optional<UninstallNote> uninstall_note(const base::Json& json) {
  const base::JsonView view(json, document);
  if (view.at("operation").as_string() != "uninstall") {
    return std::nullopt;
  }
  UninstallNote note;
  note.name = view.at("name").as_string();
  note.has_unit = view.at("hasUnit").as_bool();
  note.was_active = view.at("wasActive").as_bool();
  note.was_enabled = view.at("wasEnabled").as_bool();
  note.committed = view.at("committed").as_bool();
  note.files = files_of(view, "files");
  note.package = package_of(view);
  const auto slot = view.find("slot");
  note.slot = slot && slot->as_integer() == 1 ? 1 : 0;
  note.runtime = view.string_or("runtime", "");
  note.invocation = view.string_or("invocation", "");
  note.pid_file = view.string_or("pidFile", "");
  note.taken_along = strings_of(view, "takenAlong");
  note.saved_unit = view.string_or("savedUnit", "");
  note.saved_tmpfiles = view.string_or("savedTmpfiles", "");
  note.companions = units_of(view);
  return note;
}

}  // namespace berth::ops
