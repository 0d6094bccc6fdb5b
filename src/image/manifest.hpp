// SPDX-License-Identifier: LGPL-2.1-or-later
// OCI image-spec 1.1 and Docker schema 2 documents as types.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/archive/decompress.hpp"
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
/// runs v7, v6 and v5; amd64/v3 runs v3, v2 and v1; arm64 without variant is v8, arm is v7, amd64 is v1). These are the
/// rules of containerd.
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

using base::Compression;

/// The compression of a layer according to its media type; `none` when the media type is unknown. It is only a hint,
/// because some tools write a wrong one.
/// @throws Error(verification) for encrypted and foreign (non-distributable) layers, and for media types of text
Compression layer_compression(const Descriptor& layer);

struct Index {
  std::vector<Descriptor> manifests;
  std::vector<std::string> unreadable{};  ///< one message for each entry that cannot be parsed
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  std::map<std::string, std::string> annotations;
};

/// A health check in the form of Docker's image configuration.
struct Healthcheck {
  std::vector<std::string> test;
  std::int64_t interval_ns = 0;
  std::int64_t timeout_ns = 0;
  std::int64_t start_period_ns = 0;
  std::int64_t retries = 0;
};

/// OCI image configuration.
struct ImageConfig {
  Platform platform{"", "", ""};  ///< os and architecture may be empty
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

/// Parses a manifest or an index. The keys of the document decide which one it is. Entries of an index that cannot be
/// parsed are listed in Index::unreadable.
/// @param media_type as announced, may be empty; decides only whether a manifest without its own mediaType is Docker's,
///   whose configuration may be of any type
/// @throws Error(verification) naming `document` and the key, also for schema 1 and artefacts
std::variant<Index, Manifest> parse_manifest(std::string_view text, std::string_view media_type,
                                             std::string_view document);

/// Parses `index.json` of an OCI layout (image-spec 1.1): an index whose entries may be indexes themselves, or
/// artefacts.
/// @throws Error(verification)
Index parse_layout_index(std::string_view text, std::string_view document);

/// @throws Error(verification)
ImageConfig parse_image_config(std::string_view text, std::string_view document);

/// Chooses the entry of an index for `wanted` (same os and architecture; best variant that runs there; the first of
/// equals), or else the first entry without a platform. The entry may be an index itself.
/// @throws Error(not_found) naming the existing platforms and the unreadable entries
const Descriptor& choose_platform(const Index& index, const Platform& wanted, std::string_view document);

}  // namespace berth::image
