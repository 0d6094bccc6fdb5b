// What a finished config.json does on the host.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "exports/config_json.hpp"

namespace berth::exports {
namespace {

using base::Json;

/// Capabilities that are as good as root on the host (capabilities(7)).
constexpr std::array<std::string_view, 12> strong_capabilities = {
    "CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO",    "CAP_SYS_PTRACE", "CAP_SYS_BOOT", "CAP_DAC_READ_SEARCH",
    "CAP_NET_ADMIN", "CAP_MAC_ADMIN",  "CAP_MAC_OVERRIDE", "CAP_SYS_TIME",   "CAP_BPF",      "CAP_SYSLOG"};

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

using Sentences = std::vector<std::string>;

void add_capabilities(const Json& process, Sentences& sentences) {
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
    sentences.push_back(fmt::format("runs with all capabilities ({})", names.size()));
  } else if (!strong.empty()) {
    sentences.push_back(fmt::format("has powerful capabilities: {}", fmt::join(strong, ", ")));
  }
}

void add_namespaces(const Json& section, Sentences& sentences) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kinds = {
      {{"network", "network"}, {"pid", "processes (pid namespace)"}, {"ipc", "IPC namespace"}, {"mount", "mounts"}}};
  const Json& spaces = list_of(section, "namespaces");
  for (const auto& [type, what] : kinds) {
    const auto own =
        std::find_if(spaces.begin(), spaces.end(), [t = type](const Json& s) { return text_of(s, "type") == t; });
    if (own == spaces.end()) {
      sentences.push_back(fmt::format("shares the host's {}", what));
    } else if (const auto path = text_of(*own, "path"); !path.empty()) {
      sentences.push_back(fmt::format("joins the {} namespace {}", type, base::printable(path)));
    }
  }
}

void add_binds(const Json& document, Sentences& sentences) {
  for (const auto& mount : list_of(document, "mounts")) {
    if (is_bind(mount)) {
      sentences.push_back(fmt::format("binds the host's {} {} at {}", base::printable(text_of(mount, "source")),
                                      has_option(mount, "ro") ? "read-only" : "read-write",
                                      base::printable(text_of(mount, "destination"))));
    }
  }
}

void add_devices(const Json& section, Sentences& sentences) {
  for (const auto& device : list_of(section, "devices")) {
    sentences.push_back(fmt::format("gets the device {}", base::printable(text_of(device, "path"))));
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
    sentences.push_back(all ? "may use devices: all"
                            : fmt::format("may use devices: {} {}:{} ({})", base::printable(type.empty() ? "a" : type),
                                          number("major"), number("minor"), base::printable(text_of(rule, "access"))));
  }
}

void add_hooks(const Json& document, Sentences& sentences) {
  const Json& hooks = section_of(document, "hooks");
  for (const auto& [stage, list] : hooks.items()) {
    for (const auto& hook : list_of(hooks, stage.c_str())) {
      const bool inside = stage == "startContainer";  // the only stage that runs in the container's own files
      sentences.push_back(fmt::format("hooks run {}: {} ({})", inside ? "in the container" : "on the host",
                                      base::printable(text_of(hook, "path")), base::printable(stage)));
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

std::vector<std::string> powerful_requests(const base::Json& config) {
  Sentences sentences;
  const Json& process = section_of(config, "process");
  const Json& section = section_of(config, "linux");
  add_capabilities(process, sentences);
  add_namespaces(section, sentences);
  add_binds(config, sentences);
  add_devices(section, sentences);
  add_hooks(config, sentences);
  if (const auto propagation = text_of(section, "rootfsPropagation");
      propagation == "shared" || propagation == "rshared") {
    sentences.emplace_back("shares its mounts with the host (rootfsPropagation)");
  }
  for (const auto& [name, value] : section_of(section, "sysctl").items()) {
    sentences.push_back(fmt::format("sets the kernel parameter {}", base::printable(name)));
  }
  return sentences;
}

}  // namespace berth::exports
