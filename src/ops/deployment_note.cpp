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

base::Json moves_to_json(const std::vector<NotedMove>& moves) {
  auto result = base::Json::array();
  for (const auto& move : moves) {
    result.push_back({{"from", move.from}, {"to", move.to}});
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
void read_volumes(const base::JsonView& view, SwitchNote& note) {
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
          {"volumeMoves", moves_to_json(note.moves)},
          {"volumeFills", fills_to_json(note.fills)},
          {"committed", note.committed}};
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
          {"slot", note.slot}};
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
  read_volumes(view, note);
  note.committed = view.at("committed").as_bool();
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
  return note;
}

}  // namespace berth::ops
