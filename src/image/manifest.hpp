// OCI image-spec 1.1 and Docker schema 2 documents as types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/digest.hpp"

namespace berth::image {

/// os/architecture[/variant] as in the OCI image index.
struct Platform {
  std::string os = "linux";
  std::string architecture;  ///< Go's names: amd64, arm64, arm, ppc64le, s390x, riscv64, 386 …
  std::string variant;       ///< e.g. v7, v8; may be empty

  [[nodiscard]] std::string text() const;
  friend bool operator==(const Platform&, const Platform&) = default;
};

/// The platform this program was built for.
Platform host_platform();

/// Parses `os/architecture[/variant]`. @throws Error(usage)
Platform parse_platform(std::string_view text);

/// OCI content descriptor.
struct Descriptor {
  std::string media_type;
  base::Digest digest;
  std::int64_t size = 0;  ///< bytes, not negative
  std::optional<Platform> platform;
  std::vector<std::string> urls;
  std::map<std::string, std::string> annotations;
};

enum class Compression { none, gzip, zstd };

/// How the bytes of a layer descriptor are packed, by its media type.
/// @throws Error(verification) for encrypted, foreign (non-distributable without content) and unknown types
Compression layer_compression(const Descriptor& layer);

struct Index {
  std::vector<Descriptor> manifests;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
};

/// A health check as Docker's image config writes it.
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval_ns = 0;
  std::int64_t timeout_ns = 0;
  std::int64_t start_period_ns = 0;
  std::int64_t retries = 0;
};

/// OCI image configuration.
struct ImageConfig {
  Platform platform;
  std::string created;  ///< RFC 3339, may be empty
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;  ///< `K=V`
  std::string working_dir;
  std::string user;
  std::string stop_signal;
  std::vector<std::string> exposed_ports;
  std::vector<std::string> volumes;
  std::map<std::string, std::string> labels;
  std::optional<Healthcheck> healthcheck;
  std::vector<base::Digest> diff_ids;
};

inline constexpr std::size_t layer_count_limit = 500;

/// Parses what a registry or layout calls a manifest. `media_type` as announced (may be empty: then the document
/// decides). @throws Error(verification) naming `document` and the key, also for schema 1 and artefacts
std::variant<Index, Manifest> parse_manifest(std::string_view text, std::string_view media_type, std::string_view document);

/// @throws Error(verification)
ImageConfig parse_image_config(std::string_view text, std::string_view document);

/// Chooses the entry of an index for `wanted` (same os and architecture; best variant).
/// @throws Error(not_found) naming the platforms that exist
const Descriptor& choose_platform(const Index& index, const Platform& wanted, std::string_view document);

}  // namespace berth::image
