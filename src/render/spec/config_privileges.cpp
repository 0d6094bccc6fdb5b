// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_privileges.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "base/json.hpp"
#include "render/spec/sensitive_paths.hpp"
#include "render/unit/host_path.hpp"

namespace berth::render {
namespace {

using base::Json;

/// Capabilities that reach beyond the container (capabilities(7)).
constexpr std::array<std::string_view, 14> strong_capabilities = {
    "CAP_SYS_ADMIN", "CAP_SYS_MODULE",   "CAP_SYS_RAWIO", "CAP_SYS_PTRACE", "CAP_SYS_BOOT", "CAP_DAC_READ_SEARCH",
    "CAP_NET_ADMIN", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYS_TIME",   "CAP_BPF",      "CAP_CHECKPOINT_RESTORE",
    "CAP_PERFMON",   "CAP_SYSLOG"};

/// Those that let a process leave any container, by loading a module or a kernel, or by opening any host file by its
/// handle (kexec_load(2), open_by_handle_at(2)).
constexpr std::array<std::string_view, 5> host_capabilities = {"CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",
                                                               "CAP_SYS_BOOT", "CAP_DAC_READ_SEARCH"};

/// Host directories that control its programs, in addition to the sensitive paths.
constexpr std::array<std::string_view, 9> host_directories = {"/bin",  "/dev", "/home", "/opt",        "/proc",
                                                              "/sbin", "/sys", "/run",  "/run/systemd"};

/// The same with everything below: programs, and files that control the kernel.
constexpr std::array<std::string_view, 13> host_trees = {
    "/bin/",       "/sbin/",        "/lib/",           "/lib64/",          "/usr/bin/", "/usr/sbin/", "/usr/lib/",
    "/usr/lib64/", "/usr/libexec/", "/usr/local/bin/", "/usr/local/sbin/", "/proc/",    "/sys/"};

/// Directories with sockets of services that execute commands as root. A read-only bind does not prevent a connection.
constexpr std::array<std::string_view, 2> commanding_directories = {"/run", "/run/systemd"};

/// The same with everything below, and the sockets themselves.
constexpr std::array<std::string_view, 20> commanding_trees = {
    "/run/acpid.socket", "/run/buildkit",  "/run/containerd",   "/run/cri-dockerd.sock",
    "/run/crio",         "/run/dbus",      "/run/docker",       "/run/docker.sock",
    "/run/incus",        "/run/initctl",   "/run/k3s",          "/run/libvirt",
    "/run/lxd",          "/run/podman",    "/run/snapd.socket", "/run/systemd/private",
    "/run/udev/control", "/var/lib/incus", "/var/lib/lxd",      "/var/snap/lxd"};

/// A set of at least this size is called "all", since kernels differ in the newest capabilities.
constexpr std::size_t all_capabilities = 35;

template <std::size_t size>
bool is_one_of(std::string_view text, const std::array<std::string_view, size>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

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

/// A list member; an empty list when it is absent or of another type.
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

using Privileges = std::vector<Privilege>;

void add_capabilities(const Json& process, bool own_processes, Privileges& privileges) {
  std::set<std::string> names;
  const Json& sets = section_of(process, "capabilities");
  for (const char* set : {"bounding", "effective", "permitted", "inheritable", "ambient"}) {
    for (const auto& name : list_of(sets, set)) {
      if (name.is_string()) {
        names.insert(name.get<std::string>());
      }
    }
  }
  std::vector<std::string> strong;
  std::copy_if(names.begin(), names.end(), std::back_inserter(strong),
               [](const std::string& name) { return is_one_of(name, strong_capabilities); });
  if (names.size() >= all_capabilities && strong.size() >= 8) {
    privileges.push_back({fmt::format("runs with all capabilities ({})", names.size()), true});
  } else if (!strong.empty()) {
    const bool debugs_host = !own_processes && names.contains("CAP_SYS_PTRACE");
    const bool over_host = debugs_host || std::any_of(strong.begin(), strong.end(), [](const std::string& name) {
                             return is_one_of(name, host_capabilities);
                           });
    privileges.push_back({fmt::format("has powerful capabilities: {}", fmt::join(strong, ", ")), over_host});
  }
}

const Json* own_namespace(const Json& section, std::string_view type) {
  const Json& spaces = list_of(section, "namespaces");
  const auto own =
      std::find_if(spaces.begin(), spaces.end(), [&](const Json& space) { return text_of(space, "type") == type; });
  return own == spaces.end() ? nullptr : &*own;
}

/// The host's user, cgroup and time namespaces are not reported: every service has them.
void add_namespaces(const Json& section, Privileges& privileges) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kinds = {{{"network", "network"},
                                                                                   {"pid", "processes (pid namespace)"},
                                                                                   {"ipc", "IPC namespace"},
                                                                                   {"uts", "name (UTS namespace)"},
                                                                                   {"mount", "mounts"}}};
  for (const auto& [type, what] : kinds) {
    if (own_namespace(section, type) == nullptr) {
      privileges.push_back({fmt::format("shares the host's {}", what), type == "mount"});
    }
  }
  for (const auto& space : list_of(section, "namespaces")) {
    if (const auto path = text_of(space, "path"); !path.empty()) {
      const auto type = text_of(space, "type");
      privileges.push_back(
          {fmt::format("joins the {} namespace {}", base::printable(type), base::printable(path)), type == "mount"});
    }
  }
}

/// Whether a bind of `source` is equivalent to root on the host.
bool is_over_host(std::string_view source, bool writable, bool recursive) {
  const auto place = normalized_host_path(source);
  const bool commands = std::any_of(commanding_trees.begin(), commanding_trees.end(),
                                    [&](std::string_view tree) { return is_below(place, tree); });
  if (commands || is_one_of(place, commanding_directories) || (recursive && place == "/")) {
    return true;
  }
  const auto below = place + "/";
  return writable && !is_below(place, "/sys/fs/cgroup") &&
         (is_one_of(place, host_directories) || reaches_sensitive_path(place) ||
          std::any_of(host_trees.begin(), host_trees.end(), [&](auto tree) { return below.starts_with(tree); }));
}

/// Whether `path` is hidden or made read-only by the runtime, or covered by a mount of the container.
bool is_covered(const Json& document, const std::string& path) {
  const auto is_path = [&](const Json& one) { return one == path; };
  const Json& section = section_of(document, "linux");
  const Json& mounts = list_of(document, "mounts");
  return std::any_of(list_of(section, "readonlyPaths").begin(), list_of(section, "readonlyPaths").end(), is_path) ||
         std::any_of(list_of(section, "maskedPaths").begin(), list_of(section, "maskedPaths").end(), is_path) ||
         std::any_of(mounts.begin(), mounts.end(),
                     [&](const Json& one) { return text_of(one, "destination") == path; });
}

bool is_of_kernel(std::string_view destination) {
  const auto place = normalized_host_path(destination);
  return is_below(place, "/proc") || is_below(place, "/sys") || place == "/";
}

/// Files of proc(5) through which root of the container controls the kernel without any capability.
std::optional<Privilege> proc_privilege(const Json& document, const std::string& destination) {
  if (!is_covered(document, destination + "/sys")) {
    return Privilege{
        fmt::format("may write the kernel's settings at {}/sys, which is not read-only", base::printable(destination)),
        true};
  }
  if (!is_covered(document, destination + "/sysrq-trigger")) {
    return Privilege{fmt::format("may restart the machine by {}/sysrq-trigger, which is not read-only",
                                 base::printable(destination))};
  }
  return std::nullopt;
}

/// The directories of an overlay mount, for the message.
std::string layers_of(const Json& mount) {
  std::string layers;
  for (const auto& option : list_of(mount, "options")) {
    const auto text = option.is_string() ? option.get<std::string>() : "";
    for (const std::string_view key : {"lowerdir", "upperdir", "workdir"}) {
      if (text.starts_with(key)) {
        layers += fmt::format("{}{}", layers.empty() ? ", of " : ",", base::printable(text));
      }
    }
  }
  return layers;
}

/// A kernel file system, or one of a device. Root in the container, even without capabilities, can write to files that
/// belong to root there, and so make the kernel run a program on the host (core(5)).
std::optional<Privilege> mount_privilege(const Json& document, const Json& mount) {
  constexpr std::array<std::string_view, 5> harmless = {"tmpfs", "devpts", "mqueue", "none", ""};
  const auto type = text_of(mount, "type");
  const auto destination = std::string(without_slashes(text_of(mount, "destination")));
  const bool writable = is_writable_mount(mount);
  if (has_option(mount, "remount")) {  // changes an earlier mount of the list
    return Privilege{fmt::format("changes the mount at {} to {}", base::printable(destination),
                                 writable ? "read-write" : "read-only"),
                     writable && is_of_kernel(destination)};
  }
  if (is_one_of(type, harmless)) {
    return std::nullopt;
  }
  if (type == "proc") {
    return writable ? proc_privilege(document, destination) : std::nullopt;
  }
  if (type == "sysfs") {
    return writable
               ? std::optional(Privilege{fmt::format("may write the kernel's settings at {}, which is not read-only",
                                                     base::printable(destination)),
                                         true})
               : std::nullopt;
  }
  if (type == "cgroup" || type == "cgroup2") {
    const bool own = own_namespace(section_of(document, "linux"), "cgroup") != nullptr;
    return writable && !own ? std::optional(Privilege{fmt::format("may change the host's control groups at {}",
                                                                  base::printable(destination))})
                            : std::nullopt;
  }
  return Privilege{fmt::format("mounts the file system {} ({}) {} at {}{}", base::printable(text_of(mount, "source")),
                               base::printable(type), writable ? "read-write" : "read-only",
                               base::printable(destination), layers_of(mount)),
                   writable};
}

void add_mounts(const Json& document, Privileges& privileges) {
  for (const auto& mount : list_of(document, "mounts")) {
    if (is_bind_mount(mount)) {
      privileges.push_back(bind_privilege(mount));
    } else if (auto privilege = mount_privilege(document, mount)) {
      privileges.push_back(std::move(*privilege));
    }
  }
}

/// Settings that lift the host's default confinement.
void add_confinement(const Json& process, Privileges& privileges) {
  if (const auto profile = text_of(process, "apparmorProfile"); profile == "unconfined") {
    privileges.push_back({"runs without an AppArmor profile"});
  }
  if (const auto label = text_of(process, "selinuxLabel");
      label.find(":spc_t:") != std::string::npos || label.find("unconfined") != std::string::npos) {
    privileges.push_back({fmt::format("runs unconfined by SELinux: {}", base::printable(label))});
  }
  const Json* spared = find(process, "oomScoreAdj");
  if (spared != nullptr && spared->is_number_integer() && *spared < 0) {
    privileges.push_back({fmt::format("is spared when memory runs out (oomScoreAdj {})", spared->dump())});
  }
}

/// Real-time priorities, which take CPU time and disk bandwidth from other services.
void add_priorities(const Json& process, Privileges& privileges) {
  const auto policy = text_of(section_of(process, "scheduler"), "policy");
  constexpr std::array<std::string_view, 3> first = {"SCHED_FIFO", "SCHED_RR", "SCHED_DEADLINE"};
  if (is_one_of(policy, first)) {
    privileges.push_back({fmt::format("may keep the processor from others ({})", policy)});
  }
  if (text_of(section_of(process, "ioPriority"), "class") == "IOPRIO_CLASS_RT") {
    privileges.push_back({"may keep the disks from others (IOPRIO_CLASS_RT)"});
  }
}

/// Annotations that runtimes obey (crun(1), the page on systemd in runc's documentation, criu).
void add_annotations(const Json& document, Privileges& privileges) {
  for (const auto& [key, value] : section_of(document, "annotations").items()) {
    for (const std::string_view prefix : {"run.oci.", "org.systemd.property.", "org.criu."}) {
      if (key.starts_with(prefix)) {
        const auto text = value.is_string() ? value.get<std::string>() : value.dump();
        privileges.push_back(
            {fmt::format("gives the runtime an annotation: {}={}", base::printable(key), base::printable(text))});
      }
    }
  }
}

void add_devices(const Json& section, Privileges& privileges) {
  for (const auto& device : list_of(section, "devices")) {
    privileges.push_back({fmt::format("gets the device {}", base::printable(text_of(device, "path")))});
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
    privileges.push_back(
        {all ? "may use devices: all"
             : fmt::format("may use devices: {} {}:{} ({})", base::printable(type.empty() ? "a" : type),
                           number("major"), number("minor"), base::printable(text_of(rule, "access"))),
         all});
  }
}

void add_hooks(const Json& document, Privileges& privileges) {
  const Json& hooks = section_of(document, "hooks");
  for (const auto& [stage, list] : hooks.items()) {
    for (const auto& hook : list_of(hooks, stage.c_str())) {
      const bool inside = stage == "startContainer";  // the only stage that runs inside the container
      privileges.push_back({fmt::format("hooks run {}: {} ({})", inside ? "in the container" : "on the host",
                                        base::printable(text_of(hook, "path")), base::printable(stage)),
                            !inside});
    }
  }
}

}  // namespace

std::vector<std::string> bind_sources(const base::Json& config) {
  std::vector<std::string> sources;
  for (const auto& mount : list_of(config, "mounts")) {
    if (is_bind_mount(mount)) {
      sources.push_back(bind_source(mount));
    }
  }
  return sources;
}

bool is_bind_mount(const base::Json& mount) {
  return text_of(mount, "type") == "bind" || has_option(mount, "bind") || has_option(mount, "rbind");
}

std::string bind_source(const base::Json& mount) {
  return is_bind_mount(mount) ? text_of(mount, "source") : "";
}

Privilege bind_privilege(const base::Json& mount, const std::string& source) {
  const auto given = text_of(mount, "source");
  const bool writable = is_writable_mount(mount);
  const bool shared = has_option(mount, "shared") || has_option(mount, "rshared");
  const auto where = source.empty() ? "" : fmt::format(", which leads to {},", base::printable(source));
  return {fmt::format("binds the host's {}{} {} at {}{}", base::printable(given), where,
                      writable ? "read-write" : "read-only", base::printable(text_of(mount, "destination")),
                      shared ? ", sharing mounts" : ""),
          is_over_host(source.empty() ? given : source, writable, has_option(mount, "rbind"))};
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

std::vector<Privilege> config_privileges(const base::Json& config, std::string_view cgroups_path) {
  Privileges privileges;
  const Json& process = section_of(config, "process");
  const Json& section = section_of(config, "linux");
  add_capabilities(process, own_namespace(section, "pid") != nullptr, privileges);
  add_confinement(process, privileges);
  add_priorities(process, privileges);
  add_namespaces(section, privileges);
  add_mounts(config, privileges);
  add_devices(section, privileges);
  add_hooks(config, privileges);
  add_annotations(config, privileges);
  if (const auto socket = text_of(section_of(section, "seccomp"), "listenerPath"); !socket.empty()) {
    privileges.push_back({fmt::format("lets {} decide on its system calls", base::printable(socket))});
  }
  if (const auto propagation = text_of(section, "rootfsPropagation");
      propagation == "shared" || propagation == "rshared") {
    privileges.push_back({"shares its mounts with the host (rootfsPropagation)"});
  }
  if (const auto path = text_of(section, "cgroupsPath"); !path.empty() && path != cgroups_path) {
    privileges.push_back({fmt::format("is not in the control group of its unit but in {}", base::printable(path))});
  }
  for (const auto& [name, device] : section_of(section, "netDevices").items()) {
    privileges.push_back({fmt::format("takes the network device {} from the host", base::printable(name))});
  }
  for (const auto& [name, value] : section_of(section, "sysctl").items()) {
    privileges.push_back({fmt::format("sets the kernel parameter {}", base::printable(name))});
  }
  return privileges;
}

}  // namespace berth::render
