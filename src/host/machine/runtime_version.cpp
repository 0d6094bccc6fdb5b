// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/runtime_version.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace berth::host {

namespace {

using Number = std::array<unsigned, 3>;

struct Version {
  std::string program;
  Number number{};
  std::string mark;  ///< what follows the number: "-rc93", "+ds1", "~rc10+dfsg1"

  [[nodiscard]] bool is_candidate() const { return mark.starts_with("-rc") || mark.starts_with("~rc"); }
};

/// The first releases that support the unified cgroup hierarchy, which berth needs.
struct Oldest {
  std::string_view program;
  Number number;
};
constexpr std::array<Oldest, 2> oldest_usable{{{"runc", {1, 0, 0}}, {"crun", {1, 0, 0}}}};

struct Escape {
  std::string_view program;
  Number since;   ///< the first affected release
  Number closed;  ///< the first fixed release
  std::string_view names;
};
constexpr std::string_view mount_races = "CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881";
constexpr std::array<Escape, 3> escapes{{{"runc", {0, 0, 0}, {1, 1, 12}, "CVE-2024-21626"},
                                         {"runc", {0, 0, 0}, {1, 2, 8}, mount_races},
                                         {"runc", {1, 3, 0}, {1, 3, 3}, mount_races}}};

/// Parses "runc 1.1.5+ds1"; nullopt for another form. A missing third number is 0.
std::optional<Version> parse(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return std::nullopt;
  }
  Version version;
  version.program = text.substr(0, space);
  text.remove_prefix(space + 1);
  for (std::size_t index = 0; index < version.number.size(); ++index) {
    if (index > 0 && !text.starts_with('.')) {
      break;
    }
    text.remove_prefix(index > 0 ? 1 : 0);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version.number.at(index));
    if (error != std::errc()) {
      return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  version.mark = text;
  return version;
}

std::string dotted(const Number& number) {
  return fmt::format("{}.{}.{}", number[0], number[1], number[2]);
}

bool is_before(const Version& version, const Number& number) {
  return version.number < number || (version.number == number && version.is_candidate());
}

}  // namespace

std::string newer_runtime_needed(const std::string& version) {
  const auto found = parse(version);
  for (const Oldest& oldest : oldest_usable) {
    if (found && found->program == oldest.program && is_before(*found, oldest.number)) {
      return dotted(oldest.number);
    }
  }
  return {};
}

std::vector<std::string> known_escapes(const std::string& version) {
  const auto found = parse(version);
  std::vector<std::string> known;
  if (!found || (!found->mark.empty() && !found->is_candidate())) {
    return known;
  }
  for (const Escape& escape : escapes) {
    if (found->program == escape.program && !is_before(*found, escape.since) && is_before(*found, escape.closed)) {
      known.push_back(fmt::format("{}, closed by {} {}", escape.names, escape.program, dotted(escape.closed)));
    }
  }
  return known;
}

bool takes_relative_cgroup(const std::string& version, const std::string& path) {
  return version.empty() ? path.ends_with("/runc") : version.starts_with("runc");
}

}  // namespace berth::host
