#include "ops/deployment_note.hpp"

#include "base/error.hpp"
#include "host/layout.hpp"

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

/// A path inside the root, as we write them: absolute and clean.
std::string path_of(const base::JsonView& view) {
  auto path = view.as_string();
  const bool clean = path.starts_with('/') && path.find('\0') == std::string::npos &&
                     path.find("//") == std::string::npos && (path + "/").find("/../") == std::string::npos;
  if (!clean) {
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

/// Notes of before there were packages have none.
NotedPackage package_of(const base::JsonView& note) {
  NotedPackage package;
  if (const auto found = note.find("package")) {
    package.name = found->at("name").as_string();
    package.configuration = files_of(*found, "configuration");
  }
  return package;
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
void refuse_nonsense(const base::JsonView& view, const SwitchNote& note) {
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
          {"linkFolders", note.link_folders},
          {"tmpfilesPaths", note.tmpfiles_paths},
          {"committed", note.committed}};
}

base::Json to_json(const UninstallNote& note) {
  return {{"operation", "uninstall"},
          {"name", note.name},
          {"hasUnit", note.has_unit},
          {"wasActive", note.was_active},
          {"wasEnabled", note.was_enabled},
          {"links", note.links},
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
  note.name = name_of(view.at("name"));
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
  if (const auto folders = view.find("linkFolders")) {  // earlier versions noted none
    note.link_folders = paths_of(*folders);
  }
  note.tmpfiles_paths = paths_of(view.at("tmpfilesPaths"));
  note.committed = view.at("committed").as_bool();
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
  return note;
}

}  // namespace berth::ops
