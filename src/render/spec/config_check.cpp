// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_check.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/unit_syntax.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;
using base::JsonView;

void check_strings(const JsonView& parent, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (const auto member = parent.find(key)) {
      (void)member->as_string();
    }
  }
}

void check_string_lists(const JsonView& parent, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    (void)parent.strings_or_empty(key);
  }
}

/// Calls `check` with each object of the list `key`, when there is one.
template <typename Check>
void check_objects(const JsonView& parent, std::string_view key, Check check) {
  if (const auto list = parent.find(key)) {
    for (const auto& element : list->as_array()) {
      (void)element.as_object();
      check(element);
    }
  }
}

/// Calls `check` with the object `key`, when there is one.
template <typename Check>
void check_object(const JsonView& parent, std::string_view key, Check check) {
  if (const auto member = parent.find(key)) {
    (void)member->as_object();
    check(*member);
  }
}

/// A list (old) or an object of lists.
void check_capabilities(const JsonView& parent) {
  const auto member = parent.find("capabilities");
  if (!member) {
    return;
  }
  if (member->value().is_array()) {
    (void)member->as_strings();
    return;
  }
  for (const auto& [set, list] : member->as_object()) {
    if (!list.value().is_null()) {
      (void)list.as_strings();
    }
  }
}

void check_process(const JsonView& process) {
  check_strings(process, {"cwd", "selinuxLabel", "selinuxProcessLabel", "apparmorProfile"});
  check_string_lists(process, {"args", "env"});
  check_capabilities(process);
  check_objects(process, "rlimits", [](const JsonView& limit) { check_strings(limit, {"type"}); });
  check_object(process, "user", [](const JsonView&) {});
  (void)process.bool_or("noNewPrivileges", false);
}

void check_seccomp(const JsonView& seccomp) {
  check_strings(seccomp, {"defaultAction"});
  check_objects(seccomp, "syscalls", [](const JsonView& rule) {
    check_strings(rule, {"name", "action"});
    check_string_lists(rule, {"names"});
  });
}

void check_resources(const JsonView& resources) {
  check_objects(resources, "devices", [](const JsonView& rule) {
    check_strings(rule, {"type", "access"});
    (void)rule.bool_or("allow", false);
  });
  check_object(resources, "memory", [](const JsonView&) {});
}

void check_linux(const JsonView& section) {
  check_strings(section, {"cgroupsPath", "rootfsPropagation", "selinuxProcessLabel", "apparmorProfile", "mountLabel"});
  check_capabilities(section);
  check_objects(section, "rlimits", [](const JsonView& limit) { check_strings(limit, {"type"}); });
  check_objects(section, "namespaces", [](const JsonView& space) { check_strings(space, {"type", "path"}); });
  check_objects(section, "devices", [](const JsonView& device) { check_strings(device, {"path", "type"}); });
  check_string_lists(section, {"maskedPaths", "readonlyPaths"});
  check_object(section, "resources", check_resources);
  check_object(section, "seccomp", check_seccomp);
}

void check_hooks(const JsonView& hooks) {
  for (const auto& [stage, list] : hooks.as_object()) {
    check_objects(hooks, stage, [](const JsonView& hook) { check_strings(hook, {"path"}); });
  }
}

void check_root(const JsonView& view, bool remote, bool writable) {
  const JsonView root = view.at("root");
  if (!writable && !root.bool_or("readonly", false)) {
    throw Error(ErrorKind::verification, fmt::format("{}: the root file system is writable", view.place()),
                "berth shares files between containers, so a root file system is never writable: set root.readonly to "
                "true in exports/config.json or its template");
  }
  const std::string path = root.string_or("path", "");
  if (path != "rootfs" && !remote) {
    throw Error(ErrorKind::verification,
                fmt::format("{}: root.path is `{}`, but must be `rootfs`", view.place(), base::printable(path)),
                "the image's own files are in `rootfs`; use --rootfs to run from another root file system");
  }
}

}  // namespace

void check_shape(const base::Json& document, std::string_view file) {
  const JsonView view(document, std::string(file));
  (void)view.as_object();
  check_strings(view, {"ociVersion", "hostname"});
  check_object(view, "root", [](const JsonView& root) {
    check_strings(root, {"path"});
    (void)root.bool_or("readonly", false);
  });
  check_object(view, "process", check_process);
  check_objects(view, "mounts", [](const JsonView& mount) {
    (void)mount.at("destination").as_string();
    check_strings(mount, {"type", "source"});
    check_string_lists(mount, {"options"});
  });
  check_object(view, "hooks", check_hooks);
  check_object(view, "linux", check_linux);
}

void check_config(const base::Json& document, std::string_view file, bool remote, bool writable) {
  const JsonView view(document, std::string(file));
  check_root(view, remote, writable);
  const JsonView process = view.at("process");
  if (process.strings_or_empty("args").empty()) {
    process.fail("there is no command in args");
  }
  if (!process.at("cwd").as_string().starts_with('/')) {
    process.at("cwd").fail("the working directory is not an absolute path");
  }
}

std::optional<Error> service_refusal(const base::Json& document, std::string_view file, std::string_view unit) {
  const auto needs_terminal = JsonView(document, std::string(file)).at("process").bool_or("terminal", false);
  bool given = false;
  for (const auto& assignment : base::parse_unit(unit).assignments) {
    if (assignment.section == "Service" && assignment.key == "StandardInput") {
      given = assignment.value.starts_with("tty");
    }
  }
  return needs_terminal && !given
             ? std::optional<Error>(
                   std::in_place, ErrorKind::verification,
                   fmt::format("{}: the process requires a terminal, which a service does not have", file),
                   "set process.terminal to false")
             : std::nullopt;
}

}  // namespace berth::render
