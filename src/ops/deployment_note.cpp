#include "ops/deployment_note.hpp"

#include "base/digest.hpp"

namespace berth::ops {

namespace {

base::Json files_to_json(const std::vector<NotedFile>& files) {
  auto result = base::Json::array();
  for (const auto& file : files) {
    result.push_back({{"path", file.path}, {"sha256", file.checksum}});
  }
  return result;
}

std::vector<NotedFile> files_of(const base::JsonView& note) {
  std::vector<NotedFile> files;
  for (const auto& file : note.at("files").as_array()) {
    files.push_back({file.at("path").as_string(), file.at("sha256").as_string()});
  }
  return files;
}

bool is_operation(const base::Json& json, const char* operation) {
  return base::JsonView(json, "journal note").at("operation").as_string() == operation;
}

}  // namespace

InstallNote note_of_plan(const InstallPlan& plan, const host::Layout& layout) {
  InstallNote note;
  note.name = plan.name;
  note.slot = plan.slot;
  note.has_unit = plan.unit.has_value();
  for (const auto& planned : plan.files) {
    note.files.push_back({planned.file.destination, planned.checksum});
  }
  if (plan.tmpfiles) {
    note.files.push_back({layout.tmpfiles_inside(plan.name), base::digest_of(*plan.tmpfiles).hex()});
  }
  if (plan.unit) {
    note.files.push_back({layout.unit_inside(plan.name), base::digest_of(*plan.unit).hex()});
  }
  note.tmpfiles_paths = plan.tmpfiles_paths;
  return note;
}

base::Json to_json(const InstallNote& note) {
  return {{"operation", "install"},
          {"name", note.name},
          {"slot", note.slot},
          {"hasUnit", note.has_unit},
          {"files", files_to_json(note.files)},
          {"tmpfilesPaths", note.tmpfiles_paths}};
}

base::Json to_json(const UninstallNote& note) {
  return {{"operation", "uninstall"},          {"name", note.name},
          {"hasUnit", note.has_unit},          {"wasActive", note.was_active},
          {"wasEnabled", note.was_enabled},    {"committed", note.committed},
          {"files", files_to_json(note.files)}};
}

std::optional<InstallNote> install_note(const base::Json& json) {
  if (!is_operation(json, "install")) {
    return std::nullopt;
  }
  const base::JsonView view(json, "journal note");
  InstallNote note;
  note.name = view.at("name").as_string();
  note.slot = static_cast<int>(view.at("slot").as_integer());
  note.has_unit = view.at("hasUnit").as_bool();
  note.files = files_of(view);
  note.tmpfiles_paths = view.at("tmpfilesPaths").as_strings();
  return note;
}

std::optional<UninstallNote> uninstall_note(const base::Json& json) {
  if (!is_operation(json, "uninstall")) {
    return std::nullopt;
  }
  const base::JsonView view(json, "journal note");
  UninstallNote note;
  note.name = view.at("name").as_string();
  note.has_unit = view.at("hasUnit").as_bool();
  note.was_active = view.at("wasActive").as_bool();
  note.was_enabled = view.at("wasEnabled").as_bool();
  note.committed = view.at("committed").as_bool();
  note.files = files_of(view);
  return note;
}

}  // namespace berth::ops
