// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/facts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr std::uint64_t kernel_file_limit = 4096;  // bytes

/// The line of a file in /proc or /sys, without the line break; empty when the file does not exist.
std::string kernel_text(const std::string& path) {
  std::string text;
  try {
    text = base::read_file_at(AT_FDCWD, path, kernel_file_limit).value_or("");
  } catch (const base::Error&) {
    return "";  // e.g. /proc is hidden: treated as a kernel without the feature
  }
  return text.substr(0, text.find('\n'));
}

unsigned read_last_capability(unsigned fallback) {
  const std::string text = kernel_text("/proc/sys/kernel/cap_last_cap");
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? number : fallback;
}

bool has_unified_cgroups() {
  struct statfs status {};
  return ::statfs("/sys/fs/cgroup", &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
}

std::string read_executable() {
  constexpr std::string_view deleted = " (deleted)";  // an upgrade has replaced the running program
  std::string path = base::read_link_at(AT_FDCWD, "/proc/self/exe").value_or("");
  if (path.ends_with(deleted)) {
    path.resize(path.size() - deleted.size());
  }
  return path;
}

}  // namespace

Facts read_facts() {
  Facts facts;
  facts.last_capability = read_last_capability(facts.last_capability);
  facts.selinux = base::stat_at(AT_FDCWD, "/sys/fs/selinux/enforce").has_value();
  facts.apparmor = kernel_text("/sys/module/apparmor/parameters/enabled") == "Y";
  facts.cgroup_unified = has_unified_cgroups();
  facts.booted_with_systemd = ::sd_booted() > 0;
  facts.uid = ::getuid();
  facts.gid = ::getgid();
  facts.executable = read_executable();
  facts.boot_id = kernel_text("/proc/sys/kernel/random/boot_id");
  return facts;
}

Facts offline_facts() {
  Facts facts;
  facts.executable = "/usr/bin/berth";
  return facts;
}

std::string random_uuid() {
  std::array<std::uint8_t, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    base::throw_errno("get random bytes");
  }
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0fU) | 0x40U);  // version 4 (RFC 9562)
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3fU) | 0x80U);  // the variant of that RFC
  std::string text;
  for (std::size_t index = 0; index < bytes.size(); ++index) {
    const bool group_begins = index == 4 || index == 6 || index == 8 || index == 10;
    text += fmt::format("{}{:02x}", group_begins ? "-" : "", bytes[index]);
  }
  return text;
}

}  // namespace berth::host
