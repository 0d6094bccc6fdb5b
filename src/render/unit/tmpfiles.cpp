// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/tmpfiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/unit_syntax.hpp"
#include "render/unit/host_path.hpp"
#include "render/unit/tmpfiles_line.hpp"

namespace berth::render {
namespace {

/// Collapses slashes and drops `.`; nullopt for a path that is not absolute or contains `..`.
std::optional<std::string> plain_path(std::string_view path) {
  if (!path.starts_with('/')) {
    return std::nullopt;
  }
  std::string result;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (component == "..") {
      return std::nullopt;
    }
    if (!component.empty() && component != ".") {
      result.append("/").append(component);
    }
  }
  return result.empty() ? "/" : result;
}

/// Kernel file systems cannot get directories; the resolver's two files must never become directories.
bool is_never_made(const std::string& path) {
  constexpr std::array<std::string_view, 3> kernel = {"/dev", "/proc", "/sys"};
  const bool below =
      std::any_of(kernel.begin(), kernel.end(), [&](std::string_view directory) { return is_below(path, directory); });
  return below || path == "/" || path == "/etc/resolv.conf" || path == "/etc/hosts";
}

/// The path of a line that creates something, as systemd-tmpfiles simplifies it; empty for other lines, and for paths
/// that only systemd can expand or that it refuses.
std::string created_path(std::string_view text) {
  const auto line = read_tmpfiles_line(text);
  if (!line || std::string_view("fFwdDvqQpLcbC").find(line->type[0]) == std::string_view::npos) {
    return {};
  }
  if (line->path.find_first_of("%*?[\\") != std::string::npos) {
    return {};
  }
  return plain_path(line->path).value_or("");
}

}  // namespace

std::string tmpfiles_path(std::string_view path) {
  std::string escaped;
  bool quote = false;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '%') {
      escaped += "%%";
    } else if (byte < 0x20 || byte == 0x7f) {
      escaped += fmt::format("\\x{:02x}", byte);
      quote = true;
    } else if (c == '\\' || c == '"' || c == '\'') {
      escaped.append("\\").append(1, c);
      quote = true;
    } else {
      escaped += c;
      quote = quote || c == ' ';
    }
  }
  return quote ? "\"" + escaped + "\"" : escaped;
}

std::string default_tmpfiles(const std::vector<std::string>& sources, unsigned uid, unsigned gid,
                             const std::function<bool(const std::string&)>& exists) {
  std::string lines;
  std::set<std::string> seen;
  for (const auto& source : sources) {
    const auto path = plain_path(source);
    if (path && seen.insert(*path).second && !is_never_made(*path) && !exists(*path)) {
      lines += fmt::format("d {} 0700 {} {} - -\n", tmpfiles_path(*path), uid, gid);
    }
  }
  return lines;
}

std::vector<std::string> created_tmpfiles_paths(std::string_view lines) {
  std::vector<std::string> paths;
  while (!lines.empty()) {
    if (auto path = created_path(base::take_line(lines)); !path.empty()) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

std::vector<std::string> missing_tmpfiles_paths(std::string_view lines,
                                                const std::function<bool(const std::string&)>& exists) {
  std::vector<std::string> missing;
  std::set<std::string> seen;
  for (const auto& path : created_tmpfiles_paths(lines)) {
    for (auto slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const auto prefix = path.substr(0, slash);
      if (!exists(prefix) && seen.insert(prefix).second) {
        missing.push_back(prefix);
      }
      if (slash == std::string::npos) {
        break;
      }
    }
  }
  return missing;
}

}  // namespace berth::render
