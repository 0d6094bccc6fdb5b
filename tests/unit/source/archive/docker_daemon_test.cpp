// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/docker_daemon.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/fd.hpp"
#include "failure.hpp"
#include "packed.hpp"
#include "scratch_directory.hpp"
#include "source/recording_reporter.hpp"
#include "source/sample_image.hpp"
#include "source/tar_builder.hpp"

namespace berth::source {
namespace {

using test::drain;
using test::failure_of;
using test::SampleImage;
using test::TarBuilder;
using testing::HasSubstr;

const image::Platform amd64{"linux", "amd64", ""};

/// Serves requests on a Unix socket: the archive for `get`, status 200 for `json` of that image.
class Daemon {
 public:
  Daemon(std::string path, std::string image, std::string archive)
      : image_(std::move(image)), archive_(std::move(archive)), listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_.get(), 8), 0);
    thread_ = std::jthread([this] { serve(); });
  }
  ~Daemon() { ::shutdown(listener_.get(), SHUT_RDWR); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

 private:
  void serve() const {
    while (true) {
      const base::Fd client(::accept(listener_.get(), nullptr, nullptr));
      if (!client) {
        return;
      }
      std::array<char, 4096> request{};
      const auto count = ::read(client.get(), request.data(), request.size());
      const std::string text(request.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
      const bool known = text.starts_with("GET /images/" + image_ + "/");
      const std::string body = known ? archive_ : R"({"message":"no such image"})";
      const auto answer = (known ? "HTTP/1.1 200 OK\r\n" : "HTTP/1.1 404 Not Found\r\n") +
                          ("Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
      EXPECT_EQ(::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL), static_cast<ssize_t>(answer.size()));
    }
  }

  std::string image_;
  std::string archive_;
  base::Fd listener_;
  std::jthread thread_;
};

class DockerDaemonTest : public testing::Test {
 protected:
  DockerDaemonTest() {
    options_.reporter = &reporter_;
    ::setenv("DOCKER_HOST", ("unix://" + socket()).c_str(), 1);
    ::setenv("TMPDIR", directory_.path().c_str(), 1);
  }
  ~DockerDaemonTest() override {
    ::unsetenv("DOCKER_HOST");
    ::unsetenv("TMPDIR");
  }
  [[nodiscard]] std::string socket() const { return directory_.path() + "/docker.sock"; }
  [[nodiscard]] std::string archive() const {
    TarBuilder builder(ARCHIVE_FILTER_NONE);
    builder.file("c.json", image_.config).file("l/layer.tar", image_.layer);
    const auto entry = base::Json{{"Config", "c.json"}, {"RepoTags", {"localhost/web:1"}}, {"Layers", {"l/layer.tar"}}};
    return builder.file("manifest.json", base::Json::array({entry}).dump()).finish();
  }
  DockerDaemonSource open(const std::string& name) {
    return {image::parse_reference("docker-daemon:" + name), options_};
  }

  const test::TempDirectory directory_;
  const SampleImage image_;
  test::RecordingReporter reporter_;
  SourceOptions options_;
};

TEST_F(DockerDaemonTest, ReadsAnImageUnderTheRequestedName) {
  const Daemon daemon(socket(), "web:1", archive());
  auto source = open("web:1");
  EXPECT_EQ(source.name().text(), "docker.io/library/web:1");
  const auto resolved = source.resolve(amd64);
  ASSERT_EQ(resolved.manifest.layers.size(), 1U);
  EXPECT_EQ(drain(*source.open_blob(resolved.manifest.layers[0])), image_.layer);
  EXPECT_TRUE(daemon_has_image("web:1", options_));
  EXPECT_FALSE(daemon_has_image("other", options_));
}

TEST_F(DockerDaemonTest, ReportsTheMessageOfTheDaemon) {
  const Daemon daemon(socket(), "web:1", archive());
  const auto error = failure_of([&] { open("other:1").resolve(amd64); });
  EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
  EXPECT_THAT(error.what(), HasSubstr("no daemon on this machine has other:1"));
  EXPECT_THAT(error.hint(), HasSubstr("404 Not Found no such image"));
}

TEST_F(DockerDaemonTest, WithoutADaemonTheHintNamesTheRemedy) {
  const auto error = failure_of([&] { open("web:1").resolve(amd64); });
  EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
  EXPECT_THAT(error.what(), HasSubstr("there is no daemon that could have web:1"));
  EXPECT_THAT(error.hint(), HasSubstr(socket()));
  EXPECT_FALSE(daemon_has_image("web:1", options_));
}

TEST_F(DockerDaemonTest, RefusesADaemonOnAnotherMachine) {
  ::setenv("DOCKER_HOST", "tcp://example.test:2375", 1);
  EXPECT_EQ(failure_of([&] { open("web:1"); }).kind(), base::ErrorKind::usage);
}

TEST_F(DockerDaemonTest, RefusesABrokenArchive) {
  const Daemon daemon(socket(), "web:1", "no archive");
  EXPECT_EQ(failure_of([&] { open("web:1").resolve(amd64); }).kind(), base::ErrorKind::verification);
}

}  // namespace
}  // namespace berth::source
