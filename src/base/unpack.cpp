#include "base/unpack.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/libarchive.hpp"

namespace berth::base {
namespace {

constexpr std::uint64_t small_limit = std::uint64_t{4} << 30U;
constexpr std::uint64_t ratio_limit = 1100;
constexpr std::size_t block_size = std::size_t{256} << 10U;

struct ArchiveDeleter {
  void operator()(archive* reader) const { libarchive().read_free(reader); }
};
using Archive = std::unique_ptr<archive, ArchiveDeleter>;

// Only filters inside libarchive: the rest of its list runs programs.
Archive new_reader() {
  Archive reader(libarchive().read_new());
  if (!reader) {
    throw std::bad_alloc();
  }
  libarchive().read_support_filter_gzip(reader.get());
  libarchive().read_support_filter_bzip2(reader.get());
  libarchive().read_support_filter_xz(reader.get());
  libarchive().read_support_filter_zstd(reader.get());
  libarchive().read_support_format_raw(reader.get());
  return reader;
}

class UnpackedStream final : public ByteStream {
 public:
  UnpackedStream(std::unique_ptr<ByteStream> packed, std::uint64_t limit, std::string name)
      : packed_(std::move(packed)),
        left_(limit),
        limit_(limit),
        name_(std::move(name)),
        buffer_(block_size),
        reader_(new_reader()) {
    libarchive().read_set_callback_data(reader_.get(), this);
    libarchive().read_set_read_callback(reader_.get(), &UnpackedStream::on_read);
    check(libarchive().read_open1(reader_.get()));
    refuse_nesting();
    archive_entry* entry = nullptr;
    check(libarchive().read_next_header(reader_.get(), &entry));
  }

  std::size_t read(std::span<std::byte> buffer) override {
    if (ended_) {
      return 0;
    }
    const auto count = libarchive().read_data(reader_.get(), buffer.data(), buffer.size());
    check(count < 0 ? static_cast<int>(count) : ARCHIVE_OK);
    const auto size = static_cast<std::uint64_t>(count);
    if (size > left_) {
      throw Error(ErrorKind::verification,
                  fmt::format("{}: it unpacks to more than {} bytes, the limit for its size", name_, limit_),
                  "have it packed with gzip or zstd, or not at all, if it is what it should be");
    }
    left_ -= size;
    if (count == 0) {
      ended_ = true;
      drain();
    }
    return static_cast<std::size_t>(count);
  }

 private:
  static la_ssize_t on_read(archive* reader, void* self, const void** buffer) {
    auto& stream = *static_cast<UnpackedStream*>(self);
    try {
      *buffer = stream.buffer_.data();
      return static_cast<la_ssize_t>(stream.packed_->read(stream.buffer_));
    } catch (...) {  // libarchive is C: nothing may be thrown through it; check throws it on
      stream.failure_ = std::current_exception();
      libarchive().set_error(reader, EIO, "read error");
      return ARCHIVE_FATAL;
    }
  }

  // What is behind the packed data is of no use, but who gave the bytes may check them at their end.
  void drain() {
    while (packed_->read(buffer_) != 0) {
    }
  }

  // libarchive unpacks again and again while the result looks packed, each time by up to a thousand.
  void refuse_nesting() const {
    constexpr int allowed = 2;  // the compression, and the callback
    if (libarchive().filter_count(reader_.get()) > allowed) {
      throw Error(ErrorKind::verification, fmt::format("{}: it is packed more than once", name_),
                  "have it packed once, or not at all");
    }
  }

  // Also a result that asks to try again: the same bytes would come.
  void check(int result) const {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    if (result < ARCHIVE_WARN || result == ARCHIVE_RETRY) {
      const char* reason = libarchive().error_string(reader_.get());
      throw Error(ErrorKind::verification,
                  fmt::format("cannot read {}: {}", name_, printable(reason == nullptr ? "unknown format" : reason)),
                  "check that the file is complete and of the kind its prefix says");
    }
  }

  std::unique_ptr<ByteStream> packed_;
  std::uint64_t left_;
  std::uint64_t limit_;
  std::string name_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
  bool ended_ = false;
  Archive reader_;
};

}  // namespace

std::uint64_t unpacked_limit(std::uint64_t packed_size) {
  if (packed_size > std::numeric_limits<std::uint64_t>::max() / ratio_limit) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::max(small_limit, packed_size * ratio_limit);
}

bool looks_compressed(std::string_view first_bytes) {
  using namespace std::string_view_literals;
  constexpr std::array<std::string_view, 3> magics{"\x1f\x8b"sv,
                                                   "\xfd"
                                                   "7zXZ\0"sv,
                                                   "\x28\xb5\x2f\xfd"sv};
  if (std::any_of(magics.begin(), magics.end(), [&](auto magic) { return first_bytes.starts_with(magic); })) {
    return true;
  }
  // A name in a tar archive may begin with `BZh`, too.
  const auto block = first_bytes.size() < magic_size ? std::string_view{} : first_bytes.substr(4, 6);
  return first_bytes.starts_with("BZh") &&
         (block == "\x31\x41\x59\x26\x53\x59"sv || block == "\x17\x72\x45\x38\x50\x90"sv);
}

std::unique_ptr<ByteStream> unpack(std::unique_ptr<ByteStream> packed, std::uint64_t limit, std::string name) {
  return std::make_unique<UnpackedStream>(std::move(packed), limit, std::move(name));
}

}  // namespace berth::base
