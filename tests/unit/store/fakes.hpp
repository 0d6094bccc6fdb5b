// SPDX-License-Identifier: LGPL-2.1-or-later
// Fixtures for the tests of the store: an image source in memory, a recording reporter, temporary directories.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/reporter.hpp"
#include "image/image_source.hpp"
#include "store/store.hpp"

namespace berth::store::testing {

/// A new directory below TMPDIR, removed on destruction.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  std::string path_;
  base::Fd fd_;
};

class RecordingReporter final : public base::Reporter {
 public:
  void step(std::string_view message) override;
  void progress(const base::Progress& progress) override;
  void warning(std::string_view message) override;

  std::vector<std::string> steps;
  std::vector<std::string> warnings;
  std::vector<base::Progress> progresses;
  std::function<void()> on_progress;  ///< called for each report
  std::function<void()> on_step;      ///< called for each step

 private:
  std::mutex lock_;
};

/// Returns the bytes of a string, at most `piece` at a time.
class MemoryStream final : public base::ByteStream {
 public:
  explicit MemoryStream(std::string bytes, std::size_t piece = 4096) : bytes_(std::move(bytes)), piece_(piece) {}
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::string bytes_;
  std::size_t piece_;
  std::size_t position_ = 0;
};

/// An image in memory.
class FakeSource final : public image::ImageSource {
 public:
  explicit FakeSource(const std::string& name = "localhost/test:latest");

  /// Adds a layer; its diff id is that of `tar`.
  FakeSource& layer(const std::string& tar, image::Compression compression = image::Compression::gzip);
  /// Adds a layer with the given bytes and diff id.
  FakeSource& raw_layer(const std::string& packed, const std::string& diff_id, const std::string& media_type);
  FakeSource& created(const std::string& time) {
    created_ = time;
    return *this;
  }

  const image::ImageName& name() const override { return name_; }
  [[nodiscard]] bool from_registry() const override { return registry; }
  image::ResolvedManifest resolve(const image::Platform& platform) override;
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override;

  /// Hex digest of layer `index`.
  [[nodiscard]] std::string layer_hex(std::size_t index) const;
  [[nodiscard]] std::string manifest_text() const;
  [[nodiscard]] std::string config_text() const;

  bool registry = false;  ///< whether the image comes from the registry in its name
  std::atomic<int> blobs_opened{0};
  /// Wraps blobs when set. Its arguments are the digest in hex and the stream.
  std::function<std::unique_ptr<base::ByteStream>(const std::string&, std::unique_ptr<base::ByteStream>)> wrap;

 private:
  struct Layer {
    std::string packed;
    std::string diff_id;
    std::string media_type;
  };
  image::ImageName name_;
  std::vector<Layer> layers_;
  std::string created_ = "2024-05-06T07:08:09Z";
};

/// Describes `path` below `root` in one line: "file 0644 0:0 CONTENT", "directory 0755 0:0", "link TARGET", "absent".
std::string describe(const std::string& root, const std::string& path);
/// The line for a checkout of a repository of that mode: in bare-user, the group has the permissions of the owner.
inline std::string in_mode(RepositoryMode mode, std::string line) {
  for (const auto& [own, shared] : {std::pair{" 0644 ", " 0664 "}, {" 0755 ", " 0775 "}, {" 0500 ", " 0770 "}}) {
    if (const auto at = line.find(own); mode == RepositoryMode::bare_user && at != std::string::npos) {
      line.replace(at, 6, shared);
    }
  }
  return line;
}
/// All paths below `root`, sorted, with the line of describe(): "PATH: LINE".
std::vector<std::string> listing(const std::string& root);

/// Standard output of `ostree ARGS --repo=REPOSITORY`; fails the test unless it exits with status 0.
std::string ostree(const std::string& repository, const std::vector<std::string>& arguments);

StoreOptions options_for(const TemporaryDirectory& directory, base::Reporter& reporter,
                         RepositoryMode mode = RepositoryMode::bare);

}  // namespace berth::store::testing
