// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/docker_daemon.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>
#include <span>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "source/http/http.hpp"
#include "source/http/http_error.hpp"
#include "source/registry/status.hpp"

namespace berth::source {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t archive_limit = 64ULL << 30U;
constexpr std::uint64_t message_limit = 64U << 10U;
constexpr std::chrono::seconds stall_timeout{600};  // a daemon writes the whole archive before it sends a byte

/// The message of the daemon, e.g. `{"message": "no such image"}`.
std::string message_of(HttpResponse& response) {
  try {
    const auto json = base::parse_json(response.read_text(message_limit, "answer"), "answer");
    return base::printable(base::JsonView(json, "answer").string_or("message", ""), 300);
  } catch (const Error&) {
    return {};
  }
}

HttpOptions http_options(const SourceOptions& options, const std::string& socket) {
  HttpOptions result;
  result.connect_timeout = options.connect_timeout;
  result.stall_timeout = stall_timeout;
  result.user_agent = options.user_agent;
  result.stop = options.stop;
  result.socket = socket;
  return result;
}

HttpRequest request_for(const std::string& name, const char* what) {
  return {parse_url(fmt::format("http://localhost/images/{}/{}", name, what)), {}, "", std::nullopt};
}

bool has_socket(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// A file without a name, which the kernel removes with the last descriptor.
base::Fd open_spool() {
  const char* chosen = std::getenv("TMPDIR");
  const std::string directory = chosen == nullptr || *chosen == '\0' ? "/var/tmp" : chosen;
  base::Fd file(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  base::check_errno(file.get(), fmt::format("create a temporary file in {}", directory));
  return file;
}

void spool(base::ByteStream& stream, int file, const std::string& name) {
  std::vector<std::byte> buffer(std::size_t{256} << 10U);
  std::uint64_t total = 0;
  while (const auto count = stream.read(buffer)) {
    total += count;
    if (total > archive_limit) {
      throw Error(ErrorKind::verification, fmt::format("{} has more than {} GiB", name, archive_limit >> 30U),
                  "push the image to a registry, and install it from there");
    }
    base::write_all(file, {reinterpret_cast<const char*>(buffer.data()), count}, name);
  }
}

}  // namespace

std::vector<std::string> daemon_sockets() {
  constexpr std::string_view scheme = "unix://";
  const char* set = std::getenv("DOCKER_HOST");
  const std::string_view host = set == nullptr ? "" : set;
  if (host.empty()) {
    return {"/var/run/docker.sock", "/run/podman/podman.sock"};
  }
  if (!host.starts_with(scheme) || host.size() == scheme.size()) {
    throw Error(ErrorKind::usage, fmt::format("DOCKER_HOST={} is not a socket on this machine", base::printable(host)),
                "set it to unix://PATH, or unset it");
  }
  return {std::string(host.substr(scheme.size()))};
}

DockerDaemonSource::DockerDaemonSource(const image::Reference& reference, const SourceOptions& options)
    : reference_(reference), options_(options), sockets_(daemon_sockets()) {}

TarFile DockerDaemonSource::fetch() const {
  const auto& image = reference_.selector;
  std::vector<std::string> answers;
  for (const auto& socket : sockets_) {
    if (!has_socket(socket)) {
      continue;
    }
    try {
      HttpClient http(http_options(options_, socket));
      const auto response = http.send(request_for(image, "get"));
      if (response->status() == 200) {
        const auto name = fmt::format("the archive of {} from {}", image, socket);
        auto file = open_spool();
        spool(*response, file.get(), name);
        return {std::move(file), name, options_.stop};
      }
      answers.push_back(fmt::format("{}: {} {}", socket, status_text(response->status()), message_of(*response)));
    } catch (const HttpError& error) {
      answers.push_back(fmt::format("{}: {}", socket, error.what()));
    }
  }
  if (answers.empty()) {
    throw Error(ErrorKind::not_found, fmt::format("there is no daemon that could have {}", image),
                fmt::format("start one that listens on {}, e.g. with: systemctl start podman.socket",
                            fmt::join(sockets_, " or ")));
  }
  throw Error(ErrorKind::not_found, fmt::format("no daemon on this machine has {}", image),
              fmt::format("{}", fmt::join(answers, "; ")));
}

DockerArchiveSource& DockerDaemonSource::archive() {
  if (!archive_) {
    auto any = reference_;  // the archive has one image, under any name
    any.selector.clear();
    archive_ = std::make_unique<DockerArchiveSource>(any, fetch(), options_.stop);
  }
  return *archive_;
}

image::ResolvedManifest DockerDaemonSource::resolve(const image::Platform& platform) {
  return archive().resolve(platform);
}

std::unique_ptr<base::ByteStream> DockerDaemonSource::open_blob(const image::Descriptor& descriptor) {
  return archive().open_blob(descriptor);
}

std::int64_t DockerDaemonSource::packed_size(const image::Descriptor& descriptor) const {
  return archive_ ? archive_->packed_size(descriptor) : descriptor.size;
}

bool daemon_has_image(const std::string& name, const SourceOptions& options) {
  for (const auto& socket : daemon_sockets()) {
    try {
      if (has_socket(socket)) {
        HttpClient http(http_options(options, socket));
        if (http.send(request_for(name, "json"))->status() == 200) {
          return true;
        }
      }
    } catch (const HttpError&) {
      continue;  // no daemon listens there
    }
  }
  return false;
}

}  // namespace berth::source
