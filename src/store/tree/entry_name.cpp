// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/entry_name.hpp"

#include <fmt/format.h>
#include <glib.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view aufs_prefix = ".wh..wh.";
constexpr std::size_t component_limit = 255;
constexpr std::size_t path_limit = 4095;

[[noreturn]] void refuse(std::string_view what, std::string_view raw, std::string_view reason) {
  throw base::Error(base::ErrorKind::verification,
                    fmt::format("{} has the name {}: {}", what, base::quoted_name(raw), reason),
                    "berth does not unpack such names; have the image built without it");
}

/// Drops empty components and `.`.
std::string without_decoration(std::string_view raw) {
  std::string path;
  while (!raw.empty()) {
    const auto component = raw.substr(0, raw.find('/'));
    raw.remove_prefix(std::min(component.size() + 1, raw.size()));
    if (!component.empty() && component != ".") {
      path += path.empty() ? "" : "/";
      path += component;
    }
  }
  return path;
}

/// A whiteout itself is never created on a disk, so the limit is that of the name that it hides.
std::size_t limit_of(std::string_view component) {
  const bool marker = component.starts_with(whiteout_prefix) && !component.starts_with(aufs_prefix);
  return marker ? whiteout_prefix.size() + component_limit : component_limit;
}

void check_component(std::string_view component, std::string_view raw, std::string_view what) {
  if (component == "..") {
    refuse(what, raw, "'..' is not a valid component");
  }
  if (component == ".wh." || component == ".wh.." || component == ".wh...") {
    refuse(what, raw, fmt::format("'{}' is not a valid whiteout", component));
  }
  if (component.size() > limit_of(component)) {
    refuse(what, raw, fmt::format("a component has {} bytes, the limit is {}", component.size(), limit_of(component)));
  }
}

void check_components(std::string_view path, std::string_view raw, std::string_view what) {
  std::size_t depth = 0;
  while (true) {
    const auto slash = path.find('/');
    check_component(path.substr(0, slash), raw, what);
    if (++depth > directory_depth_limit) {
      refuse(what, raw, fmt::format("it is nested deeper than {} directories", directory_depth_limit));
    }
    if (slash == std::string_view::npos) {
      return;
    }
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  return g_utf8_validate_len(text.data(), text.size(), nullptr) != 0;
}

std::string normal_entry_path(std::string_view raw, std::string_view what) {
  if (raw.empty()) {
    refuse(what, raw, "it is empty");
  }
  if (raw.find('\0') != std::string_view::npos) {
    refuse(what, raw, "it contains a NUL byte");
  }
  auto path = without_decoration(raw);
  if (path.empty()) {
    return {};
  }
  if (path.size() > path_limit) {
    refuse(what, raw, fmt::format("it has {} bytes, the limit is {}", path.size(), path_limit));
  }
  check_components(path, raw, what);
  if (!is_utf8(path)) {
    refuse(what, raw, "it is not UTF-8, as OSTree requires");
  }
  return path;
}

NameMeaning meaning_of(std::string_view component) {
  if (!component.starts_with(whiteout_prefix)) {
    return NameMeaning::plain;
  }
  if (component == opaque_marker) {
    return NameMeaning::opaque;
  }
  if (component.starts_with(aufs_prefix)) {
    return NameMeaning::bookkeeping;
  }
  const auto hidden = hidden_name(component);
  if (hidden.empty() || hidden == "." || hidden == "..") {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} is not a valid whiteout", base::quoted_name(component)),
                      "berth does not unpack such names; have the image built without it");
  }
  return NameMeaning::whiteout;
}

std::string whiteout_of(std::string_view name) {
  return std::string(whiteout_prefix) + std::string(name);
}

std::string_view hidden_name(std::string_view whiteout) {
  return whiteout.substr(whiteout_prefix.size());
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view parent_path(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace berth::store
