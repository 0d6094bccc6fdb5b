// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of images: references given by users, and the canonical names under which images are stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace berth::image {

/// Canonical name of an image: REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@DIGEST (distribution-spec 1.1 grammar).
/// Names given by atomic may lack a registry, and Docker Hub's directory `library`.
struct ImageName {
  std::string registry;                ///< host[:port], e.g. `docker.io`, `localhost:5000`; empty: Docker Hub
  std::string repository;              ///< e.g. `library/busybox`
  std::string tag = "latest";          ///< empty when only a digest was given
  std::optional<base::Digest> digest;  ///< when given, the manifest must match it

  /// `docker.io/library/busybox:latest`; with a digest `…@sha256:…`
  [[nodiscard]] std::string text() const;
  /// text() with each byte outside [A-Za-z0-9.-] written as `_XX` (docs/system-containers.md, "Deployments on disk").
  [[nodiscard]] std::string encoded() const;
  /// The canonical name, which is the address of the image in a registry.
  [[nodiscard]] ImageName address() const;

  friend bool operator==(const ImageName&, const ImageName&) = default;
};

/// Parses REGISTRY/REPOSITORY[:TAG][@DIGEST]. `docker.io/busybox` becomes `docker.io/library/busybox`.
/// The first component is a registry when it holds `.` or `:` or is `localhost` (the grammar of
/// distribution/reference).
/// @throws Error(usage); a name without registry is refused with `docker.io/library/NAME` as the hint
ImageName parse_image_name(std::string_view text);

/// As parse_image_name, but the name stays as it is written, as in atomic: `busybox` has no registry, and
/// `docker.io/busybox` no directory. @throws Error(usage)
ImageName parse_written_name(std::string_view text);

/// As parse_image_name, but a name without registry means Docker Hub, as in Docker's own files (docker-archive).
/// @throws Error(usage)
ImageName parse_familiar_name(std::string_view text);

/// Whether `text` is a tag: `[A-Za-z0-9_][A-Za-z0-9_.-]*`, at most 128 bytes.
bool is_tag(std::string_view text);

/// Inverse of ImageName::encoded, for the part of a branch after `ociimage/`. Names of atomic without a registry are
/// decoded, too. @return nullopt for other text, e.g. the hex digest of a layer
std::optional<std::string> decode_branch(std::string_view encoded);

enum class Transport { registry, oci_layout, oci_archive, docker_archive, docker_daemon };

/// The names of images in the store.
enum class Naming {
  canonical,   ///< REGISTRY/REPOSITORY:TAG; images from files that name no registry get `localhost`
  as_written,  ///< as in atomic: parse_written_name; `localhost` without a port means no registry
};

/// A reference of the form [SOURCE:]IMAGE.
struct Reference {
  Transport transport = Transport::registry;
  bool plain_http = false;  ///< the user wrote `http:`
  std::string path;         ///< absolute path of the layout or archive; empty for a registry
  std::string selector;     ///< the :TAG after oci:DIR, the image name after an archive; may be empty
  /// For layouts and archives: the selector when it is a whole name, else `localhost/LAST-COMPONENT:TAG` from the path.
  /// source::open determines the final name, since an archive may contain the tag.
  ImageName name;
  bool https_only = false;  ///< the user wrote `https:`; a loopback registry is then not tried over plain http
  Naming naming = Naming::canonical;

  /// The reference in the form that a user writes.
  [[nodiscard]] std::string text() const;
};

/// Forms: IMAGE, `docker://IMAGE`, `http:IMAGE`, `https:IMAGE`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`,
/// `docker-archive:FILE[:NAME[:TAG]]`, `docker-daemon:NAME[:TAG]`; `dockertar:` and `docker:` are the names of the
/// last two in atomic. The path ends at the first colon; a relative one is taken from the current directory.
/// @throws Error(usage)
Reference parse_reference(std::string_view text, Naming naming = Naming::canonical);

/// The name in the store of an image that an archive or a daemon calls `text`. @throws Error(usage)
ImageName parse_docker_name(std::string_view text, Naming naming);

/// The container name that install uses when none is given: the last path component, plus `-TAG` when the
/// tag is not `latest` (docs/system-containers.md, "Deployments on disk"). Characters that a container name cannot
/// contain become `-`.
std::string default_container_name(const ImageName& name);

}  // namespace berth::image
