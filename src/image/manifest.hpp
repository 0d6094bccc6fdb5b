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

/// Whether an image for `offered` runs on `wanted`: same os and architecture, and a variant that is not newer (arm/v7
/// runs v7, v6 and v5; amd64/v3 runs v3, v2 and v1; arm64 without variant is v8, arm is v7, amd64 is v1), as containerd
/// has it.
bool runs_on(const Platform& offered, const Platform& wanted);

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

/// How the bytes of a layer descriptor are packed, by its media type: no more than a hint, for tools get it wrong.
/// `none` when it does not tell.
/// @throws Error(verification) for encrypted and foreign (non-distributable, to be had elsewhere) layers, and for what
/// is
///   text and no archive
Compression layer_compression(const Descriptor& layer);

struct Index {
  std::vector<Descriptor> manifests;
  std::vector<std::string> unreadable{};  ///< why other entries cannot be chosen, one sentence each
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
  Platform platform{"", "", ""};  ///< os and architecture are empty when it does not tell
  std::string created;            ///< RFC 3339, may be empty
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> environment;  ///< `K=V`; some images have entries without `=`
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
inline constexpr std::size_t index_entry_limit = 1000;

/// Media types a manifest request accepts, for the Accept header.
std::vector<std::string> manifest_media_types();

/// Whether the media type is that of an OCI index or a Docker manifest list.
bool is_index_media_type(std::string_view media_type);

/// Parses what a registry or layout calls a manifest. Its keys decide what it is. `media_type` as announced (may be
/// empty) tells at most whether a manifest without a type of its own is Docker's, whose configuration may be of any
/// type. Entries of an index that cannot be read spoil nothing.
/// @throws Error(verification) naming `document` and the key, also for schema 1 and artefacts
std::variant<Index, Manifest> parse_manifest(std::string_view text, std::string_view media_type,
                                             std::string_view document);

/// Parses `index.json` of an OCI layout (image-spec 1.1): an index whose entries may be indexes themselves and may be
/// no images.
/// @throws Error(verification)
Index parse_layout_index(std::string_view text, std::string_view document);

/// @throws Error(verification)
ImageConfig parse_image_config(std::string_view text, std::string_view document);

/// Chooses the entry of an index for `wanted` (same os and architecture; best variant that runs there; the first of
/// equals). Without one, the first entry that names no platform. It may be an index itself.
/// @throws Error(not_found) naming the platforms that exist, and what could not be read
const Descriptor& choose_platform(const Index& index, const Platform& wanted, std::string_view document);

}  // namespace berth::image
