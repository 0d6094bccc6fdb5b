// SPDX-License-Identifier: LGPL-2.1-or-later
// The minimal costs of a pull, measured one by one: limit DIRECTORY BLOB.tar.gz… prints, in CPU seconds of one core,
// how long it takes to inflate the layers, to hash them (the blobs once; the uncompressed bytes twice, at the same
// time), and to write their files into the new directory DIRECTORY; and then, in seconds of wall-clock time, to sync
// them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/archive/decompress.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "store/layer/layer_archive.hpp"
#include "store/ostree/object_staging.hpp"

namespace {

using namespace berth;
using Clock = std::chrono::steady_clock;

constexpr std::size_t piece_size = std::size_t{256} << 10U;

class FileStream final : public base::ByteStream {
 public:
  explicit FileStream(const char* path) : file_(base::open_at(AT_FDCWD, path, O_RDONLY)) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = ::read(file_.get(), buffer.data(), buffer.size());
    base::check_errno(static_cast<int>(count), "read a layer");
    return static_cast<std::size_t>(count);
  }

 private:
  base::Fd file_;
};

class Watch {
 public:
  [[nodiscard]] double lap() {
    const auto now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(began_, now)).count();
  }

 private:
  Clock::time_point began_ = Clock::now();
};

struct Seconds {
  double inflate = 0;
  double hash = 0;
  double write = 0;
  double sync = 0;
};

std::unique_ptr<base::ByteStream> unpacked(const char* path) {
  return base::decompress(std::make_unique<FileStream>(path),
                          {path, std::numeric_limits<std::uint64_t>::max(), "", base::Compression::gzip});
}

/// Inflates without and with hashing; the difference is the time of hashing.
void inflate_and_hash(const char* path, Seconds& seconds) {
  std::vector<std::byte> piece(piece_size);
  base::Sha256 once;
  base::Sha256 twice;
  for (FileStream packed(path); packed.read(piece) > 0;) {  // fills the page cache
  }
  FileStream packed(path);
  Watch watch;
  while (const auto count = packed.read(piece)) {
    once.update(std::span<const std::byte>(piece).first(count));
  }
  seconds.hash += watch.lap();
  for (auto stream = unpacked(path); stream->read(piece) > 0;) {
  }
  const auto inflate = watch.lap();
  seconds.inflate += inflate;
  const auto stream = unpacked(path);
  while (const auto count = stream->read(piece)) {
    const auto bytes = std::span<const std::byte>(piece).first(count);
    base::Sha256::update_both(once, bytes, twice, bytes);
  }
  seconds.hash += watch.lap() - inflate;
}

struct alignas(store::ObjectStaging::direct_alignment) Buffer {
  std::byte bytes[std::size_t{4} << 20U];
};

/// Measures the staging only, without reading the archive.
class Writes {
 public:
  explicit Writes(const char* directory) : buffer_(std::make_unique_for_overwrite<Buffer>()) {
    base::check_errno(::mkdir(directory, 0755), "make the directory");
    opened_ = base::open_host_directory(directory);
    base::check_errno(::mkdirat(opened_.get(), "tmp", 0755), "make a directory");
    base::check_errno(::mkdirat(opened_.get(), "objects", 0755), "make a directory");
    base::make_directories_at(opened_.get(), "refs/heads", 0755);
    staging_.emplace(opened_.get(), store::ObjectStaging::Options{.sync = false});
  }

  /// Writes files of the sizes in the layer, with numbers as names.
  void layer(const char* path) {
    const auto stream = unpacked(path);
    store::LayerArchive tar(*stream, path);
    while (const auto entry = tar.next()) {
      if (entry->type == base::TarEntryType::file) {
        const auto name = fmt::format("{:02x}/{}", number_ % 256, number_);
        ++number_;
        entry->size > small_size ? large(tar, name) : small(tar, name);
      }
    }
  }

  [[nodiscard]] double seconds() const { return seconds_; }
  void sync() const { base::check_errno(::syncfs(opened_.get()), "sync"); }
  /// Publishes the files. Unpublished files would be deleted, which slows down the next creation of files.
  void keep() { staging_->publish(); }

 private:
  static constexpr std::uint64_t small_size = std::uint64_t{1} << 20U;

  /// Fills the buffer unless the file ends.
  std::span<const std::byte> next(store::LayerArchive& tar) {
    std::size_t filled = 0;
    while (const auto count = tar.read(std::span(buffer_->bytes).subspan(filled))) {
      filled += count;
    }
    return std::span(buffer_->bytes).first(filled);
  }
  void large(store::LayerArchive& tar, const std::string& name) {
    Watch watch;
    auto file = staging_->create_unnamed();
    seconds_ += watch.lap();
    for (auto piece = next(tar); !piece.empty(); piece = next(tar)) {
      static_cast<void>(watch.lap());
      staging_->write_large(file, piece);
      seconds_ += watch.lap();
    }
    staging_->name(file, name);
    seconds_ += watch.lap();
  }
  void small(store::LayerArchive& tar, const std::string& name) {
    const auto piece = next(tar);
    Watch watch;
    staging_->write(staging_->create(name).value().get(), piece);
    seconds_ += watch.lap();
  }

  std::unique_ptr<Buffer> buffer_;
  base::Fd opened_;
  std::optional<store::ObjectStaging> staging_;
  std::size_t number_ = 0;
  double seconds_ = 0;
};

Seconds measure(const char* directory, std::span<char*> blobs) {
  Seconds seconds;
  for (const char* blob : blobs) {
    inflate_and_hash(blob, seconds);
  }
  Writes writes(directory);
  for (const char* blob : blobs) {
    writes.layer(blob);
  }
  seconds.write = writes.seconds();
  Watch watch;
  writes.sync();
  seconds.sync = watch.lap();
  writes.keep();
  return seconds;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    fmt::print(stderr, "usage: limit DIRECTORY BLOB...\n");
    return 2;
  }
  try {
    const auto seconds = measure(words[1], std::span(words, static_cast<std::size_t>(count)).subspan(2));
    fmt::print("{{\"inflate\": {:.4f}, \"hash\": {:.4f}, \"write\": {:.4f}, \"sync\": {:.4f}}}\n", seconds.inflate,
               seconds.hash, seconds.write, seconds.sync);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
