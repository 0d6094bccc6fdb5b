// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/image_user.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

#include "base/error.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;

/// (uid_t)-1 means "no change" to the kernel, so it is no user.
constexpr std::uint32_t largest_id = 4294967294;

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::uint32_t> to_id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (!is_number(text) || error != std::errc() || end != text.data() + text.size() || id > largest_id) {
    return std::nullopt;
  }
  return id;
}

struct PasswdLine {
  std::string_view name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string_view home;
};

/// The first line that `matches`; nullopt when no line does.
template <typename Matches>
std::optional<PasswdLine> find_user(std::string_view passwd, Matches matches) {
  for (const auto line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) {
      continue;
    }
    const auto uid = to_id(fields[2]);
    const auto gid = to_id(fields[3]);
    if (uid && gid && matches(fields[0], *uid)) {
      return PasswdLine{fields[0], *uid, *gid, fields[5]};
    }
  }
  return std::nullopt;
}

/// Calls `take(name, gid, members)` with each line of group(5).
template <typename Take>
void each_group(std::string_view group, Take take) {
  for (const auto line : split(group, '\n')) {
    const auto fields = split(line, ':');
    const auto gid = fields.size() < 4 ? std::nullopt : to_id(fields[2]);
    if (gid) {
      take(fields[0], *gid, fields[3]);
    }
  }
}

std::uint32_t number_or_refuse(std::string_view text, std::string_view user, std::string_view what,
                               std::string_view file) {
  if (const auto id = to_id(text)) {
    return *id;
  }
  const auto shown = base::printable(text);
  throw Error(
      ErrorKind::failed,
      is_number(text)
          ? fmt::format("the image runs as `{}`, but {} {} is too large", base::printable(user), what, shown)
          : fmt::format("the image runs as `{}`, but its {} has no {} `{}`", base::printable(user), file, what, shown),
      "User in the image configuration must name a user or group of the image, or be a number");
}

std::uint32_t resolve_group(std::string_view wanted, std::string_view user, std::string_view group) {
  std::optional<std::uint32_t> by_name;
  each_group(group, [&](std::string_view name, std::uint32_t gid, std::string_view) {
    if (name == wanted && !by_name) {
      by_name = gid;
    }
  });
  return by_name ? *by_name : number_or_refuse(wanted, user, "group", "/etc/group");
}

}  // namespace

ImageUser resolve_user(std::string_view user, std::string_view passwd, std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.substr(0, colon).empty() ? "0" : user.substr(0, colon);
  const std::string_view group_part = colon == std::string_view::npos ? "" : user.substr(colon + 1);
  auto line = find_user(passwd, [&](std::string_view other, std::uint32_t) { return other == name; });
  ImageUser result;
  if (!line) {
    result.uid = number_or_refuse(name, user, "user", "/etc/passwd");
    line = find_user(passwd, [&](std::string_view, std::uint32_t uid) { return uid == result.uid; });
  }
  if (line) {
    result.uid = line->uid;
    result.gid = line->gid;
    result.home = line->home;
  }
  if (!group_part.empty()) {
    result.gid = resolve_group(group_part, user, group);
  }
  std::set<std::uint32_t> further;
  each_group(group, [&](std::string_view, std::uint32_t gid, std::string_view members) {
    const auto names = split(members, ',');
    if (line && gid != result.gid && std::find(names.begin(), names.end(), line->name) != names.end()) {
      further.insert(gid);
    }
  });
  result.additional_gids.assign(further.begin(), further.end());
  return result;
}

}  // namespace berth::render
