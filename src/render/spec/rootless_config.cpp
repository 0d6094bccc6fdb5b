// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/rootless_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/unit_quoting.hpp"
#include "base/unit_syntax.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/tmpfiles_line.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

constexpr std::uint64_t id_limit = std::numeric_limits<unsigned>::max() - 1U;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// 0 for anything but a number; the runtime reports such a value.
std::uint64_t number_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() && *found >= 0 ? found->get<std::uint64_t>() : 0;
}

bool is_mapped(const std::vector<IdMapping>& mappings, std::uint64_t id) {
  return std::any_of(mappings.begin(), mappings.end(), [id](const IdMapping& mapping) {
    return id >= mapping.container && id - mapping.container < mapping.size;
  });
}

Json as_json(const std::vector<IdMapping>& mappings) {
  Json list = Json::array();
  for (const auto& mapping : mappings) {
    list.push_back({{"containerID", mapping.container}, {"hostID", mapping.host}, {"size", mapping.size}});
  }
  return list;
}

/// Converts one document.
class Conversion {
 public:
  Conversion(Json& document, const Rootless& rootless) : document_(document), rootless_(rootless) {}

  std::vector<std::string> run(const std::string& cgroups_path) {
    Json& section = document_["linux"];
    if (section.is_null()) {
      section = Json::object();
    }
    convert_namespaces(section);
    section["uidMappings"] = as_json(rootless_.uids);
    section["gidMappings"] = as_json(rootless_.gids);
    if (const auto own = text_of(section, "cgroupsPath"); !own.empty() && own != cgroups_path) {
      done_.push_back(fmt::format("linux.cgroupsPath {} replaced: it is not the user's", base::printable(own)));
    }
    section["cgroupsPath"] = cgroups_path;
    section.erase("intelRdt");
    convert_resources(section);
    convert_mounts();
    convert_process();
    return std::move(done_);
  }

 private:
  void convert_namespaces(Json& section) {
    Json kept = Json::array();
    for (auto& entry : section.value("namespaces", Json::array())) {
      const auto type = text_of(entry, "type");
      if (type == "network") {
        done_.emplace_back("the network namespace removed: a user's container has the network of the host");
      } else if (type != "user") {
        own_namespaces_.push_back(type);
        kept.push_back(std::move(entry));
      }
    }
    kept.push_back({{"type", "user"}});
    section["namespaces"] = std::move(kept);
  }

  [[nodiscard]] bool has_own(std::string_view type) const {
    return std::find(own_namespaces_.begin(), own_namespaces_.end(), type) != own_namespaces_.end();
  }

  void convert_resources(Json& section) {
    static const std::map<std::string, std::string, std::less<>> controllers = {
        {"memory", "memory"}, {"cpu", "cpu"}, {"pids", "pids"}, {"blockIO", "io"}, {"hugepageLimits", "hugetlb"}};
    const auto resources = section.find("resources");
    if (resources == section.end()) {
      return;
    }
    Json kept = Json::object();
    std::vector<std::string> dropped;
    for (auto& [name, value] : resources->items()) {
      const auto controller = controllers.find(name);
      const auto& own = rootless_.controllers;
      if (controller != controllers.end() && std::find(own.begin(), own.end(), controller->second) != own.end()) {
        kept[name] = value;
      } else if (name != "devices" && !value.empty()) {
        dropped.push_back(name);
      }
    }
    if (!dropped.empty()) {
      done_.push_back(fmt::format("limits removed that a user cannot set here: {}", fmt::join(dropped, ", ")));
    }
    section.erase("resources");
    if (!kept.empty()) {
      section["resources"] = std::move(kept);
    }
  }

  void convert_mounts() {
    const auto mounts = document_.find("mounts");
    if (mounts == document_.end()) {
      return;
    }
    for (auto& mount : *mounts) {
      replace_kernel_mount(mount);
      convert_options(mount);
    }
  }

  /// A kernel file system can be mounted only by the owner of the namespace that it shows (user_namespaces(7)).
  void replace_kernel_mount(Json& mount) {
    static constexpr std::array<std::array<const char*, 3>, 3> kinds = {
        {{"sysfs", "network", "/sys"}, {"proc", "pid", "/proc"}, {"mqueue", "ipc", "/dev/mqueue"}}};
    const auto type = text_of(mount, "type");
    for (const auto& [file_system, space, place] : kinds) {
      if (type == file_system && !has_own(space)) {
        const bool read_only = type != "mqueue";
        mount["type"] = "bind";
        mount["source"] = place;
        mount["options"] = {"rbind", "nosuid", "noexec", "nodev", read_only ? "ro" : "rw"};
      }
    }
  }

  void convert_options(Json& mount) {
    Json kept = Json::array();
    for (const auto& option : mount.value("options", Json::array())) {
      const auto text = option.get<std::string>();
      if (text != "suid" && text != "dev" && !names_unmapped_id(text)) {
        kept.push_back(text);
      }
    }
    if (!is_below(text_of(mount, "destination"), "/dev")) {
      for (const char* wanted : {"nosuid", "nodev"}) {
        if (std::find(kept.begin(), kept.end(), wanted) == kept.end()) {
          kept.push_back(wanted);
        }
      }
    }
    mount["options"] = std::move(kept);
  }

  /// `gid=5` of a devpts, `uid=…` of a tmpfs.
  [[nodiscard]] bool names_unmapped_id(const std::string& option) const {
    const bool group = option.starts_with("gid=");
    if (!group && !option.starts_with("uid=")) {
      return false;
    }
    const auto id = parse_id(option.substr(4));
    return !id || !is_mapped(group ? rootless_.gids : rootless_.uids, *id);
  }

  static std::optional<std::uint64_t> parse_id(const std::string& text) {
    constexpr std::size_t most_digits = 10;
    if (text.empty() || text.size() > most_digits || text.find_first_not_of("0123456789") != std::string::npos) {
      return std::nullopt;
    }
    return std::stoull(text);
  }

  void convert_process() {
    Json& process = document_["process"];
    if (process.contains("oomScoreAdj")) {
      process.erase("oomScoreAdj");
      done_.emplace_back("process.oomScoreAdj removed: only root may lower it");
    }
    convert_rlimits(process);
    auto user = process.value("user", Json::object());
    check_mapped(user, "uid", rootless_.uids);
    check_mapped(user, "gid", rootless_.gids);
    convert_groups(user);
    process["user"] = std::move(user);
  }

  void check_mapped(const Json& user, const char* key, const std::vector<IdMapping>& mappings) const {
    const auto id = number_of(user, key);
    if (!is_mapped(mappings, id)) {
      throw Error(
          ErrorKind::not_permitted,
          fmt::format("the container runs as {} {}, and {} has no subordinate id for that", key, id, rootless_.name),
          rootless_.remedy.empty()
              ? fmt::format("as root, assign {} an unused range with usermod --add-subuids", rootless_.name)
              : fmt::format("as root, assign some: {}", rootless_.remedy));
    }
  }

  /// All files of the image belong to the container's root and its group: a command that does not run as root reads
  /// them as a member of that group.
  void convert_groups(Json& user) const {
    Json groups = Json::array();
    if (rootless_.sets_groups && rootless_.gids.size() > 1) {
      for (const auto& group : user.value("additionalGids", Json::array())) {
        if (group.is_number_unsigned() && is_mapped(rootless_.gids, group.get<std::uint64_t>()) && group != 0) {
          groups.push_back(group);
        }
      }
      if (number_of(user, "uid") != 0) {
        groups.push_back(0);
      }
    }
    user.erase("additionalGids");
    if (!groups.empty()) {
      user["additionalGids"] = std::move(groups);
    }
  }

  /// Only a process with CAP_SYS_RESOURCE can raise a hard limit (setrlimit(2)).
  void convert_rlimits(Json& process) {
    static const std::map<std::string, int, std::less<>> types = {{"RLIMIT_AS", RLIMIT_AS},
                                                                  {"RLIMIT_CORE", RLIMIT_CORE},
                                                                  {"RLIMIT_CPU", RLIMIT_CPU},
                                                                  {"RLIMIT_DATA", RLIMIT_DATA},
                                                                  {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                                                  {"RLIMIT_LOCKS", RLIMIT_LOCKS},
                                                                  {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                                                  {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
                                                                  {"RLIMIT_NICE", RLIMIT_NICE},
                                                                  {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                                                  {"RLIMIT_NPROC", RLIMIT_NPROC},
                                                                  {"RLIMIT_RSS", RLIMIT_RSS},
                                                                  {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
                                                                  {"RLIMIT_RTTIME", RLIMIT_RTTIME},
                                                                  {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
                                                                  {"RLIMIT_STACK", RLIMIT_STACK}};
    std::vector<std::string> lowered;
    for (auto& limit : process.value("rlimits", Json::array())) {
      const auto type = types.find(text_of(limit, "type"));
      struct rlimit own {};
      if (type == types.end() || ::getrlimit(static_cast<__rlimit_resource>(type->second), &own) != 0) {
        continue;
      }
      if (number_of(limit, "hard") > own.rlim_max) {
        lowered.push_back(type->first);
      }
    }
    if (lowered.empty()) {
      return;
    }
    auto& limits = process["rlimits"];
    limits.erase(std::remove_if(limits.begin(), limits.end(),
                                [&](const Json& limit) {
                                  return std::find(lowered.begin(), lowered.end(), text_of(limit, "type")) !=
                                         lowered.end();
                                }),
                 limits.end());
    done_.push_back(fmt::format("limits removed that only root may raise: {}", fmt::join(lowered, ", ")));
  }

  Json& document_;
  const Rootless& rootless_;
  std::vector<std::string> own_namespaces_;
  std::vector<std::string> done_;
};

/// An octal mode, possibly after `~` or `:`, with the owner's rights added to the group's.
std::string mode_field(std::string_view field, bool group_writes) {
  const auto begin = field.find_first_of("01234567");
  unsigned mode = 0;
  const auto* end = field.data() + field.size();
  if (!group_writes || begin == std::string_view::npos ||
      std::from_chars(field.data() + begin, end, mode, 8).ptr != end) {
    return std::string(field);
  }
  return fmt::format("{}{:04o}", field.substr(0, begin), mode | ((mode & 0700U) >> 3U));
}

}  // namespace

std::vector<IdMapping> id_mappings(unsigned own, const std::vector<std::pair<unsigned, unsigned>>& ranges) {
  std::vector<IdMapping> mappings = {{0, own, 1}};
  std::uint64_t next = 1;
  for (const auto& [first, count] : ranges) {
    const auto size = std::min<std::uint64_t>(count, id_limit - next);
    if (size == 0) {
      break;
    }
    mappings.push_back({static_cast<unsigned>(next), first, static_cast<unsigned>(size)});
    next += size;
  }
  return mappings;
}

std::vector<std::string> convert_to_rootless(base::Json& document, const Rootless& rootless,
                                             const std::string& cgroups_path) {
  return Conversion(document, rootless).run(cgroups_path);
}

std::string rootless_unit(std::string_view unit) {
  const auto assignments = base::parse_unit(unit).assignments;
  auto next = assignments.begin();
  bool in_install = false;
  std::size_t number = 0;
  return each_line(unit, [&](std::string_view line) {
    for (++number; next != assignments.end() && next->line <= number; ++next) {
      in_install = next->section == "Install";
    }
    std::string changed(line);
    const auto content = line.find_first_not_of(base::unit_blanks);
    if (!in_install || content == std::string_view::npos || line[content] == '#' || line[content] == ';') {
      return changed;
    }
    for (const std::string_view target : {"multi-user.target", "graphical.target"}) {
      if (const auto at = changed.find(target); at != std::string::npos) {
        changed.replace(at, target.size(), "default.target");
      }
    }
    return changed;
  });
}

bool runs_as_root(const base::Json& document) {
  const auto process = document.find("process");
  return process == document.end() || number_of(process->value("user", Json::object()), "uid") == 0;
}

std::string rootless_tmpfiles(std::string_view lines, bool group_writes) {
  return each_line(lines, [group_writes](std::string_view line) {
    if (line.starts_with('#')) {
      return std::string(line);
    }
    std::string changed(take_tmpfiles_field(line));  // type
    changed += take_tmpfiles_field(line);            // path
    changed += mode_field(take_tmpfiles_field(line), group_writes);
    for (const bool blank : {take_tmpfiles_field(line).empty(), take_tmpfiles_field(line).empty()}) {  // owner, group
      changed += blank ? "" : " -";
    }
    return changed.append(line);
  });
}

}  // namespace berth::render
