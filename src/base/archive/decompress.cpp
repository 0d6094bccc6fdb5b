// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/decompress.hpp"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "base/archive/libarchive.hpp"
#include "base/error.hpp"

namespace berth::base {
namespace {

constexpr std::size_t piece_size = std::size_t{128} << 10U;
constexpr std::size_t tar_block = 512;
constexpr int window_log_limit = 27;  // 128 MiB, the limit of zstd(1) without --long

/// What the decompressors need for their errors.
struct Origin {
  std::string name;
  std::string hint;

  [[noreturn]] void refuse(std::string_view reason) const {
    throw Error(ErrorKind::verification, fmt::format("{}: {}", name, reason), hint);
  }
};

[[noreturn]] void refuse_nesting(const std::string& name) {
  throw Error(ErrorKind::verification, fmt::format("{}: it is compressed more than once", name),
              "have it compressed once, or not at all");
}

/// The compressed bytes, a piece at a time.
class Input {
 public:
  explicit Input(std::unique_ptr<ByteStream> packed) : packed_(std::move(packed)), buffer_(piece_size) {}

  /// The next piece; empty at the end.
  std::span<std::byte> next() {
    if (ended_) {
      return {};
    }
    const auto count = packed_->read(buffer_);
    ended_ = count == 0;
    return std::span(buffer_).first(count);
  }

 private:
  std::unique_ptr<ByteStream> packed_;
  std::vector<std::byte> buffer_;
  bool ended_ = false;
};

class GzipStream final : public ByteStream {
 public:
  GzipStream(std::unique_ptr<ByteStream> packed, Origin origin)
      : input_(std::move(packed)), origin_(std::move(origin)), state_(std::make_unique<inflate_state>()) {
    isal_inflate_init(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

  std::size_t read(std::span<std::byte> buffer) override {
    const auto room = std::min<std::size_t>(buffer.size(), std::numeric_limits<std::uint32_t>::max());
    state_->next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
    state_->avail_out = static_cast<std::uint32_t>(room);
    while (state_->avail_out == room) {
      const bool more = refill();
      if (state_->block_state == ISAL_BLOCK_FINISH) {
        if (!more) {
          return 0;
        }
        begin_member();
      }
      inflate(more);
    }
    return room - state_->avail_out;
  }

 private:
  /// @return false when all input is used up
  bool refill() {
    if (state_->avail_in == 0) {
      const auto piece = input_.next();
      state_->next_in = reinterpret_cast<std::uint8_t*>(piece.data());
      state_->avail_in = static_cast<std::uint32_t>(piece.size());
    }
    return state_->avail_in > 0;
  }

  void begin_member() {
    constexpr std::uint8_t first_magic_byte = 0x1f;
    if (*state_->next_in != first_magic_byte) {
      origin_.refuse("there are bytes after the end of the gzip data");
    }
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

  void inflate(bool more) {
    const auto before = state_->avail_out;
    const int result = isal_inflate(state_.get());
    if (result < 0 || result == ISAL_NEED_DICT) {
      origin_.refuse(result == ISAL_INCORRECT_CHECKSUM ? "the checksum of the gzip data is wrong"
                                                       : "the gzip data is damaged");
    }
    if (!more && state_->avail_out == before && state_->block_state != ISAL_BLOCK_FINISH) {
      origin_.refuse("the gzip data is truncated");
    }
  }

  Input input_;
  Origin origin_;
  std::unique_ptr<inflate_state> state_;
};

struct FreeZstd {
  void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
};

class ZstdStream final : public ByteStream {
 public:
  ZstdStream(std::unique_ptr<ByteStream> packed, Origin origin)
      : input_(std::move(packed)), origin_(std::move(origin)), stream_(ZSTD_createDStream()) {
    if (!stream_) {
      throw std::bad_alloc();
    }
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, window_log_limit);
  }

  std::size_t read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0) {
      const bool more = refill();
      if (!more && frame_done_) {
        return 0;
      }
      const auto result = ZSTD_decompressStream(stream_.get(), &out, &piece_);
      if (ZSTD_isError(result) != 0) {
        origin_.refuse(fmt::format("the zstd data is damaged: {}", ZSTD_getErrorName(result)));
      }
      frame_done_ = result == 0;
      if (!more && !frame_done_ && out.pos == 0) {
        origin_.refuse("the zstd data is truncated");
      }
    }
    return out.pos;
  }

 private:
  /// @return false when all input is used up
  bool refill() {
    if (piece_.pos == piece_.size) {
      const auto piece = input_.next();
      piece_ = {piece.data(), piece.size(), 0};
    }
    return piece_.pos < piece_.size;
  }

  Input input_;
  Origin origin_;
  std::unique_ptr<ZSTD_DStream, FreeZstd> stream_;
  ZSTD_inBuffer piece_{nullptr, 0, 0};
  bool frame_done_ = false;
};

/// bzip2 and xz, which are rare, through libarchive.
class ArchiveStream final : public ByteStream {
 public:
  ArchiveStream(std::unique_ptr<ByteStream> packed, Origin origin)
      : packed_(std::move(packed)), origin_(std::move(origin)), buffer_(piece_size), reader_(libarchive().read_new()) {
    if (!reader_) {
      throw std::bad_alloc();
    }
    // No other filters: some of those in libarchive run programs.
    libarchive().read_support_filter_bzip2(reader_.get());
    libarchive().read_support_filter_xz(reader_.get());
    libarchive().read_support_format_raw(reader_.get());
    libarchive().read_set_callback_data(reader_.get(), this);
    libarchive().read_set_read_callback(reader_.get(), &ArchiveStream::on_read);
    check(libarchive().read_open1(reader_.get()));
    constexpr int allowed = 2;  // the decompressor, and the callback
    if (libarchive().filter_count(reader_.get()) > allowed) {
      refuse_nesting(origin_.name);  // libarchive decompresses repeatedly
    }
    archive_entry* entry = nullptr;
    check(libarchive().read_next_header(reader_.get(), &entry));
  }

  std::size_t read(std::span<std::byte> buffer) override {
    if (ended_) {
      return 0;
    }
    const auto count = libarchive().read_data(reader_.get(), buffer.data(), buffer.size());
    check(count < 0 ? static_cast<int>(count) : ARCHIVE_OK);
    if (count == 0) {
      ended_ = true;
      drain();
    }
    return static_cast<std::size_t>(count);
  }

 private:
  static la_ssize_t on_read(archive* reader, void* self, const void** buffer) {
    auto& stream = *static_cast<ArchiveStream*>(self);
    try {
      *buffer = stream.buffer_.data();
      return static_cast<la_ssize_t>(stream.packed_->read(stream.buffer_));
    } catch (...) {  // exceptions must not pass through C code; check() rethrows it
      stream.failure_ = std::current_exception();
      libarchive().set_error(reader, EIO, "read error");
      return ARCHIVE_FATAL;
    }
  }

  /// Reads what follows the compressed data, since `packed_` may check all of its bytes at its end.
  void drain() {
    while (packed_->read(buffer_) != 0) {
    }
  }

  void check(int result) const {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    // ARCHIVE_RETRY is an error too: a second attempt would read the same bytes.
    if (result < ARCHIVE_WARN || result == ARCHIVE_RETRY) {
      const char* reason = libarchive().error_string(reader_.get());
      origin_.refuse(fmt::format("it cannot be decompressed: {}", printable(reason == nullptr ? "damaged" : reason)));
    }
  }

  std::unique_ptr<ByteStream> packed_;
  Origin origin_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
  bool ended_ = false;
  std::unique_ptr<archive, FreeArchive> reader_;  // after what its callback uses
};

/// Ends a stream whose output exceeds the limit, or is compressed once more.
class BoundedStream final : public ByteStream {
 public:
  /// @param decompressed whether `inner` decompresses
  BoundedStream(std::unique_ptr<ByteStream> inner, bool decompressed, std::uint64_t limit, std::string name)
      : inner_(std::move(inner)), limit_(limit), left_(limit), name_(std::move(name)), beginning_ends_(!decompressed) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = inner_->read(buffer);
    count_bytes(count);
    if (!beginning_ends_) {
      check_beginning(buffer.first(count));
    }
    return count;
  }

  std::uint64_t skip(std::uint64_t count) override {
    const auto skipped = beginning_ends_ ? inner_->skip(count) : 0;
    count_bytes(skipped);
    return skipped;
  }

 private:
  void count_bytes(std::uint64_t count) {
    if (count > left_) {
      throw Error(ErrorKind::verification,
                  fmt::format("{}: it unpacks to more than {} bytes, the limit for its size", name_, limit_),
                  "gigabytes of zeros compress this well, and so do archives made to fill disks: have it built "
                  "without them");
    }
    left_ -= count;
  }

  void check_beginning(std::span<const std::byte> bytes) {
    const auto wanted = std::min(bytes.size(), magic_size - beginning_.size());
    beginning_.append(reinterpret_cast<const char*>(bytes.data()), wanted);
    if (compression_of(beginning_)) {
      refuse_nesting(name_);
    }
    beginning_ends_ = bytes.empty() || beginning_.size() == magic_size;
  }

  std::unique_ptr<ByteStream> inner_;
  std::uint64_t limit_;
  std::uint64_t left_;
  std::string name_;
  std::string beginning_;  ///< the first bytes of the output, as far as they were read
  bool beginning_ends_;    ///< they need no further check
};

/// Returns the bytes that were read to detect the compression, then the rest.
class RewoundStream final : public ByteStream {
 public:
  RewoundStream(std::string beginning, std::unique_ptr<ByteStream> rest)
      : beginning_(std::move(beginning)), rest_(std::move(rest)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (position_ == beginning_.size()) {
      return rest_->read(buffer);
    }
    const auto count = std::min(buffer.size(), beginning_.size() - position_);
    std::copy_n(std::as_bytes(std::span(beginning_)).subspan(position_).begin(), count, buffer.begin());
    position_ += count;
    return count;
  }

  std::uint64_t skip(std::uint64_t count) override { return position_ == beginning_.size() ? rest_->skip(count) : 0; }

 private:
  std::string beginning_;
  std::size_t position_ = 0;
  std::unique_ptr<ByteStream> rest_;
};

bool is_zstd(std::string_view bytes) {
  constexpr std::string_view frame("\x28\xb5\x2f\xfd", 4);
  constexpr std::string_view skippable("\x2a\x4d\x18", 3);  // after a byte of which the upper half alone is fixed
  const bool skips = bytes.size() > skippable.size() && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50;
  return bytes.starts_with(frame) || (skips && bytes.substr(1).starts_with(skippable));
}

/// `BZh` alone may begin a name in a tar archive, so the magic number of the first block is compared as well.
bool is_bzip2(std::string_view bytes) {
  const auto block = bytes.size() < magic_size ? std::string_view() : bytes.substr(4, 6);
  return bytes.starts_with("BZh") && (block == "\x31\x41\x59\x26\x53\x59" || block == "\x17\x72\x45\x38\x50\x90");
}

/// An archive, or the zeros of one without entries.
bool is_tar(std::string_view bytes) {
  constexpr std::size_t magic_at = 257;
  const bool zeros = !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
  return zeros || (bytes.size() == tar_block && bytes.substr(magic_at).starts_with("ustar"));
}

std::unique_ptr<ByteStream> open_stream(Compression compression, std::unique_ptr<ByteStream> packed, Origin origin) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipStream>(std::move(packed), std::move(origin));
    case Compression::zstd:
      return std::make_unique<ZstdStream>(std::move(packed), std::move(origin));
    case Compression::bzip2:
    case Compression::xz:
      return std::make_unique<ArchiveStream>(std::move(packed), std::move(origin));
    case Compression::none:
      break;
  }
  return packed;
}

}  // namespace

std::uint64_t unpacked_limit(std::uint64_t packed_size) {
  constexpr std::uint64_t small_limit = std::uint64_t{4} << 30U;
  constexpr std::uint64_t ratio_limit = 1100;
  if (packed_size > std::numeric_limits<std::uint64_t>::max() / ratio_limit) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::max(small_limit, packed_size * ratio_limit);
}

std::optional<Compression> compression_of(std::string_view first_bytes) {
  constexpr std::string_view gzip("\x1f\x8b", 2);
  constexpr std::string_view xz("\xfd\x37\x7a\x58\x5a\x00", 6);
  if (first_bytes.starts_with(gzip)) {
    return Compression::gzip;
  }
  if (is_zstd(first_bytes)) {
    return Compression::zstd;
  }
  if (is_bzip2(first_bytes)) {
    return Compression::bzip2;
  }
  return first_bytes.starts_with(xz) ? std::optional(Compression::xz) : std::nullopt;
}

std::unique_ptr<ByteStream> decompress(std::unique_ptr<ByteStream> packed, DecompressOptions options) {
  auto beginning = read_beginning(*packed, tar_block);
  const auto compression = compression_of(beginning).value_or(is_tar(beginning) ? Compression::none : options.fallback);
  auto stream = open_stream(compression, std::make_unique<RewoundStream>(std::move(beginning), std::move(packed)),
                            {options.name, std::move(options.hint)});
  return std::make_unique<BoundedStream>(std::move(stream), compression != Compression::none, options.limit,
                                         std::move(options.name));
}

}  // namespace berth::base
