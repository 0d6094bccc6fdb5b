// Images that a Docker or Podman daemon on this machine has.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/image_source.hpp"
#include "source/archive/docker_archive.hpp"
#include "source/registry/options.hpp"

namespace berth::source {

/// The sockets that are tried, in this order: the one DOCKER_HOST names (`unix://PATH`) and no other, else
/// /var/run/docker.sock and /run/podman/podman.sock. @throws Error(usage) when DOCKER_HOST names no local socket
std::vector<std::string> daemon_sockets();

/// Reads one image over the Docker Engine API, which Podman speaks, too (`GET /images/NAME/get`). Nothing is asked
/// before resolve. The answer is an archive whose table of contents comes last: it is kept in a file without a name
/// in $TMPDIR (/var/tmp) as long as the source lives.
class DockerDaemonSource final : public image::ImageSource {
 public:
  /// @throws Error(usage) as daemon_sockets does
  DockerDaemonSource(const image::Reference& reference, const SourceOptions& options);

  [[nodiscard]] const image::ImageName& name() const override { return reference_.name; }
  /// @throws Error(not_found) when there is no daemon, or none of that image
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

/// Whether a daemon on this machine has an image of that name. One that does not answer has none.
bool daemon_has_image(const std::string& name, const SourceOptions& options);

}  // namespace berth::source
