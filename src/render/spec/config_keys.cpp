// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"

namespace berth::render {
namespace {

using base::JsonView;

/// All keys of the runtime specification (1.2, config.md and config-linux.md) and of its versions before 1.0.
constexpr std::array<std::string_view, 156> known_keys = {"access",
                                                          "action",
                                                          "additionalGids",
                                                          "allow",
                                                          "ambient",
                                                          "annotations",
                                                          "apparmorProfile",
                                                          "architectures",
                                                          "args",
                                                          "blockIO",
                                                          "bounding",
                                                          "burst",
                                                          "capabilities",
                                                          "cgroupsPath",
                                                          "checkBeforeUpdate",
                                                          "class",
                                                          "classID",
                                                          "closID",
                                                          "commandLine",
                                                          "consoleSize",
                                                          "containerID",
                                                          "cpu",
                                                          "cpus",
                                                          "createContainer",
                                                          "createRuntime",
                                                          "cwd",
                                                          "deadline",
                                                          "defaultAction",
                                                          "defaultErrnoRet",
                                                          "destination",
                                                          "devices",
                                                          "disableOOMKiller",
                                                          "domainname",
                                                          "effective",
                                                          "enableCMT",
                                                          "enableMBM",
                                                          "enableMonitoring",
                                                          "env",
                                                          "errnoRet",
                                                          "execCPUAffinity",
                                                          "fileMode",
                                                          "final",
                                                          "flags",
                                                          "gid",
                                                          "gidMappings",
                                                          "hard",
                                                          "hcaHandles",
                                                          "hcaObjects",
                                                          "height",
                                                          "hooks",
                                                          "hostID",
                                                          "hostname",
                                                          "hugepageLimits",
                                                          "idle",
                                                          "index",
                                                          "inheritable",
                                                          "initial",
                                                          "intelRdt",
                                                          "ioPriority",
                                                          "kernel",
                                                          "kernelTCP",
                                                          "l3CacheSchema",
                                                          "leafWeight",
                                                          "limit",
                                                          "linux",
                                                          "listenerMetadata",
                                                          "listenerPath",
                                                          "major",
                                                          "maskedPaths",
                                                          "memBwSchema",
                                                          "memory",
                                                          "memoryPolicy",
                                                          "mems",
                                                          "minor",
                                                          "mode",
                                                          "mountLabel",
                                                          "mounts",
                                                          "name",
                                                          "names",
                                                          "namespaces",
                                                          "nanosecs",
                                                          "netDevices",
                                                          "network",
                                                          "nice",
                                                          "noNewPrivileges",
                                                          "nodes",
                                                          "ociVersion",
                                                          "op",
                                                          "oomScoreAdj",
                                                          "options",
                                                          "pageSize",
                                                          "path",
                                                          "period",
                                                          "permitted",
                                                          "personality",
                                                          "pids",
                                                          "platform",
                                                          "policy",
                                                          "poststart",
                                                          "poststop",
                                                          "prestart",
                                                          "priorities",
                                                          "priority",
                                                          "process",
                                                          "quota",
                                                          "rate",
                                                          "rdma",
                                                          "readonly",
                                                          "readonlyPaths",
                                                          "realtimePeriod",
                                                          "realtimeRuntime",
                                                          "reservation",
                                                          "resources",
                                                          "rlimits",
                                                          "root",
                                                          "rootfsPropagation",
                                                          "runtime",
                                                          "scheduler",
                                                          "schemata",
                                                          "seccomp",
                                                          "secs",
                                                          "selinuxLabel",
                                                          "selinuxProcessLabel",
                                                          "shares",
                                                          "size",
                                                          "soft",
                                                          "solaris",
                                                          "source",
                                                          "startContainer",
                                                          "swap",
                                                          "swappiness",
                                                          "syscalls",
                                                          "sysctl",
                                                          "terminal",
                                                          "throttleReadBpsDevice",
                                                          "throttleReadIOPSDevice",
                                                          "throttleWriteBpsDevice",
                                                          "throttleWriteIOPSDevice",
                                                          "timeOffsets",
                                                          "timeout",
                                                          "type",
                                                          "uid",
                                                          "uidMappings",
                                                          "umask",
                                                          "unified",
                                                          "useHierarchy",
                                                          "user",
                                                          "username",
                                                          "value",
                                                          "valueTwo",
                                                          "vm",
                                                          "weight",
                                                          "weightDevice",
                                                          "width",
                                                          "windows",
                                                          "zos"};

/// Objects whose keys the specification does not define.
constexpr std::array<std::string_view, 5> free_objects = {"annotations", "netDevices", "rdma", "sysctl", "unified"};

template <std::size_t size>
bool is_one_of(std::string_view text, const std::array<std::string_view, size>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// Folds a key as Go's encoding/json does when it compares keys: case is ignored, and U+212A and U+017F are `k` and
/// `s`.
std::string folded(std::string_view key) {
  constexpr std::array<std::pair<std::string_view, char>, 2> others = {{{"\u212A", 'k'}, {"\u017F", 's'}}};
  std::string result;
  while (!key.empty()) {
    const auto* const other =
        std::find_if(others.begin(), others.end(), [&](const auto& each) { return key.starts_with(each.first); });
    if (other != others.end()) {
      result += other->second;
      key.remove_prefix(other->first.size());
    } else {
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(key.front())));
      key.remove_prefix(1);
    }
  }
  return result;
}

using FoldedKeys = std::map<std::string, std::string_view>;

void refuse_look_alike(const JsonView& parent, const std::string& key, const FoldedKeys& keys) {
  const auto known = is_one_of(key, known_keys) ? keys.end() : keys.find(folded(key));
  if (known != keys.end()) {
    base::with_hint(fmt::format("write `{}`, or leave it out", known->second), [&] {
      parent.fail(fmt::format("some runtimes take the key `{}` for `{}`, and others do not", base::printable(key),
                              known->second));
    });
  }
}

void check_value(const JsonView& value, const FoldedKeys& keys) {
  if (value.value().is_array()) {
    for (const auto& element : value.as_array()) {
      check_value(element, keys);
    }
  } else if (value.value().is_object()) {
    for (const auto& [key, member] : value.as_object()) {
      refuse_look_alike(value, key, keys);
      if (!is_one_of(key, free_objects)) {
        check_value(member, keys);
      }
    }
  }
}

}  // namespace

void check_keys(const base::Json& document, std::string_view file) {
  FoldedKeys keys;
  for (const auto key : known_keys) {
    keys.emplace(folded(key), key);
  }
  check_value(JsonView(document, std::string(file)), keys);
}

}  // namespace berth::render
