// SPDX-License-Identifier: LGPL-2.1-or-later
#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "image/name_limits.hpp"
#include "image/reference.hpp"

namespace berth::image {
namespace {

constexpr std::size_t repository_limit = 255;
constexpr std::size_t tag_limit = 128;
constexpr std::string_view docker_hub = "docker.io";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}

[[noreturn]] void refuse(std::string_view text, std::string_view reason, std::string hint = {}) {
  throw base::Error(
      base::ErrorKind::usage,
      fmt::format("'{}' is not an image name: {}", base::printable(text), base::printable(reason, 600)),
      hint.empty() ? "write REGISTRY/NAME[:TAG][@DIGEST], e.g. docker.io/library/busybox:latest" : std::move(hint));
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return false;
  }
  const int port = std::stoi(std::string(text));
  return port > 0 && port <= 65535;
}

bool is_domain_component(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

bool is_domain(std::string_view host) {
  while (true) {
    const auto dot = host.find('.');
    if (!is_domain_component(host.substr(0, dot))) {
      return false;
    }
    if (dot == std::string_view::npos) {
      return true;
    }
    host.remove_prefix(dot + 1);
  }
}

bool is_bracketed_ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']' || host.find('\0') != std::string_view::npos) {
    return false;  // inet_pton(3) would stop at a NUL
  }
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), address.data()) == 1;
}

bool is_registry(std::string_view text) {
  if (text.size() > 255) {
    return false;
  }
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos && !is_port(text.substr(colon + 1))) {
    return false;
  }
  const auto host = text.substr(0, colon);
  return is_bracketed_ipv6(host) || is_domain(host);
}

// [a-z0-9]+ joined by one of `.`, `_`, `__` or any number of `-`.
bool is_path_component(std::string_view text) {
  const auto alnum = [](char c) { return is_digit(c) || is_lower(c); };
  std::size_t at = 0;
  while (at < text.size() && alnum(text[at])) {
    while (at < text.size() && alnum(text[at])) {
      ++at;
    }
    if (at == text.size()) {
      return true;
    }
    const auto start = at;
    while (at < text.size() && text[at] == text[start] && !alnum(text[at])) {
      ++at;
    }
    const auto length = at - start;
    const bool separates =
        (text[start] == '-') || (text[start] == '_' && length <= 2) || (text[start] == '.' && length == 1);
    if (!separates) {
      return false;
    }
  }
  return false;
}

void check_repository(std::string_view text, std::string_view repository) {
  if (repository.size() > repository_limit) {
    refuse(text,
           fmt::format("the repository has {} bytes, at most {} are allowed", repository.size(), repository_limit));
  }
  std::string_view rest = repository;
  while (true) {
    const auto slash = rest.find('/');
    const auto component = rest.substr(0, slash);
    if (std::any_of(component.begin(), component.end(), is_upper)) {
      refuse(text, "the repository must be in lower case");
    }
    if (!is_path_component(component)) {
      refuse(text, component.empty() ? std::string("a part of the repository is empty")
                                     : fmt::format("'{}' is not a repository name", component));
    }
    if (slash == std::string_view::npos) {
      return;
    }
    rest.remove_prefix(slash + 1);
  }
}

base::Digest parse_digest(std::string_view text, std::string_view digest) {
  try {
    return base::Digest::parse(digest, text);
  } catch (const base::Error&) {
    refuse(text, fmt::format("'{}' is not a digest", digest), "a digest is sha256: and 64 lower-case hex digits");
  }
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// The first component of a name if it is a registry and not part of the repository.
std::optional<std::string_view> registry_of(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto first = name.substr(0, slash);
  if (first.find_first_of(".:") == std::string_view::npos && first != "localhost") {
    return std::nullopt;
  }
  return first;
}

std::string with_docker_hub(std::string_view name) {
  const auto bare = name.substr(0, name.find_first_of(":@"));
  return fmt::format("{}/{}{}", docker_hub, bare.find('/') == std::string_view::npos ? "library/" : "", name);
}

// Parses everything after the registry: REPOSITORY[:TAG], without the digest.
void parse_repository_and_tag(std::string_view text, std::string_view rest, ImageName& name) {
  const auto slash = rest.rfind('/');
  const auto colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    name.tag = rest.substr(colon + 1);
    if (!is_tag(name.tag)) {
      refuse(text, fmt::format("'{}' is not a tag", name.tag),
             "a tag has letters, digits, '_', '.' and '-', at most 128, and begins with neither '.' nor '-'");
    }
  } else if (name.digest) {
    name.tag.clear();
  }
  name.repository = rest.substr(0, colon);
  check_repository(text, name.repository);
}

// Replaces aliases of Docker Hub, and adds its directory `library`.
void canonicalize_docker_hub(ImageName& name) {
  if (name.registry == "index.docker.io") {
    name.registry = docker_hub;
  }
  if (name.registry == docker_hub && name.repository.find('/') == std::string::npos) {
    name.repository = "library/" + name.repository;
  }
}

bool is_plain(char c) {
  return is_alnum(c) || c == '.' || c == '-';
}

int upper_hex_value(char c) {
  if (is_digit(c)) {
    return c - '0';
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte written as `_XX` at `at`; nullopt for one that encoded() does not write that way.
std::optional<char> escaped_byte(std::string_view encoded, std::size_t at) {
  if (at + 2 >= encoded.size()) {
    return std::nullopt;
  }
  const int high = upper_hex_value(encoded[at + 1]);
  const int low = upper_hex_value(encoded[at + 2]);
  if (high < 0 || low < 0) {
    return std::nullopt;
  }
  const int value = high * 16 + low;
  const char byte = static_cast<char>(value);
  if (value < 0x20 || value == 0x7f || is_plain(byte)) {
    return std::nullopt;
  }
  return byte;
}

bool is_layer_branch(std::string_view text) {
  return (text.size() == 64 || text.size() == 128) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

}  // namespace

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_alnum(c) || c == '_'; };
  return !text.empty() && text.size() <= tag_limit && word(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return word(c) || c == '.' || c == '-'; });
}

std::string ImageName::text() const {
  return fmt::format("{}{}{}{}{}{}{}", registry, registry.empty() ? "" : "/", repository, tag.empty() ? "" : ":", tag,
                     digest ? "@" : "", digest ? digest->text() : "");
}

ImageName ImageName::address() const {
  auto address = *this;
  if (address.registry.empty()) {
    address.registry = docker_hub;
  }
  canonicalize_docker_hub(address);
  return address;
}

std::string ImageName::encoded() const {
  std::string result;
  for (const char c : text()) {
    if (is_plain(c)) {
      result += c;
    } else {
      result += fmt::format("_{:02X}", static_cast<unsigned char>(c));
    }
  }
  return result;
}

ImageName parse_written_name(std::string_view text) {
  const auto at = text.find('@');
  const auto without_digest = text.substr(0, at);
  if (without_digest.empty()) {
    refuse(text, "it is empty");
  }
  const auto registry = registry_of(without_digest);
  if (registry && !is_registry(*registry)) {
    refuse(text, fmt::format("'{}' is not a registry", *registry), "a registry is HOST[:PORT], e.g. localhost:5000");
  }
  ImageName name;
  name.registry = to_lower(registry.value_or(""));
  if (at != std::string_view::npos) {
    name.digest = parse_digest(text, text.substr(at + 1));
  }
  parse_repository_and_tag(text, without_digest.substr(registry ? registry->size() + 1 : 0), name);
  if (name.encoded().size() > encoded_limit) {
    refuse(text, "it is too long to be stored");
  }
  return name;
}

ImageName parse_image_name(std::string_view text) {
  if (const auto bare = text.substr(0, text.find('@')); !bare.empty() && !registry_of(bare)) {
    refuse(text, "it names no registry",
           fmt::format("write {} if you mean the one on Docker Hub", base::printable(with_docker_hub(text), 600)));
  }
  auto name = parse_written_name(text).address();
  if (name.encoded().size() > encoded_limit) {
    refuse(text, "it is too long to be stored");
  }
  return name;
}

ImageName parse_familiar_name(std::string_view text) {
  return parse_image_name(registry_of(text.substr(0, text.find('@'))) ? std::string(text) : with_docker_hub(text));
}

std::optional<std::string> decode_branch(std::string_view encoded) {
  if (encoded.empty() || is_layer_branch(encoded)) {
    return std::nullopt;
  }
  std::string decoded;
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    if (is_plain(encoded[at])) {
      decoded += encoded[at];
      continue;
    }
    const auto byte = encoded[at] == '_' ? escaped_byte(encoded, at) : std::nullopt;
    if (!byte) {
      return std::nullopt;
    }
    decoded += *byte;
    at += 2;
  }
  return decoded;
}

std::string default_container_name(const ImageName& name) {
  const auto slash = name.repository.rfind('/');
  auto result = slash == std::string::npos ? name.repository : name.repository.substr(slash + 1);
  if (!name.tag.empty() && name.tag != "latest") {
    result += "-" + name.tag;
  }
  std::replace_if(
      result.begin(), result.end(), [](char c) { return !is_plain(c) && c != '_'; }, '-');
  return result;
}

}  // namespace berth::image
