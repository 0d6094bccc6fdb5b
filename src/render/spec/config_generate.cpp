// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_generate.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "render/spec/rootfs.hpp"
#include "render/spec/volumes.hpp"
#include "render/unit/host_path.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;
using base::Json;

constexpr std::string_view default_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool is_directory_in_root(int rootfs, std::string_view path) {
  const auto status = stat_in_root(rootfs, path);
  return status && S_ISDIR(status->st_mode);
}

Json strings(std::initializer_list<std::string_view> texts) {
  Json list = Json::array();
  for (const auto text : texts) {
    list.push_back(text);
  }
  return list;
}

/// Runtimes refuse an entry without `=`, and one without a name.
bool is_variable(const std::string& entry) {
  return entry.find('=', 1) != std::string::npos && entry.front() != '=';
}

/// Initial variables, then the image's: a known name keeps its position. Entries without a name are dropped.
Json environment(const image::ImageConfig& image, const std::string& home) {
  std::vector<std::string> entries;
  std::map<std::string, std::size_t, std::less<>> places;
  const auto put = [&](const std::string& entry) {
    if (!is_variable(entry)) {
      return;
    }
    const std::size_t equals = entry.find('=');
    const auto [place, fresh] = places.emplace(entry.substr(0, equals), entries.size());
    if (entry.find('\0') != std::string::npos) {
      throw Error(ErrorKind::verification,
                  fmt::format("the image's variable {} holds a NUL byte", base::printable(place->first)));
    }
    if (fresh) {
      entries.push_back(entry);
    } else {
      entries[place->second] = entry;
    }
  };
  put("TERM=xterm");
  put("HOME=" + home);
  put(fmt::format("PATH={}", default_path));
  std::for_each(image.environment.begin(), image.environment.end(), put);
  return entries;
}

/// The image's working directory, absolute; `~` is the home directory. The runtime creates a missing one as an empty
/// directory of the checkout (directories are never shared with the repository).
std::string working_directory(const image::ImageConfig& image, const std::string& home, int rootfs) {
  std::string directory = image.working_dir;
  if (directory == "~" || directory.starts_with("~/")) {
    directory.replace(0, 1, home);
  }
  directory = squeezed_path(directory, "the image's working directory");
  const auto status = stat_in_root(rootfs, directory);
  if (status && !S_ISDIR(status->st_mode)) {
    throw Error(ErrorKind::failed, fmt::format("the image's working directory {} is not a directory in the image",
                                               base::printable(directory)));
  }
  return directory;
}

/// The defaults of podman 4: enough to change users and bind low ports, without access to the host.
Json capabilities() {
  const Json list =
      strings({"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE",
               "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT"});
  return {{"bounding", list}, {"effective", list}, {"permitted", list}};
}

/// Without rlimits: those of the unit (LimitNOFILE= …) apply.
Json process(const image::ImageConfig& image, int rootfs) {
  std::vector<std::string> arguments = image.entrypoint;
  arguments.insert(arguments.end(), image.command.begin(), image.command.end());
  if (arguments.empty()) {
    throw Error(ErrorKind::failed, "no command specified: the image has neither Entrypoint nor Cmd",
                "the image must say what to run, or bring exports/config.json");
  }
  const ImageUser user = user_of_image(image.user, rootfs);
  const std::string home = user.home.empty() ? "/" : user.home;
  Json ids = {{"uid", user.uid}, {"gid", user.gid}};
  if (!user.additional_gids.empty()) {
    ids["additionalGids"] = user.additional_gids;
  }
  return {{"terminal", false},
          {"user", ids},
          {"args", arguments},
          {"env", environment(image, home)},
          {"cwd", working_directory(image, home, rootfs)},
          {"capabilities", capabilities()},
          {"noNewPrivileges", true}};
}

Json mount(std::string_view destination, std::string_view type, std::string_view source,
           std::initializer_list<std::string_view> options) {
  return {{"destination", destination}, {"type", type}, {"source", source}, {"options", strings(options)}};
}

Json kernel_mounts() {
  return Json::array({mount("/proc", "proc", "proc", {"nosuid", "noexec", "nodev"}),
                      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
                      mount("/dev/pts", "devpts", "devpts",
                            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
                      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
                      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
                      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
                      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"})});
}

/// Mounts tmpfs where services usually write, since most images cannot run with a read-only root file system
/// otherwise. The image's own files in these directories are copied (tmpcopyup, an extension of runc and crun).
void add_writable_directories(Json& mounts, int rootfs, const std::vector<std::string>& volumes) {
  const auto is_volume = [&](std::string_view path) {
    return std::find(volumes.begin(), volumes.end(), path) != volumes.end();
  };
  if (!is_volume("/tmp")) {
    mounts.push_back(mount("/tmp", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=1777"}));
  }
  if (!is_volume("/run")) {
    mounts.push_back(mount("/run", "tmpfs", "tmpfs", {"nosuid", "nodev", "mode=755", "tmpcopyup"}));
  }
  const auto is_real_directory = [&](const std::string& path) {
    const auto status = base::stat_at(rootfs, path.substr(1));
    return status && S_ISDIR(status->st_mode);
  };
  for (const std::string path : {"/var/tmp", "/var/cache", "/var/run"}) {
    if (!is_volume(path) && is_directory_in_root(rootfs, "/var") && is_real_directory(path)) {
      mounts.push_back(mount(path, "tmpfs", "tmpfs",
                             {"nosuid", "nodev", path == "/var/tmp" ? "mode=1777" : "mode=755", "tmpcopyup"}));
    }
  }
}

/// runc before 1.2 ignores the mode option and gives a tmpfs the mode of the image's directory, which may be writable
/// for root only. So the container's user, when it is not root, owns the tmpfs that are writable for all.
void own_temporary_directories(Json& mounts, const Json& user) {
  if (user.at("uid") == 0U) {
    return;
  }
  for (auto& each : mounts) {
    auto& options = each["options"];
    if (std::find(options.begin(), options.end(), "mode=1777") != options.end() && each["destination"] != "/dev/shm") {
      options.push_back(fmt::format("uid={}", user.at("uid").get<std::uint32_t>()));
      options.push_back(fmt::format("gid={}", user.at("gid").get<std::uint32_t>()));
    }
  }
}

Json mounts(const image::ImageConfig& image, int rootfs, const Values& values, const HostFeatures& features) {
  const auto volumes = volume_destinations(image);
  const auto directory = features.volume_directory.empty() ? volume_directory(values) : features.volume_directory;
  Json list = kernel_mounts();
  add_writable_directories(list, rootfs, volumes);
  for (const auto& volume : volumes) {
    list.push_back(mount(volume, "bind", volume_source(directory, volume), {"rbind", "rw", "nosuid", "nodev"}));
  }
  // A bind of a missing file would keep the container from starting; a copy always exists.
  const auto& copies = features.resolver_directory;
  for (const auto& [name, exists] :
       {std::pair("resolv.conf", features.resolv_conf), std::pair("hosts", features.hosts)}) {
    if (exists || !copies.empty()) {
      list.push_back(mount(fmt::format("/etc/{}", name), "bind",
                           fmt::format("{}/{}", copies.empty() ? "/etc" : copies, name),
                           {"bind", "ro", "nosuid", "nodev", "noexec"}));
    }
  }
  return list;
}

/// The host's network; all other namespaces are the container's own.
Json linux_section() {
  Json namespaces = Json::array();
  for (const char* type : {"pid", "ipc", "uts", "mount", "cgroup"}) {
    namespaces.push_back(Json{{"type", type}});
  }
  return {{"resources", {{"devices", Json::array({Json{{"allow", false}, {"access", "rwm"}}})}}},
          {"namespaces", namespaces},
          {"maskedPaths",
           strings({"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                    "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"})},
          {"readonlyPaths", strings({"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"})}};
}

}  // namespace

std::string generate_config(const image::ImageConfig& image, int rootfs, const Values& values,
                            const HostFeatures& features) {
  Json document = {{"ociVersion", "1.0.2"},
                   {"process", process(image, rootfs)},
                   {"root", {{"path", "rootfs"}, {"readonly", true}}},
                   {"mounts", mounts(image, rootfs, values, features)},
                   {"linux", linux_section()}};
  own_temporary_directories(document["mounts"], document["process"]["user"]);
  return document.dump(4) + "\n";
}

std::vector<std::string> ignored_environment(const image::ImageConfig& image) {
  std::vector<std::string> messages;
  for (const auto& entry : image.environment) {
    if (!is_variable(entry)) {
      messages.push_back(fmt::format("the entry '{}' of the image's environment is not a variable and is left out",
                                     base::printable(entry, 80)));
    }
  }
  return messages;
}

}  // namespace berth::render
