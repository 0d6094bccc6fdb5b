// Powers beside config.json: units and files on the host.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "exports/powers.hpp"
#include "exports/unit_syntax.hpp"

namespace berth::exports {
namespace {

constexpr std::array<std::string_view, 4> runtime_calls = {"EXEC_START", "EXEC_STOP", "EXEC_STARTPRE", "EXEC_STOPPOST"};
constexpr std::size_t shown_bytes = 160;  ///< of a line of the image

/// Where programs of root look for what to do; each with all that begins so.
constexpr std::array<std::string_view, 47> obeyed_places = {"/boot/",
                                                            "/efi/",
                                                            "/etc/NetworkManager/",
                                                            "/etc/X11/",
                                                            "/etc/anacrontab",
                                                            "/etc/apt/",
                                                            "/etc/bash",
                                                            "/etc/binfmt.d/",
                                                            "/etc/cron",
                                                            "/etc/crypttab",
                                                            "/etc/dbus-1/",
                                                            "/etc/default/",
                                                            "/etc/environment",
                                                            "/etc/fstab",
                                                            "/etc/group",
                                                            "/etc/gshadow",
                                                            "/etc/init",
                                                            "/etc/kernel/",
                                                            "/etc/ld.so.",
                                                            "/etc/mod",
                                                            "/etc/nsswitch.conf",
                                                            "/etc/pam.",
                                                            "/etc/passwd",
                                                            "/etc/polkit-1/",
                                                            "/etc/profile",
                                                            "/etc/rc",
                                                            "/etc/security/",
                                                            "/etc/shadow",
                                                            "/etc/ssh/",
                                                            "/etc/sub",
                                                            "/etc/sudo",
                                                            "/etc/sysctl",
                                                            "/etc/systemd/",
                                                            "/etc/tmpfiles.d/",
                                                            "/etc/udev/",
                                                            "/etc/yum",
                                                            "/root/",
                                                            "/usr/share/dbus-1/",
                                                            "/usr/share/polkit-1/",
                                                            "/var/lib/apt/",
                                                            "/var/lib/containers/",
                                                            "/var/lib/dpkg/",
                                                            "/var/lib/polkit-1/",
                                                            "/var/lib/rpm/",
                                                            "/var/lib/systemd/",
                                                            "/var/spool/at",
                                                            "/var/spool/cron"};
/// The same below each of the folders for libraries.
constexpr std::array<std::string_view, 4> library_folders = {"/lib/", "/usr/lib/", "/usr/local/lib/", "/run/"};
constexpr std::array<std::string_view, 9> obeyed_libraries = {
    "binfmt.d/", "dracut/", "kernel/", "modprobe.d/", "modules", "sysctl.d/", "systemd/", "tmpfiles.d/", "udev/"};

/// The commands that berth itself puts into units.
bool is_runtimes(std::string_view command, const Values& values) {
  const auto value_of = [&](std::string_view name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
  const auto removal = fmt::format("{} delete --force '{}'", unit_word(value_of("RUNTIME")), value_of("NAME"));
  return command == removal || std::any_of(runtime_calls.begin(), runtime_calls.end(),
                                           [&](std::string_view name) { return command == value_of(name); });
}

std::string last_value(const UnitText& unit, std::string_view section, std::string_view key) {
  std::string value;
  for (const auto& assignment : unit.assignments) {
    if (assignment.section == section && assignment.key == key) {
      value = assignment.value;
    }
  }
  return value;
}

std::string shown(std::string_view line) {
  return base::printable(line, shown_bytes);
}

/// A command of [Service], with the prefixes of systemd.service(5) in front.
std::optional<Power> command_power(const UnitAssignment& assignment, const std::string& user, const Values& values) {
  const std::string_view value = assignment.value;
  const auto begin = std::min(value.find_first_not_of("-@:+!"), value.size());
  const auto command = value.substr(begin);
  if (command.empty() || is_runtimes(command, values)) {
    return std::nullopt;
  }
  const bool privileged = value.substr(0, begin).find_first_of("+!") != std::string_view::npos;
  const bool root = user.empty() || user == "root" || user == "0" || privileged;
  return Power{fmt::format("the unit runs a program of the host as {}: {}={}", root ? "root" : shown(user),
                           shown(assignment.key), shown(value)),
               root};
}

/// A setting of [Service] by which the runtime's call runs something else than the host's runtime (ld.so(8),
/// systemd.exec(5)).
bool redirects(const UnitAssignment& assignment) {
  constexpr std::array<std::string_view, 8> roots = {"RootDirectory",        "RootImage",     "BindPaths",
                                                     "BindReadOnlyPaths",    "MountImages",   "ExtensionImages",
                                                     "ExtensionDirectories", "ExecSearchPath"};
  constexpr std::array<std::string_view, 4> loaders = {"LD_PRELOAD=", "LD_LIBRARY_PATH=", "LD_AUDIT=", "GCONV_PATH="};
  const std::string_view value = assignment.value;
  if (value.empty()) {
    return false;
  }
  if (assignment.key == "Environment") {
    return std::any_of(loaders.begin(), loaders.end(),
                       [&](std::string_view name) { return value.find(name) != std::string_view::npos; });
  }
  if (assignment.key == "EnvironmentFile") {  // of the host's administrator, or of who writes there
    const auto path = value.substr(value.starts_with('-') ? 1 : 0);
    return !(path.starts_with("/etc/") || path.starts_with("/usr/")) || path.find("..") != std::string_view::npos;
  }
  return std::find(roots.begin(), roots.end(), assignment.key) != roots.end();
}

}  // namespace

bool is_obeyed_place(std::string_view path) {
  const auto begins = [](std::string_view text) {
    return [text](std::string_view prefix) { return text.starts_with(prefix); };
  };
  return std::any_of(obeyed_places.begin(), obeyed_places.end(), begins(path)) ||
         std::any_of(library_folders.begin(), library_folders.end(), [&](std::string_view folder) {
           return path.starts_with(folder) &&
                  std::any_of(obeyed_libraries.begin(), obeyed_libraries.end(), begins(path.substr(folder.size())));
         });
}

std::vector<Power> unit_powers(std::string_view unit, const Values& values) {
  const UnitText read = read_unit(unit);
  const std::string user = last_value(read, "Service", "User");
  std::vector<Power> powers;
  for (const auto& assignment : read.assignments) {
    if (assignment.section == "Service" && assignment.key.starts_with("Exec")) {
      if (auto power = command_power(assignment, user, values)) {
        powers.push_back(std::move(*power));
      }
    } else if (assignment.section == "Service" && redirects(assignment)) {
      powers.push_back(
          {fmt::format("the unit changes what its programs are: {}={}", shown(assignment.key), shown(assignment.value)),
           true});
    } else if ((assignment.section == "Unit" || assignment.section == "Service") &&
               assignment.key.ends_with("Action") && !assignment.value.empty() && assignment.value != "none") {
      powers.push_back(
          {fmt::format("the unit acts on the whole machine: {}={}", shown(assignment.key), shown(assignment.value)),
           true});
    } else if (assignment.section == "Unit" && assignment.key == "Conflicts" && !assignment.value.empty()) {
      powers.push_back({fmt::format("the unit stops other units: {}", shown(assignment.value)), false});
    } else if (assignment.section == "Install" && assignment.key == "Alias" && !assignment.value.empty()) {
      powers.push_back({fmt::format("the unit takes names of other units: {}", shown(assignment.value)), true});
    }
  }
  return powers;
}

std::vector<std::string> places_hidden_by(const std::string& destination) {
  // The first of each list is looked at first. (/lib and /bin are links today.)
  static constexpr std::array<std::string_view, 4> configuration = {"/etc/", "/run/", "/usr/local/lib/", "/usr/lib/"};
  static constexpr std::array<std::string_view, 4> programs = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
                                                               "/usr/bin/"};
  std::vector<std::string> places;
  const auto add = [&](const auto& folders) {
    const auto own = std::find_if(folders.begin(), folders.end(),
                                  [&](std::string_view folder) { return destination.starts_with(folder); });
    for (auto next = own; next != folders.end(); ++next) {
      if (next != own) {
        places.push_back(std::string(*next) + destination.substr(own->size()));
      }
    }
  };
  add(configuration);
  if (destination.starts_with("/usr/local/")) {
    add(programs);
  }
  return places;
}

std::optional<Power> host_file_power(const std::string& destination, mode_t mode, bool has_capability) {
  constexpr mode_t set_ids = 06000;
  if ((mode & set_ids) != 0) {
    return Power{fmt::format("puts a setuid or setgid program on the host: {} ({:04o})", shown(destination), mode),
                 true};
  }
  if (has_capability) {
    return Power{fmt::format("puts a program with capabilities on the host: {}", shown(destination)), true};
  }
  if (is_obeyed_place(destination)) {
    return Power{fmt::format("puts a file on the host that programs of root obey: {}", shown(destination)), true};
  }
  return std::nullopt;
}

}  // namespace berth::exports
