// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/sensitive_paths.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "render/unit/host_path.hpp"

namespace berth::render {
namespace {

/// Each is a prefix.
constexpr std::array<std::string_view, 32> sensitive_paths = {"/.autorelabel",
                                                              "/boot/",
                                                              "/efi/",
                                                              "/root/",
                                                              "/usr/share/bash-completion/",
                                                              "/usr/share/containers/",
                                                              "/usr/share/dbus-1/",
                                                              "/usr/share/initramfs-tools/",
                                                              "/usr/share/libalpm/",
                                                              "/usr/share/pam-configs/",
                                                              "/usr/share/polkit-1/",
                                                              "/var/lib/AccountsService/",
                                                              "/var/lib/NetworkManager/",
                                                              "/var/lib/alternatives/",
                                                              "/var/lib/apt/",
                                                              "/var/lib/cloud/",
                                                              "/var/lib/confexts/",
                                                              "/var/lib/containers/",
                                                              "/var/lib/dhcp",
                                                              "/var/lib/docker/",
                                                              "/var/lib/dpkg/",
                                                              "/var/lib/extensions/",
                                                              "/var/lib/machines/",
                                                              "/var/lib/polkit-1/",
                                                              "/var/lib/portables/",
                                                              "/var/lib/rpm/",
                                                              "/var/lib/selinux/",
                                                              "/var/lib/systemd/",
                                                              "/var/spool/anacron",
                                                              "/var/spool/at",
                                                              "/var/spool/cron",
                                                              "/var/spool/incron"};

/// Prefixes below /etc.
constexpr std::array<std::string_view, 116> sensitive_settings = {"NetworkManager/",
                                                                  "X11/",
                                                                  "acpi/",
                                                                  "alternatives/",
                                                                  "anacrontab",
                                                                  "apparmor",
                                                                  "apt/",
                                                                  "audit/",
                                                                  "auto.",
                                                                  "autofs",
                                                                  "bash",
                                                                  "binfmt.d/",
                                                                  "ca-certificates",
                                                                  "cloud/",
                                                                  "cni/",
                                                                  "confexts/",
                                                                  "containerd/",
                                                                  "containers/",
                                                                  "credstore",
                                                                  "cron",
                                                                  "crypttab",
                                                                  "crypto-",
                                                                  "csh.",
                                                                  "dbus-1/",
                                                                  "default/",
                                                                  "depmod.d/",
                                                                  "dhcp",
                                                                  "dkms/",
                                                                  "dnf/",
                                                                  "doas.",
                                                                  "docker/",
                                                                  "dpkg/",
                                                                  "dracut",
                                                                  "emacs/",
                                                                  "environment",
                                                                  "exports",
                                                                  "extensions/",
                                                                  "fish/",
                                                                  "fstab",
                                                                  "gdm",
                                                                  "gitconfig",
                                                                  "group",
                                                                  "grub",
                                                                  "gshadow",
                                                                  "hotplug",
                                                                  "ifplugd/",
                                                                  "incron",
                                                                  "inet",
                                                                  "init",
                                                                  "inputrc",
                                                                  "kernel/",
                                                                  "krb5.",
                                                                  "ld.so.",
                                                                  "libvirt/",
                                                                  "lightdm/",
                                                                  "login",
                                                                  "logrotate",
                                                                  "lvm/",
                                                                  "mdadm",
                                                                  "mod",
                                                                  "monit",
                                                                  "needrestart/",
                                                                  "network/",
                                                                  "networkd-",
                                                                  "nftables",
                                                                  "nslcd",
                                                                  "nsswitch.conf",
                                                                  "openvpn/",
                                                                  "pacman",
                                                                  "pam.",
                                                                  "passwd",
                                                                  "perl/",
                                                                  "pki/",
                                                                  "pm/",
                                                                  "polkit-1/",
                                                                  "portables/",
                                                                  "ppp/",
                                                                  "profile",
                                                                  "python",
                                                                  "rc",
                                                                  "resolvconf",
                                                                  "rpm/",
                                                                  "rsyncd",
                                                                  "rsyslog",
                                                                  "runit/",
                                                                  "security/",
                                                                  "selinux/",
                                                                  "shadow",
                                                                  "shells",
                                                                  "skel/",
                                                                  "smartmontools/",
                                                                  "ssh/",
                                                                  "ssl/",
                                                                  "sssd/",
                                                                  "sub",
                                                                  "sudo",
                                                                  "supervisor",
                                                                  "sv/",
                                                                  "syslog",
                                                                  "sysconfig/net",
                                                                  "sysctl",
                                                                  "systemd/",
                                                                  "sysusers.d/",
                                                                  "tmpfiles.d/",
                                                                  "udev/",
                                                                  "udisks2/",
                                                                  "ufw/",
                                                                  "update-motd.d/",
                                                                  "vim/",
                                                                  "wpa_",
                                                                  "xdg/",
                                                                  "xinetd",
                                                                  "yum",
                                                                  "zfs/",
                                                                  "zsh",
                                                                  "zprofile"};

/// Prefixes below each of the library directories.
constexpr std::array<std::string_view, 6> library_directories = {"/lib/",       "/lib64/",         "/usr/lib/",
                                                                 "/usr/lib64/", "/usr/local/lib/", "/run/"};
constexpr std::array<std::string_view, 27> sensitive_libraries = {
    "NetworkManager/", "apt/",      "binfmt.d/",      "cni/",        "confexts/",   "credstore",  "depmod.d/",
    "dpkg/",           "dracut/",   "environment.d/", "extensions/", "initcpio/",   "kernel/",    "modprobe.d/",
    "modules",         "networkd-", "pam.d/",         "pm-utils/",   "polkit-1/",   "portables/", "rpm/",
    "security/",       "sysctl.d/", "systemd/",       "sysusers.d/", "tmpfiles.d/", "udev/"};

/// Whether `test` holds for a sensitive path, given as its two parts.
template <typename Test>
bool any_sensitive_path(Test test) {
  const auto below = [&](std::string_view directory, const auto& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return test(directory, name); });
  };
  return below("", sensitive_paths) || below("/etc/", sensitive_settings) ||
         std::any_of(library_directories.begin(), library_directories.end(),
                     [&](std::string_view directory) { return below(directory, sensitive_libraries); });
}

bool begins_with(std::string_view path, std::string_view directory, std::string_view name) {
  return path.starts_with(directory) && path.substr(directory.size()).starts_with(name);
}

/// Whether the two parts begin with the path.
bool begins(std::string_view path, std::string_view directory, std::string_view name) {
  return directory.starts_with(path) ||
         (path.starts_with(directory) && name.starts_with(path.substr(std::min(directory.size(), path.size()))));
}

}  // namespace

std::string normalized_host_path(std::string_view path) {
  std::vector<std::string_view> components;
  while (!path.empty()) {
    const auto component = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(component.size() + 1, path.size()));
    if (component == ".." && !components.empty()) {
      components.pop_back();
    } else if (!component.empty() && component != "." && component != "..") {
      components.push_back(component);
    }
  }
  std::string result;
  for (const auto component : components) {
    result.append("/").append(component);
    if (result == "/var/run") {  // a link on every host
      result = "/run";
    }
  }
  return result.empty() ? "/" : result;
}

bool is_sensitive_path(std::string_view path) {
  const auto place = normalized_host_path(path) + (path.ends_with('/') ? "/" : "");
  return place.find("/.ssh/") != std::string::npos ||
         any_sensitive_path([&](auto directory, auto name) { return begins_with(place, directory, name); });
}

bool reaches_sensitive_path(std::string_view directory) {
  const auto place = normalized_host_path(directory);
  const auto inside = place == "/" ? place : place + "/";
  return is_sensitive_path(place) || is_sensitive_path(inside) ||
         any_sensitive_path([&](auto above, auto name) { return begins(inside, above, name); });
}

bool has_specifier(std::string_view path) {
  return path.find('%') != std::string_view::npos;
}

bool goes_up(std::string_view path) {
  return ("/" + std::string(path) + "/").find("/../") != std::string::npos;
}

bool is_state_path(std::string_view path) {
  constexpr std::array<std::string_view, 4> usual = {"/run/", "/srv/", "/tmp/", "/var/"};
  return !goes_up(path) && !has_specifier(path) && !reaches_sensitive_path(path) && !is_usual_host_path(path) &&
         std::any_of(usual.begin(), usual.end(),
                     [&](std::string_view directory) { return path.starts_with(directory); });
}

bool is_usual_host_path(std::string_view path) {
  constexpr std::array<std::string_view, 5> trees = {"/dev", "/proc", "/sys", "/usr", "/lib/modules"};
  constexpr std::array<std::string_view, 36> single = {"/",
                                                       "/bin",
                                                       "/boot",
                                                       "/etc",
                                                       "/etc/group",
                                                       "/etc/hostname",
                                                       "/etc/hosts",
                                                       "/etc/localtime",
                                                       "/etc/machine-id",
                                                       "/etc/nsswitch.conf",
                                                       "/etc/os-release",
                                                       "/etc/passwd",
                                                       "/etc/resolv.conf",
                                                       "/etc/ssl",
                                                       "/home",
                                                       "/lib",
                                                       "/lib64",
                                                       "/media",
                                                       "/mnt",
                                                       "/opt",
                                                       "/root",
                                                       "/run",
                                                       "/run/dbus",
                                                       "/run/systemd",
                                                       "/run/udev",
                                                       "/sbin",
                                                       "/srv",
                                                       "/tmp",
                                                       "/var",
                                                       "/var/cache",
                                                       "/var/lib",
                                                       "/var/log",
                                                       "/var/run",
                                                       "/var/spool",
                                                       "/var/tmp",
                                                       "/var/run/dbus"};
  while (path.size() > 1 && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return std::find(single.begin(), single.end(), path) != single.end() ||
         std::any_of(trees.begin(), trees.end(), [&](std::string_view tree) { return is_below(path, tree); }) ||
         path.starts_with("/run/systemd/");
}

}  // namespace berth::render
