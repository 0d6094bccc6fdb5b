// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/reference.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "base/error.hpp"
#include "image/name_limits.hpp"

namespace berth::image {
namespace {

struct Prefix {
  std::string_view text;
  Transport transport;
};

constexpr const char* local_registry = "localhost";

constexpr std::array<Prefix, 4> file_prefixes{{{"oci:", Transport::oci_layout},
                                               {"oci-archive:", Transport::oci_archive},
                                               {"docker-archive:", Transport::docker_archive},
                                               {"dockertar:", Transport::docker_archive}}};

// Sources of other tools that berth does not support: refused by name rather than as an invalid registry.
constexpr std::array<std::string_view, 5> foreign_prefixes{"containers-storage:", "dir:", "ostree:", "file:", "sif:"};

[[noreturn]] void refuse(std::string_view text, std::string_view reason, std::string hint) {
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("'{}' is not an image reference: {}", base::printable(text), reason), std::move(hint));
}

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string without_archive_suffix(std::string name) {
  constexpr std::array<std::string_view, 7> suffixes{".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2",
                                                     ".tgz",    ".tar",     ".oci"};
  for (const auto suffix : suffixes) {
    if (name.size() > suffix.size() && name.ends_with(suffix)) {
      name.resize(name.size() - suffix.size());
      break;
    }
  }
  return name;
}

// Makes a valid repository name from any file name: lower case, a single `-` for characters that are not allowed.
std::string repository_from(std::string_view file_name) {
  std::string result;
  for (const char c : file_name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool alnum = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    const bool separator = lower == '.' || lower == '_' || lower == '-';
    const bool after_separator = result.empty() || result.back() == '.' || result.back() == '_' || result.back() == '-';
    if (alnum) {
      result += lower;
    } else if (!after_separator) {
      result += separator ? lower : '-';
    }
  }
  constexpr std::size_t length_limit = 64;
  result.resize(std::min(result.size(), length_limit));
  while (!result.empty() && (result.back() == '.' || result.back() == '_' || result.back() == '-')) {
    result.pop_back();
  }
  return result.empty() ? "image" : result;
}

std::string tag_from(std::string_view selector) {
  if (selector.empty()) {
    return "latest";
  }
  if (is_tag(selector)) {
    return std::string(selector);
  }
  std::string tag;
  for (const char c : selector.substr(0, 128)) {
    const std::string one(1, c);
    tag += is_tag("x" + one) ? one : (tag.empty() ? "" : "-");
  }
  return is_tag(tag) ? tag : "latest";
}

// A selector that is a whole image name names the image; otherwise the file does.
ImageName name_of_file(const Reference& reference) {
  try {
    if (reference.transport == Transport::docker_archive && !reference.selector.empty()) {
      return parse_docker_name(reference.selector, reference.naming);
    }
    return parse_image_name(reference.selector);
  } catch (const base::Error&) {
    if (reference.transport == Transport::docker_archive && !reference.selector.empty()) {
      throw;
    }
  }
  ImageName name;
  name.registry = reference.naming == Naming::canonical ? local_registry : "";
  name.repository = repository_from(without_archive_suffix(std::filesystem::path(reference.path).filename().string()));
  name.tag = tag_from(reference.selector);
  while (name.encoded().size() > encoded_limit) {
    name.tag.pop_back();  // the repository alone is short enough
  }
  return name;
}

std::string absolute_path(const std::string& path) {
  auto absolute = std::filesystem::absolute(path);
  if (!absolute.has_filename()) {  // a trailing slash
    absolute = absolute.parent_path();
  }
  return absolute.string();
}

Reference parse_file_reference(std::string_view text, const Prefix& prefix, Naming naming) {
  const auto rest = text.substr(prefix.text.size());
  const auto colon = rest.find(':');
  const auto path = rest.substr(0, colon);
  if (path.empty()) {
    refuse(text, "it has no path", fmt::format("write {}PATH", prefix.text));
  }
  if (colon != std::string_view::npos && colon + 1 == rest.size()) {
    refuse(text, "nothing follows the last colon", "remove the colon, or name the image after it");
  }
  Reference reference;
  reference.transport = prefix.transport;
  reference.naming = naming;
  reference.path = absolute_path(std::string(path));
  reference.selector = colon == std::string_view::npos ? "" : std::string(rest.substr(colon + 1));
  reference.name = name_of_file(reference);
  return reference;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

Reference parse_registry_reference(std::string_view text, Naming naming) {
  Reference reference;
  reference.naming = naming;
  if (!take_prefix(text, "docker://")) {
    reference.plain_http = take_prefix(text, "http:");
    reference.https_only = !reference.plain_http && take_prefix(text, "https:");
    if (reference.plain_http || reference.https_only) {
      take_prefix(text, "//");
    }
  }
  reference.name = naming == Naming::canonical ? parse_image_name(text) : parse_written_name(text);
  return reference;
}

Reference parse_daemon_reference(std::string_view name, Naming naming) {
  Reference reference;
  reference.transport = Transport::docker_daemon;
  reference.naming = naming;
  reference.selector = name;
  reference.name = parse_docker_name(name, naming);
  return reference;
}

std::string_view prefix_of(const Reference& reference) {
  switch (reference.transport) {
    case Transport::oci_layout:
      return "oci:";
    case Transport::oci_archive:
      return "oci-archive:";
    case Transport::docker_archive:
      return "docker-archive:";
    case Transport::docker_daemon:
      return "docker-daemon:";
    case Transport::registry:
      break;
  }
  if (reference.plain_http) {
    return "http:";
  }
  return reference.https_only ? "https:" : "";
}

}  // namespace

std::string Reference::text() const {
  const auto prefix = prefix_of(*this);
  if (transport == Transport::registry) {
    return fmt::format("{}{}", prefix, name.text());
  }
  if (transport == Transport::docker_daemon) {
    return fmt::format("{}{}", prefix, selector);
  }
  return fmt::format("{}{}{}{}", prefix, path, selector.empty() ? "" : ":", selector);
}

ImageName parse_docker_name(std::string_view text, Naming naming) {
  if (naming == Naming::canonical) {
    return parse_familiar_name(text);
  }
  auto name = parse_written_name(text);
  if (name.registry == local_registry) {
    name.registry.clear();
  }
  return name;
}

Reference parse_reference(std::string_view text, Naming naming) {
  if (has_control_bytes(text)) {
    throw base::Error(base::ErrorKind::usage, "the image reference holds control characters");
  }
  if (text.starts_with("docker://")) {
    return parse_registry_reference(text, naming);
  }
  for (const auto& prefix : file_prefixes) {
    if (text.starts_with(prefix.text)) {
      return parse_file_reference(text, prefix, naming);
    }
  }
  for (const std::string_view prefix : {"docker-daemon:", "docker:"}) {
    if (text.starts_with(prefix)) {
      return parse_daemon_reference(text.substr(prefix.size()), naming);
    }
  }
  for (const auto prefix : foreign_prefixes) {
    if (text.starts_with(prefix)) {
      refuse(text, fmt::format("the source '{}' is not supported", prefix),
             "supported are docker://, http:, https:, oci:, oci-archive:, docker-archive: and docker-daemon:");
    }
  }
  return parse_registry_reference(text, naming);
}

}  // namespace berth::image
