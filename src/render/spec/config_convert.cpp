// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_convert.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "base/json.hpp"
#include "render/spec/config_mounts.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

constexpr std::string_view current_version = "1.0.2";

Json* member(Json* parent, const char* key) {
  if (parent == nullptr || !parent->is_object()) {
    return nullptr;
  }
  const auto found = parent->find(key);
  return found == parent->end() ? nullptr : &found.value();
}

/// Removes a member. @return false without one
bool remove(Json* parent, const char* key) {
  return member(parent, key) != nullptr && parent->erase(key) > 0;
}

bool is_empty_text(const Json* value) {
  return value != nullptr && value->is_string() && value->get_ref<const std::string&>().empty();
}

class Conversion {
 public:
  Conversion(Json& document, std::string_view file, const HostFeatures& features)
      : document_(document), file_(file), features_(features) {}

  std::vector<std::string> run() {
    drop_nulls();
    convert_version();
    if (remove(&document_, "platform")) {
      report("platform removed: the runtime specification dropped it");
    }
    convert_labels();
    move_misplaced();
    convert_capabilities();
    convert_seccomp();
    convert_small_things();
    for (auto& message : convert_mounts(document_, features_.cgroup_unified)) {
      report(std::move(message));
    }
    return std::move(done_);
  }

 private:
  void report(std::string message) { done_.push_back(std::move(message)); }
  Json* process() { return member(&document_, "process"); }
  Json* linux_section() { return member(&document_, "linux"); }

  void drop_nulls();
  void convert_version();
  void move_misplaced();
  void move(Json* from, const char* from_name, const char* key, Json* to, const char* to_name, const char* new_key);
  void convert_capabilities();
  void convert_labels();
  void drop_label(Json* section, const char* section_name, const char* key, bool supported, std::string_view module);
  void convert_seccomp();
  void convert_small_things();

  Json& document_;
  std::string_view file_;
  const HostFeatures& features_;
  std::vector<std::string> done_;
};

/// Removes null members below `value` and adds their paths to `removed`.
void strip_nulls(Json& value, const std::string& path, std::vector<std::string>& removed) {
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      strip_nulls(value[i], fmt::format("{}[{}]", path, i), removed);
    }
  }
  if (!value.is_object()) {
    return;
  }
  auto& members = value.get_ref<Json::object_t&>();
  for (auto& [key, child] : members) {
    const std::string place = fmt::format("{}.{}", path, base::printable(key));
    if (child.is_null()) {
      removed.push_back(place);
    } else {
      strip_nulls(child, place, removed);
    }
  }
  // A new list: erasing members one by one would be quadratic, and their keys cannot be assigned.
  Json::object_t kept;
  for (auto& [key, child] : members) {
    if (!child.is_null()) {
      kept.push_back({key, std::move(child)});
    }
  }
  members.swap(kept);
}

/// The specification allows no null; old generators wrote it for empty lists.
void Conversion::drop_nulls() {
  std::vector<std::string> removed;
  for (const char* key : {"root", "process", "mounts", "hooks", "linux", "annotations", "hostname"}) {
    if (Json* section = member(&document_, key)) {
      if (section->is_null()) {
        removed.emplace_back(key);
        document_.erase(key);
      } else {
        strip_nulls(*section, key, removed);
      }
    }
  }
  if (removed.empty()) {
    return;
  }
  constexpr std::size_t shown = 5;
  const std::size_t more = removed.size() - std::min(removed.size(), shown);
  removed.resize(std::min(removed.size(), shown));
  report(fmt::format("null removed where the specification requires a value: {}{}", fmt::join(removed, ", "),
                     more > 0 ? fmt::format(" and {} more", more) : ""));
}

enum class VersionAge { old, current, unreadable };

/// SemVer 2.0.0, as far as necessary to tell versions before 1.0.0.
VersionAge age_of(std::string_view version) {
  std::array<unsigned, 3> numbers{};
  const char* at = version.data();
  const char* const end = version.data() + version.size();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) {
      return VersionAge::unreadable;
    }
    const auto [rest, error] = std::from_chars(at, end, numbers.at(i));
    if (error != std::errc()) {
      return VersionAge::unreadable;
    }
    at = rest;
  }
  if (at != end && *at != '-' && *at != '+') {
    return VersionAge::unreadable;
  }
  const bool preview = at != end && *at == '-' && numbers == std::array<unsigned, 3>{1, 0, 0};
  return numbers[0] == 0 || preview ? VersionAge::old : VersionAge::current;
}

void Conversion::convert_version() {
  const Json* written = member(&document_, "ociVersion");
  const std::string version = written != nullptr && written->is_string() ? written->get<std::string>() : "";
  const VersionAge age = version.empty() ? VersionAge::old : age_of(version);
  if (age == VersionAge::unreadable) {
    throw Error(ErrorKind::verification,
                fmt::format("{}: ociVersion: `{}` is not a version", file_, base::printable(version)),
                fmt::format("write the version of the runtime specification, such as \"{}\"", current_version));
  }
  if (age == VersionAge::old) {
    document_["ociVersion"] = current_version;
    report(version.empty() ? fmt::format("ociVersion {} added", current_version)
                           : fmt::format("ociVersion {} raised to {}", version, current_version));
  }
}

void Conversion::move(Json* from, const char* from_name, const char* key, Json* to, const char* to_name,
                      const char* new_key) {
  Json* value = member(from, key);
  if (value == nullptr || to == nullptr) {
    return;
  }
  const bool taken = member(to, new_key) != nullptr;
  if (!taken) {
    (*to)[new_key] = *value;
  }
  from->erase(key);
  report(taken ? fmt::format("{}.{} removed: {}.{} is set", from_name, key, to_name, new_key)
               : fmt::format("{}.{} moved to {}.{}", from_name, key, to_name, new_key));
}

/// Members that had other parents or names before 1.0.0.
void Conversion::move_misplaced() {
  Json* run = process();
  for (const char* key : {"rlimits", "capabilities", "apparmorProfile"}) {
    move(linux_section(), "linux", key, run, "process", key);
  }
  move(linux_section(), "linux", "selinuxProcessLabel", run, "process", "selinuxLabel");
  move(run, "process", "selinuxProcessLabel", run, "process", "selinuxLabel");
  Json* resources = member(linux_section(), "resources");
  move(resources, "linux.resources", "oomScoreAdj", run, "process", "oomScoreAdj");
  if (member(resources, "disableOOMKiller") != nullptr) {
    if (member(resources, "memory") == nullptr) {
      (*resources)["memory"] = Json::object();
    }
    move(resources, "linux.resources", "disableOOMKiller", member(resources, "memory"), "linux.resources.memory",
         "disableOOMKiller");
  }
}

/// Runtimes that took a list applied it to these four sets. Ambient capabilities were off by default, and would give
/// the capabilities to programs of users other than root.
void Conversion::convert_capabilities() {
  Json* capabilities = member(process(), "capabilities");
  if (capabilities == nullptr || !capabilities->is_array()) {
    return;
  }
  const Json list = *capabilities;
  *capabilities = {{"bounding", list}, {"effective", list}, {"inheritable", list}, {"permitted", list}};
  report("capabilities list converted to sets: bounding, effective, inheritable, permitted");
}

void Conversion::drop_label(Json* section, const char* section_name, const char* key, bool supported,
                            std::string_view module) {
  const Json* label = member(section, key);
  if (label == nullptr || (supported && !label->get_ref<const std::string&>().empty())) {
    return;
  }
  const bool empty = label->get_ref<const std::string&>().empty();
  section->erase(key);
  report(fmt::format("{}.{} removed: {}", section_name, key,
                     empty ? "it is empty" : fmt::format("this host does not use {}", module)));
}

/// Runtimes refuse labels of a security module that the host lacks; crun also refuses empty ones.
void Conversion::convert_labels() {
  for (const char* key : {"selinuxLabel", "selinuxProcessLabel"}) {
    drop_label(process(), "process", key, features_.selinux, "SELinux");
  }
  for (const char* key : {"selinuxProcessLabel", "mountLabel"}) {
    drop_label(linux_section(), "linux", key, features_.selinux, "SELinux");
  }
  drop_label(process(), "process", "apparmorProfile", features_.apparmor, "AppArmor");
  drop_label(linux_section(), "linux", "apparmorProfile", features_.apparmor, "AppArmor");
}

void Conversion::convert_seccomp() {
  Json* seccomp = member(linux_section(), "seccomp");
  if (seccomp == nullptr) {
    return;
  }
  const Json* action = member(seccomp, "defaultAction");
  Json* rules = member(seccomp, "syscalls");
  if (action == nullptr || action->get_ref<const std::string&>().empty()) {
    if (rules != nullptr && !rules->empty()) {
      throw Error(ErrorKind::verification, fmt::format("{}: linux.seccomp has rules but no defaultAction", file_),
                  "say what happens to other system calls, such as SCMP_ACT_ALLOW or SCMP_ACT_ERRNO");
    }
    linux_section()->erase("seccomp");
    report("linux.seccomp removed: its defaultAction is empty, so it filters nothing");
    return;
  }
  bool renamed = false;
  for (std::size_t i = 0; rules != nullptr && i < rules->size(); ++i) {
    Json& rule = (*rules)[i];
    if (const Json* name = member(&rule, "name"); name != nullptr && member(&rule, "names") == nullptr) {
      rule["names"] = Json::array({*name});
      rule.erase("name");
      renamed = true;
    }
  }
  if (renamed) {
    report("linux.seccomp.syscalls: name converted to names");
  }
}

void Conversion::convert_small_things() {
  if (Json* run = process(); run != nullptr && (member(run, "cwd") == nullptr || is_empty_text(member(run, "cwd")))) {
    (*run)["cwd"] = "/";
    report("process.cwd set to /: it was empty");
  }
  if (const Json* propagation = member(linux_section(), "rootfsPropagation"); is_empty_text(propagation)) {
    linux_section()->erase("rootfsPropagation");
    report("linux.rootfsPropagation removed: it is empty");
  }
  bool paths = false;
  if (Json* namespaces = member(linux_section(), "namespaces")) {
    for (auto& space : *namespaces) {
      if (const Json* path = member(&space, "path"); is_empty_text(path)) {
        paths = space.erase("path") > 0;
      }
    }
  }
  if (paths) {
    report("linux.namespaces: empty path removed");
  }
}

}  // namespace

std::vector<std::string> convert_config(base::Json& document, std::string_view file, const HostFeatures& features) {
  return Conversion(document, file, features).run();
}

}  // namespace berth::render
