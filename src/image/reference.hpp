// Names of images: what a user types, and the canonical name under which an image is stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace berth::image {

/// Canonical name of an image: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST (distribution-spec 1.1 grammar).
/// Names that the older tools gave may be without a registry, and without Docker Hub's directory `library`.
struct ImageName {
  std::string registry;                ///< host[:port], e.g. `docker.io`, `localhost:5000`; empty: as if Docker Hub's
  std::string repository;              ///< e.g. `library/busybox`
  std::string tag = "latest";          ///< empty when only a digest was given
  std::optional<base::Digest> digest;  ///< when given, the manifest must have it

  /// `docker.io/library/busybox:latest`; with a digest `…@sha256:…`
  [[nodiscard]] std::string text() const;
  /// text() with each byte outside [A-Za-z0-9.-] written as `_XX` (contract, section 4).
  [[nodiscard]] std::string encoded() const;
  /// The canonical name: where a registry has the image, however it is called here.
  [[nodiscard]] ImageName address() const;

  friend bool operator==(const ImageName&, const ImageName&) = default;
};

/// Parses REGISTRY/REPOSITORY[:TAG][@DIGEST]. `docker.io/busybox` becomes `docker.io/library/busybox`.
/// The first component is a registry when it holds `.` or `:` or is `localhost` (the grammar of
/// distribution/reference).
/// @throws Error(usage); a name without registry is refused with `docker.io/library/NAME` as the hint
ImageName parse_image_name(std::string_view text);

/// As parse_image_name, but the name stays as it is written, as the older tools keep it: `busybox` has no registry, and
/// `docker.io/busybox` no directory. @throws Error(usage)
ImageName parse_written_name(std::string_view text);

/// As parse_image_name, but a name without registry means Docker Hub, as Docker's own files (docker-archive) have it.
/// @throws Error(usage)
ImageName parse_familiar_name(std::string_view text);

/// Whether `text` is a tag: `[A-Za-z0-9_][A-Za-z0-9_.-]*`, at most 128 bytes.
bool is_tag(std::string_view text);

/// Inverse of ImageName::encoded, for what stands behind `ociimage/`. Names of older tools without a registry are
/// decoded too. nullopt when it is not such a name (e.g. a layer's hex digest).
std::optional<std::string> decode_branch(std::string_view encoded);

enum class Transport { registry, oci_layout, oci_archive, docker_archive, docker_daemon };

/// How images are called in the store.
enum class Naming {
  canonical,   ///< REGISTRY/REPOSITORY:TAG; what comes from files has the registry `localhost` when they name none
  as_written,  ///< as the older tools do: parse_written_name; `localhost` without a port stands for no registry
};

/// What a user gives as [SOURCE:]IMAGE.
struct Reference {
  Transport transport = Transport::registry;
  bool plain_http = false;  ///< the user wrote `http:`
  std::string path;         ///< absolute path of the layout or archive; empty for a registry
  std::string selector;     ///< the :TAG behind oci:DIR, the image name behind an archive; may be empty
  /// Layouts and archives: the selector when it is a whole name, else `localhost/LAST-COMPONENT:TAG` from the path;
  /// source::open gives the final one, whose tag the archive may know.
  ImageName name;
  bool https_only = false;  ///< the user wrote `https:`; a loopback registry is then not tried over plain http
  Naming naming = Naming::canonical;

  /// As the user would write it again.
  [[nodiscard]] std::string text() const;
};

/// Forms: IMAGE, `docker://IMAGE`, `http:IMAGE`, `https:IMAGE`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`,
/// `docker-archive:FILE[:NAME[:TAG]]`, `docker-daemon:NAME[:TAG]`; `dockertar:` and `docker:` are the older tools'
/// words for the last two. The path ends at the first colon; a relative one is taken from the current directory.
/// @throws Error(usage)
Reference parse_reference(std::string_view text, Naming naming = Naming::canonical);

/// What an archive or a daemon calls an image, as it is called in the store. @throws Error(usage)
ImageName parse_docker_name(std::string_view text, Naming naming);

/// The container name that install uses when none is given: the last path component, plus `-TAG` when the
/// tag is not `latest` (contract, section 4). Bytes not legal in a container name become `-`.
std::string default_container_name(const ImageName& name);

}  // namespace berth::image
