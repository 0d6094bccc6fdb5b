// What a pull cannot do without, one after the other and each alone: limit FOLDER BLOB.tar.gz… prints, in seconds of
// one core, how long it takes to inflate the layers, to hash them (the blobs once; what they unpack to twice, at the
// same time), and to write their files into the new folder FOLDER; and then, in seconds of the clock, to sync them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "store/decompress.hpp"
#include "store/tar_reader.hpp"

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
  return store::decompress(image::Compression::gzip, std::make_unique<FileStream>(path),
                           std::numeric_limits<std::uint64_t>::max(), path);
}

/// Inflating and hashing are told apart by doing the one without and with the other.
void inflate_and_hash(const char* path, Seconds& seconds) {
  std::vector<std::byte> piece(piece_size);
  base::Sha256 once;
  base::Sha256 twice;
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

/// Files of the sizes that the layer has, under numbers; reading the archive is not counted.
void write_files(const char* path, int folder, std::size_t& number, Seconds& seconds) {
  const auto stream = unpacked(path);
  store::TarReader tar(*stream, path);
  std::vector<std::byte> piece(piece_size);
  while (const auto entry = tar.next()) {
    if (entry->type != store::EntryType::file) {
      continue;
    }
    const auto subfolder = fmt::format("{:02x}", number % 256);
    if (number < 256) {
      base::check_errno(::mkdirat(folder, subfolder.c_str(), 0755), "make a folder");
    }
    Watch watch;
    const auto file =
        base::open_at(folder, fmt::format("{}/{}", subfolder, number++), O_CREAT | O_EXCL | O_WRONLY, 0644);
    seconds.write += watch.lap();
    while (const auto count = tar.read(piece)) {
      static_cast<void>(watch.lap());
      base::write_all(file.get(), {reinterpret_cast<const char*>(piece.data()), count}, path);
      seconds.write += watch.lap();
    }
  }
}

Seconds measure(const char* folder, std::span<char*> blobs) {
  Seconds seconds;
  for (const char* blob : blobs) {
    inflate_and_hash(blob, seconds);
  }
  base::check_errno(::mkdir(folder, 0755), "make the folder");
  const auto opened = base::open_host_folder(folder);
  std::size_t number = 0;
  for (const char* blob : blobs) {
    write_files(blob, opened.get(), number, seconds);
  }
  Watch watch;
  base::check_errno(::syncfs(opened.get()), "sync");
  seconds.sync = watch.lap();
  return seconds;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    fmt::print(stderr, "usage: limit FOLDER BLOB...\n");
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
