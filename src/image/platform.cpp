// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/error.hpp"
#include "image/manifest.hpp"

namespace berth::image {
namespace {

#if defined(__x86_64__)
constexpr std::string_view host_architecture = "amd64";
constexpr std::string_view host_variant = "";
#elif defined(__i386__)
constexpr std::string_view host_architecture = "386";
constexpr std::string_view host_variant = "";
#elif defined(__aarch64__)
constexpr std::string_view host_architecture = "arm64";
constexpr std::string_view host_variant = "v8";
#elif defined(__arm__)
constexpr std::string_view host_architecture = "arm";
#if __ARM_ARCH >= 7
constexpr std::string_view host_variant = "v7";
#elif __ARM_ARCH == 6
constexpr std::string_view host_variant = "v6";
#else
constexpr std::string_view host_variant = "v5";
#endif
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr std::string_view host_architecture = "ppc64le";
constexpr std::string_view host_variant = "";
#elif defined(__s390x__)
constexpr std::string_view host_architecture = "s390x";
constexpr std::string_view host_variant = "";
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::string_view host_architecture = "riscv64";
constexpr std::string_view host_variant = "";
#elif defined(__mips64) && defined(__MIPSEL__)
constexpr std::string_view host_architecture = "mips64le";
constexpr std::string_view host_variant = "";
#elif defined(__loongarch64)
constexpr std::string_view host_architecture = "loong64";
constexpr std::string_view host_variant = "";
#else
#error "name this architecture as Go does"
#endif

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

// The default variant of an architecture.
std::string_view default_variant(std::string_view architecture) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> defaults{
      {{"amd64", "v1"}, {"arm64", "v8"}, {"arm", "v7"}}};
  for (const auto& [name, variant] : defaults) {
    if (name == architecture) {
      return variant;
    }
  }
  return "";
}

// Spellings of uname(2) and of old images, as containerd normalizes them.
Platform normalized(const Platform& platform) {
  constexpr std::array<std::array<std::string_view, 3>, 7> aliases{{{"x86_64", "amd64", ""},
                                                                    {"x86-64", "amd64", ""},
                                                                    {"i386", "386", ""},
                                                                    {"i686", "386", ""},
                                                                    {"aarch64", "arm64", ""},
                                                                    {"armhf", "arm", "v7"},
                                                                    {"armel", "arm", "v6"}}};
  Platform result{lower(platform.os), lower(platform.architecture), lower(platform.variant)};
  for (const auto& [alias, architecture, variant] : aliases) {
    if (result.architecture == alias) {
      result.architecture = architecture;
      if (!variant.empty()) {
        result.variant = variant;
      }
      break;
    }
  }
  if (result.variant.empty()) {
    result.variant = default_variant(result.architecture);
  } else if (result.variant.front() >= '0' && result.variant.front() <= '9') {
    result.variant.insert(0, "v");
  }
  return result;
}

using Version = std::pair<int, int>;

// `v8` → (8, 0), `v8.2` → (8, 2); nullopt for names such as `power9`.
std::optional<Version> version_of(std::string_view variant) {
  if (!variant.starts_with('v')) {
    return std::nullopt;
  }
  Version version{0, 0};
  const char* const end = variant.data() + variant.size();
  auto result = std::from_chars(variant.data() + 1, end, version.first);
  if (result.ec == std::errc{} && result.ptr != end && *result.ptr == '.') {
    result = std::from_chars(result.ptr + 1, end, version.second);
  }
  if (result.ec != std::errc{} || result.ptr != end) {
    return std::nullopt;
  }
  return version;
}

// How well an entry fits; a greater version is better. nullopt when it does not run.
std::optional<Version> fitness(const Platform& offered, const Platform& wanted) {
  const auto offer = normalized(offered);
  const auto want = normalized(wanted);
  if (offer.os != want.os || offer.architecture != want.architecture) {
    return std::nullopt;
  }
  const auto offer_version = version_of(offer.variant);
  const auto want_version = version_of(want.variant);
  if (offer_version && want_version) {
    return *offer_version <= *want_version ? offer_version : std::nullopt;
  }
  if (offer.variant == want.variant) {
    return Version{1, 0};
  }
  return offer.variant.empty() ? std::optional(Version{0, 0}) : std::nullopt;
}

std::string platforms_of(const Index& index) {
  std::string list;
  for (const auto& entry : index.manifests) {
    if (!entry.platform || entry.platform->os == "unknown") {
      continue;  // build attestations are not images
    }
    const auto text = base::printable(entry.platform->text(), 60);
    if (list.find(text) != std::string::npos) {
      continue;
    }
    if (list.size() > 300) {
      return list + ", ...";
    }
    list += (list.empty() ? "" : ", ") + text;
  }
  return list;
}

[[noreturn]] void refuse_platform(const Index& index, const Platform& wanted, std::string_view document) {
  const auto offered = platforms_of(index);
  auto hint =
      offered.empty() ? std::string("it has no image for any platform") : fmt::format("it has images for {}", offered);
  if (!index.unreadable.empty()) {
    hint += fmt::format("; {} of its entries cannot be read: {}", index.unreadable.size(), index.unreadable.front());
  }
  throw base::Error(base::ErrorKind::not_found, fmt::format("{} has no image for {}", document, wanted.text()),
                    std::move(hint));
}

}  // namespace

std::string Platform::text() const {
  return fmt::format("{}/{}{}{}", os, architecture, variant.empty() ? "" : "/", variant);
}

Platform host_platform() {
  return {"linux", std::string(host_architecture), std::string(host_variant)};
}

bool runs_on(const Platform& offered, const Platform& wanted) {
  return fitness(offered, wanted).has_value();
}

Platform parse_platform(std::string_view text) {
  std::vector<std::string> parts;
  for (auto rest = text;;) {
    const auto slash = rest.find('/');
    parts.emplace_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) {
      break;
    }
    rest.remove_prefix(slash + 1);
  }
  const auto legal = [](const std::string& part) {
    return !part.empty() &&
           part.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
               std::string::npos;
  };
  if (parts.size() < 2 || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), legal)) {
    throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is not a platform", base::printable(text)),
                      "write OS/ARCHITECTURE[/VARIANT], e.g. linux/arm64/v8");
  }
  return {parts[0], parts[1], parts.size() == 3 ? parts[2] : ""};
}

const Descriptor& choose_platform(const Index& index, const Platform& wanted, std::string_view document) {
  const Descriptor* best = nullptr;
  std::optional<Version> best_fitness;
  for (const auto& entry : index.manifests) {
    const auto fit = entry.platform ? fitness(*entry.platform, wanted) : std::nullopt;
    if (fit && (!best_fitness || *fit > *best_fitness)) {
      best = &entry;
      best_fitness = fit;
    }
  }
  if (best == nullptr) {  // the last resort, as in podman
    const auto any = std::find_if(index.manifests.begin(), index.manifests.end(),
                                  [](const Descriptor& entry) { return !entry.platform; });
    best = any == index.manifests.end() ? nullptr : &*any;
  }
  if (best == nullptr) {
    refuse_platform(index, wanted, document);
  }
  return *best;
}

}  // namespace berth::image
