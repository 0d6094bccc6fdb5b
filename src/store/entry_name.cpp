#include "store/entry_name.hpp"

#include <fmt/format.h>
#include <glib.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "store/tree.hpp"

namespace berth::store {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view aufs_prefix = ".wh..wh.";
constexpr std::string_view opaque_name = ".wh..wh..opq";
constexpr std::size_t component_limit = 255;
constexpr std::size_t path_limit = 4095;
constexpr std::size_t quote_limit = 200;

[[noreturn]] void refuse(std::string_view what, std::string_view raw, std::string_view reason) {
  throw base::Error(base::ErrorKind::verification,
                    fmt::format("{} has the name {}: {}", what, quoted_name(raw), reason),
                    "berth unpacks no such name; whoever builds the image can leave it out");
}

std::string_view without_decoration(std::string_view raw) {
  while (raw.starts_with('/') || raw.starts_with("./")) {
    raw.remove_prefix(raw.front() == '/' ? 1 : 2);
  }
  while (raw.ends_with('/') || raw.ends_with("/.")) {
    raw.remove_suffix(raw.back() == '/' ? 1 : 2);
  }
  return raw == "." ? std::string_view() : raw;
}

void check_component(std::string_view component, std::string_view raw, std::string_view what) {
  if (component.empty()) {
    refuse(what, raw, "a component is empty");
  }
  if (component == "." || component == "..") {
    refuse(what, raw, fmt::format("'{}' is no legal component", component));
  }
  if (component == ".wh." || component == ".wh.." || component == ".wh...") {
    refuse(what, raw, fmt::format("'{}' is no legal whiteout", component));
  }
  if (component.size() > component_limit) {
    refuse(what, raw, fmt::format("a component has {} bytes, the limit is {}", component.size(), component_limit));
  }
}

void check_components(std::string_view path, std::string_view raw, std::string_view what) {
  std::size_t depth = 0;
  while (true) {
    const auto slash = path.find('/');
    check_component(path.substr(0, slash), raw, what);
    if (++depth > folder_depth_limit) {
      refuse(what, raw, fmt::format("it is nested deeper than {} folders", folder_depth_limit));
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

std::string quoted_name(std::string_view name) {
  std::string result = "'";
  for (auto rest = name.substr(0, quote_limit); !rest.empty();) {
    const auto character = base::first_character(rest);
    if (base::is_shown_as_is(character) && character.code != '\\') {
      result += character.bytes;
    } else {
      for (const char c : character.bytes) {
        result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
      }
    }
    rest.remove_prefix(character.bytes.size());
  }
  return result + (name.size() > quote_limit ? "…'" : "'");
}

std::string normal_entry_path(std::string_view raw, std::string_view what) {
  if (raw.empty()) {
    refuse(what, raw, "it is empty");
  }
  if (raw.find('\0') != std::string_view::npos) {
    refuse(what, raw, "it holds a NUL byte");
  }
  const auto path = without_decoration(raw);
  if (path.empty()) {
    return {};
  }
  if (path.size() > path_limit) {
    refuse(what, raw, fmt::format("it has {} bytes, the limit is {}", path.size(), path_limit));
  }
  check_components(path, raw, what);
  if (!is_utf8(path)) {
    refuse(what, raw, "it is not UTF-8, and OSTree repositories hold no other names");
  }
  return std::string(path);
}

NameMeaning meaning_of(std::string_view component) {
  if (!component.starts_with(whiteout_prefix)) {
    return NameMeaning::plain;
  }
  if (component == opaque_name) {
    return NameMeaning::opaque;
  }
  if (component.starts_with(aufs_prefix)) {
    return NameMeaning::bookkeeping;
  }
  const auto hidden = hidden_name(component);
  if (hidden.empty() || hidden == "." || hidden == "..") {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} is no legal whiteout", quoted_name(component)),
                      "berth unpacks no such name; whoever builds the image can leave it out");
  }
  return NameMeaning::whiteout;
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
