// What a finished config.json does on the host.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "exports/config_json.hpp"
#include "exports/powers.hpp"

namespace berth::exports {
namespace {

using base::Json;

/// Capabilities that are as good as root on the host (capabilities(7)).
constexpr std::array<std::string_view, 12> strong_capabilities = {
    "CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",    "CAP_SYS_PTRACE", "CAP_SYS_BOOT", "CAP_DAC_READ_SEARCH",
    "CAP_NET_ADMIN", "CAP_MAC_ADMIN",  "CAP_MAC_OVERRIDE", "CAP_SYS_TIME",   "CAP_BPF",      "CAP_SYSLOG"};

/// Those with which a process gets out of any container.
constexpr std::array<std::string_view, 3> host_capabilities = {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO"};

/// Folders of the host that decide what its programs do.
constexpr std::array<std::string_view, 20> host_folders = {
    "/",    "/bin",  "/boot", "/dev", "/etc", "/home",    "/lib",         "/lib64",    "/proc",    "/root",
    "/run", "/sbin", "/sys",  "/usr", "/var", "/var/lib", "/run/systemd", "/run/dbus", "/usr/bin", "/var/run"};

/// From here on the set is called "all": kernels differ in the newest ones.
constexpr std::size_t all_capabilities = 35;

const Json* find(const Json& parent, const char* key) {
  if (!parent.is_object()) {
    return nullptr;
  }
  const auto found = parent.find(key);
  return found == parent.end() ? nullptr : &*found;
}

std::string text_of(const Json& parent, const char* key) {
  const Json* value = find(parent, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

/// Elements of a list member; none when it is something else.
const Json& list_of(const Json& parent, const char* key) {
  static const Json none = Json::array();
  const Json* value = find(parent, key);
  return value != nullptr && value->is_array() ? *value : none;
}

const Json& section_of(const Json& parent, const char* key) {
  static const Json none = Json::object();
  const Json* value = find(parent, key);
  return value != nullptr && value->is_object() ? *value : none;
}

bool has_option(const Json& mount, std::string_view wanted) {
  const Json& options = list_of(mount, "options");
  return std::any_of(options.begin(), options.end(), [&](const Json& option) { return option == wanted; });
}

bool is_bind(const Json& mount) {
  return text_of(mount, "type") == "bind" || has_option(mount, "bind") || has_option(mount, "rbind");
}

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') {
    path.remove_suffix(1);
  }
  return path;
}

using Powers = std::vector<Power>;

void add_capabilities(const Json& process, Powers& powers) {
  std::set<std::string> names;
  const Json& sets = section_of(process, "capabilities");
  for (const char* set : {"bounding", "effective", "permitted"}) {
    for (const auto& name : list_of(sets, set)) {
      if (name.is_string()) {
        names.insert(name.get<std::string>());
      }
    }
  }
  std::vector<std::string> strong;
  std::copy_if(names.begin(), names.end(), std::back_inserter(strong), [](const std::string& name) {
    return std::find(strong_capabilities.begin(), strong_capabilities.end(), name) != strong_capabilities.end();
  });
  if (names.size() >= all_capabilities && strong.size() >= 8) {
    powers.push_back({fmt::format("runs with all capabilities ({})", names.size()), true});
  } else if (!strong.empty()) {
    const bool over_host = std::any_of(host_capabilities.begin(), host_capabilities.end(),
                                       [&](std::string_view name) { return names.contains(std::string(name)); });
    powers.push_back({fmt::format("has powerful capabilities: {}", fmt::join(strong, ", ")), over_host});
  }
}

void add_namespaces(const Json& section, Powers& powers) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kinds = {
      {{"network", "network"}, {"pid", "processes (pid namespace)"}, {"ipc", "IPC namespace"}, {"mount", "mounts"}}};
  const Json& spaces = list_of(section, "namespaces");
  for (const auto& [type, what] : kinds) {
    const auto own =
        std::find_if(spaces.begin(), spaces.end(), [t = type](const Json& s) { return text_of(s, "type") == t; });
    if (own == spaces.end()) {
      powers.push_back({fmt::format("shares the host's {}", what), type == "mount"});
    } else if (const auto path = text_of(*own, "path"); !path.empty()) {
      powers.push_back({fmt::format("joins the {} namespace {}", type, base::printable(path)), type == "mount"});
    }
  }
}

void add_binds(const Json& document, Powers& powers) {
  for (const auto& mount : list_of(document, "mounts")) {
    if (is_bind(mount)) {
      const auto source = text_of(mount, "source");
      const bool writable = is_writable_mount(mount);
      const bool over_host = writable && std::find(host_folders.begin(), host_folders.end(), without_slashes(source)) !=
                                             host_folders.end();
      powers.push_back(
          {fmt::format("binds the host's {} {} at {}", base::printable(source), writable ? "read-write" : "read-only",
                       base::printable(text_of(mount, "destination"))),
           over_host});
    }
  }
}

void add_devices(const Json& section, Powers& powers) {
  for (const auto& device : list_of(section, "devices")) {
    powers.push_back({fmt::format("gets the device {}", base::printable(text_of(device, "path")))});
  }
  for (const auto& rule : list_of(section_of(section, "resources"), "devices")) {
    const Json* allow = find(rule, "allow");
    if (allow == nullptr || *allow != true) {
      continue;
    }
    const auto number = [&](const char* key) {
      const Json* value = find(rule, key);
      return value != nullptr && value->is_number_integer() && *value >= 0 ? value->dump() : "*";
    };
    const std::string type = text_of(rule, "type");
    const bool all = (type.empty() || type == "a") && number("major") == "*" && number("minor") == "*";
    powers.push_back({all ? "may use devices: all"
                          : fmt::format("may use devices: {} {}:{} ({})", base::printable(type.empty() ? "a" : type),
                                        number("major"), number("minor"), base::printable(text_of(rule, "access"))),
                      all});
  }
}

void add_hooks(const Json& document, Powers& powers) {
  const Json& hooks = section_of(document, "hooks");
  for (const auto& [stage, list] : hooks.items()) {
    for (const auto& hook : list_of(hooks, stage.c_str())) {
      const bool inside = stage == "startContainer";  // the only stage that runs in the container's own files
      powers.push_back({fmt::format("hooks run {}: {} ({})", inside ? "in the container" : "on the host",
                                    base::printable(text_of(hook, "path")), base::printable(stage)),
                        !inside});
    }
  }
}

}  // namespace

std::vector<std::string> bind_sources(const base::Json& config) {
  std::vector<std::string> sources;
  for (const auto& mount : list_of(config, "mounts")) {
    if (is_bind(mount)) {
      sources.push_back(text_of(mount, "source"));
    }
  }
  return sources;
}

bool is_writable_mount(const base::Json& mount) {
  bool writable = true;
  for (const auto& option : list_of(mount, "options")) {
    if (option == "ro" || option == "rw") {
      writable = option == "rw";
    }
  }
  return writable;
}

std::vector<Power> powerful_requests(const base::Json& config) {
  Powers powers;
  const Json& process = section_of(config, "process");
  const Json& section = section_of(config, "linux");
  add_capabilities(process, powers);
  add_namespaces(section, powers);
  add_binds(config, powers);
  add_devices(section, powers);
  add_hooks(config, powers);
  if (const auto propagation = text_of(section, "rootfsPropagation");
      propagation == "shared" || propagation == "rshared") {
    powers.push_back({"shares its mounts with the host (rootfsPropagation)"});
  }
  for (const auto& [name, value] : section_of(section, "sysctl").items()) {
    powers.push_back({fmt::format("sets the kernel parameter {}", base::printable(name))});
  }
  return powers;
}

}  // namespace berth::exports
