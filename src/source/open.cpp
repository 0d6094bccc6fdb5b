// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/open.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "source/archive/docker_archive.hpp"
#include "source/archive/docker_daemon.hpp"
#include "source/archive/oci_layout.hpp"
#include "source/registry/registry.hpp"

namespace berth::source {
namespace {

std::unique_ptr<image::ImageSource> open_transport(const image::Reference& reference, const SourceOptions& options) {
  switch (reference.transport) {
    case image::Transport::oci_layout:
      return std::make_unique<OciLayoutSource>(reference, open_layout_directory(reference.path));
    case image::Transport::oci_archive:
      return std::make_unique<OciLayoutSource>(reference, open_layout_archive(reference.path, options.stop));
    case image::Transport::docker_archive:
      return std::make_unique<DockerArchiveSource>(reference, options.stop);
    case image::Transport::docker_daemon:
      return std::make_unique<DockerDaemonSource>(reference, options);
    case image::Transport::registry:
      break;
  }
  return std::make_unique<RegistrySource>(reference, options);
}

}  // namespace

std::unique_ptr<image::ImageSource> open(const image::Reference& reference, const SourceOptions& options) {
  return base::in_context([&] { return fmt::format("opening {}", reference.text()); },
                          [&] { return open_transport(reference, options); });
}

}  // namespace berth::source
