#include "host/sub_ids.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr std::uint64_t file_limit = 1U << 20U;  // bytes
constexpr std::size_t range_limit = 16;
constexpr std::uint64_t setting_limit = 64;  // bytes

std::string text_of(const Layout& layout, const std::string& path, std::uint64_t limit) {
  const base::Fd root = base::open_host_folder(layout.root());
  try {
    const base::Fd file = base::open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK);
    return base::read_all(file.get(), limit, path);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::not_found) {
      return "";
    }
    throw;
  }
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

/// `USER:FIRST:COUNT`
std::optional<IdRange> range_of(std::string_view line, const std::string& user, unsigned uid) {
  const auto first = line.find(':');
  const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto owner = line.substr(0, first);
  const auto begin = number(line.substr(first + 1, second - first - 1));
  const auto count = number(line.substr(second + 1));
  const bool whole = begin && count && *count > 0 && *count <= std::numeric_limits<unsigned>::max() - *begin;
  return whole && (owner == user || owner == std::to_string(uid)) ? std::optional(IdRange{*begin, *count})
                                                                  : std::nullopt;
}

bool has_program(const Layout& layout, const std::string& name) {
  for (const std::string_view folder :
       {"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}) {
    if (base::stat_at(AT_FDCWD, layout.on_disk(fmt::format("{}/{}", folder, name)))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<IdRange> parse_sub_ids(const std::string& text, const std::string& user, unsigned uid) {
  std::vector<IdRange> ranges;
  for (std::size_t start = 0; start < text.size() && ranges.size() < range_limit;) {
    const auto end = std::min(text.find('\n', start), text.size());
    if (const auto range = range_of(std::string_view(text).substr(start, end - start), user, uid)) {
      ranges.push_back(*range);
    }
    start = end + 1;
  }
  return ranges;
}

SubIds read_sub_ids(const Layout& layout) {
  const auto& user = *layout.user();
  SubIds ids;
  ids.uids = parse_sub_ids(text_of(layout, "/etc/subuid", file_limit), user.name, user.uid);
  ids.gids = parse_sub_ids(text_of(layout, "/etc/subgid", file_limit), user.name, user.uid);
  if (ids.uids.empty() || ids.gids.empty()) {
    ids.missing = fmt::format(
        "{} gives no ids to {}; root can: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {}",
        ids.uids.empty() ? "/etc/subuid" : "/etc/subgid", user.name, user.name);
  } else if (!has_program(layout, "newuidmap") || !has_program(layout, "newgidmap")) {
    ids.missing = "newuidmap and newgidmap are not installed; on Debian they are in the package uidmap";
  }
  if (!ids.missing.empty()) {
    ids.uids.clear();
    ids.gids.clear();
  }
  return ids;
}

void refuse_without_user_namespaces(const Layout& layout) {
  // The first is an addition of Debian; without it the kernel allows them.
  static constexpr std::array<std::pair<const char*, const char*>, 2> settings = {
      {{"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1"},
       {"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces=15000"}}};
  for (const auto& [path, remedy] : settings) {
    if (const auto text = text_of(layout, path, setting_limit); text == "0\n" || text == "0") {
      throw base::Error(base::ErrorKind::not_permitted,
                        fmt::format("this host lets no user make a user namespace: {} is 0", path),
                        fmt::format("root can allow it with: sysctl {}", remedy));
    }
  }
}

bool lingers(const Layout& layout) {
  return base::stat_at(AT_FDCWD, layout.on_disk("/var/lib/systemd/linger/" + layout.user()->name)).has_value();
}

}  // namespace berth::host
