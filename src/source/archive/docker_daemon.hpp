// SPDX-License-Identifier: LGPL-2.1-or-later
// Images of a Docker or Podman daemon on this machine.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/image_source.hpp"
#include "source/archive/docker_archive.hpp"
#include "source/registry/options.hpp"

namespace berth::source {

/// The sockets that are tried, in this order: only the one in DOCKER_HOST (`unix://PATH`) if that is set, otherwise
/// /var/run/docker.sock and /run/podman/podman.sock. @throws Error(usage) when DOCKER_HOST is not a local socket
std::vector<std::string> daemon_sockets();

/// Reads one image over the Docker Engine API, which Podman implements as well (`GET /images/NAME/get`). No request is
/// sent before resolve. The answer is an archive whose manifest comes last: it is kept in a file without a name in
/// $TMPDIR (/var/tmp) for the lifetime of the source.
class DockerDaemonSource final : public image::ImageSource {
 public:
  /// @throws Error(usage) as daemon_sockets does
  DockerDaemonSource(const image::Reference& reference, const SourceOptions& options);

  [[nodiscard]] const image::ImageName& name() const override { return reference_.name; }
  /// @throws Error(not_found) when no daemon runs, or none has the image
  image::ResolvedManifest resolve(const image::Platform& platform) override;
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override;
  [[nodiscard]] std::int64_t packed_size(const image::Descriptor& descriptor) const override;

 private:
  DockerArchiveSource& archive();
  TarFile fetch() const;

  image::Reference reference_;
  SourceOptions options_;
  std::vector<std::string> sockets_;
  std::unique_ptr<DockerArchiveSource> archive_;
};

/// Whether a daemon on this machine has an image of that name. Daemons that do not answer are ignored.
bool daemon_has_image(const std::string& name, const SourceOptions& options);

}  // namespace berth::source
