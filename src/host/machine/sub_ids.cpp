// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/sub_ids.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
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
  const base::Fd root = base::open_host_directory(layout.root());
  return base::read_file_in_root(root.get(), path, limit, path).value_or("");
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty() ? std::optional(value)
                                                                                   : std::nullopt;
}

struct SubIdLine {
  std::string_view owner;
  IdRange range;
};

/// `USER:FIRST:COUNT`
std::optional<SubIdLine> parse_line(std::string_view line) {
  const auto first = line.find(':');
  const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) {
    return std::nullopt;
  }
  const auto owner = line.substr(0, first);
  const auto begin = number(line.substr(first + 1, second - first - 1));
  const auto count = number(line.substr(second + 1));
  const bool whole = begin && count && *count > 0 && *count <= std::numeric_limits<unsigned>::max() - *begin;
  return whole ? std::optional(SubIdLine{owner, {*begin, *count}}) : std::nullopt;
}

/// Calls `visit` with each well-formed line, until it returns false.
template <typename Visit>
void for_each_line(std::string_view text, Visit visit) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (const auto read = parse_line(line); read && !visit(*read)) {
      return;
    }
  }
}

bool has_program(const Layout& layout, const std::string& name) {
  for (const std::string_view directory :
       {"/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"}) {
    if (base::stat_at(AT_FDCWD, layout.on_disk(fmt::format("{}/{}", directory, name)))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<IdRange> parse_sub_ids(const std::string& text, const std::string& user, unsigned uid) {
  std::vector<IdRange> ranges;
  const auto number_of_user = std::to_string(uid);
  for_each_line(text, [&](const SubIdLine& line) {
    if (line.owner == user || line.owner == number_of_user) {
      ranges.push_back(line.range);
    }
    return ranges.size() < range_limit;
  });
  return ranges;
}

std::optional<IdRange> free_sub_ids(const std::string& subuid, const std::string& subgid) {
  // As useradd(8) assigns them with the default settings of login.defs(5).
  constexpr std::uint64_t least = 100'000;
  constexpr std::uint64_t most = 600'100'000;
  constexpr std::uint64_t count = 65'536;
  std::vector<IdRange> taken;
  for (const auto& text : {subuid, subgid}) {
    for_each_line(text, [&taken](const SubIdLine& line) {
      taken.push_back(line.range);
      return true;
    });
  }
  std::sort(taken.begin(), taken.end(), [](const auto& left, const auto& right) { return left.first < right.first; });
  std::uint64_t first = least;
  for (const auto& range : taken) {
    if (range.first < first + count) {
      first = std::max<std::uint64_t>(first, std::uint64_t{range.first} + range.count);
    }
  }
  return first + count - 1 <= most ? std::optional(IdRange{static_cast<unsigned>(first), static_cast<unsigned>(count)})
                                   : std::nullopt;
}

SubIds read_sub_ids(const Layout& layout) {
  const auto& user = *layout.user();
  const auto subuid = text_of(layout, "/etc/subuid", file_limit);
  const auto subgid = text_of(layout, "/etc/subgid", file_limit);
  SubIds ids;
  ids.uids = parse_sub_ids(subuid, user.name, user.uid);
  ids.gids = parse_sub_ids(subgid, user.name, user.uid);
  if (const auto free = free_sub_ids(subuid, subgid)) {
    ids.remedy = fmt::format("usermod --add-subuids {0}-{1} --add-subgids {0}-{1} {2}", free->first,
                             free->first + (free->count - 1), user.name);
  } else {
    ids.remedy =
        fmt::format("usermod --add-subuids and --add-subgids for {}, with ids that are not assigned", user.name);
  }
  if (ids.uids.empty() || ids.gids.empty()) {
    ids.missing = fmt::format("{} assigns no ids to {}; root can assign some: {}",
                              ids.uids.empty() ? "/etc/subuid" : "/etc/subgid", user.name, ids.remedy);
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
  // The first setting exists in kernels of Debian only.
  static constexpr std::array<std::pair<const char*, const char*>, 2> settings = {
      {{"/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone=1"},
       {"/proc/sys/user/max_user_namespaces", "user.max_user_namespaces=15000"}}};
  for (const auto& [path, remedy] : settings) {
    if (const auto text = text_of(layout, path, setting_limit); text == "0\n" || text == "0") {
      throw base::Error(base::ErrorKind::not_permitted,
                        fmt::format("users cannot create user namespaces on this host: {} is 0", path),
                        fmt::format("root can allow it with: sysctl {}", remedy));
    }
  }
}

bool lingers(const Layout& layout) {
  return base::stat_at(AT_FDCWD, layout.on_disk("/var/lib/systemd/linger/" + layout.user()->name)).has_value();
}

}  // namespace berth::host
