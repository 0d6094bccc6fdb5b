#include "store/layer/decompress.hpp"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/unpack.hpp"

namespace berth::store {
namespace {

constexpr std::size_t piece_size = std::size_t{128} << 10U;
constexpr std::size_t tar_block = 512;
constexpr int window_log_limit = 27;  // 128 MiB, what `zstd` itself accepts without being told otherwise

[[noreturn]] void refuse(const std::string& name, std::string_view reason) {
  throw base::Error(base::ErrorKind::verification, fmt::format("{}: {}", name, reason),
                    "pull again; if it stays, have the image built or pushed again");
}

/// The packed bytes, a piece at a time.
class Input {
 public:
  explicit Input(std::unique_ptr<base::ByteStream> packed) : packed_(std::move(packed)), buffer_(piece_size) {}

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
  std::unique_ptr<base::ByteStream> packed_;
  std::vector<std::byte> buffer_;
  bool ended_ = false;
};

class Gunzip final : public base::ByteStream {
 public:
  Gunzip(std::unique_ptr<base::ByteStream> packed, std::string name)
      : input_(std::move(packed)), name_(std::move(name)), state_(std::make_unique<inflate_state>()) {
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
  /// False when all input is used up.
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
      refuse(name_, "there are bytes after the end of the gzip data");
    }
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP;
  }

  void inflate(bool more) {
    const auto before = state_->avail_out;
    const int result = isal_inflate(state_.get());
    if (result < 0 || result == ISAL_NEED_DICT) {
      refuse(name_,
             result == ISAL_INCORRECT_CHECKSUM ? "the checksum of the gzip data is wrong" : "the gzip data is damaged");
    }
    if (!more && state_->avail_out == before && state_->block_state != ISAL_BLOCK_FINISH) {
      refuse(name_, "the gzip data is truncated");
    }
  }

  Input input_;
  std::string name_;
  std::unique_ptr<inflate_state> state_;
};

struct FreeZstd {
  void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
};

class Unzstd final : public base::ByteStream {
 public:
  Unzstd(std::unique_ptr<base::ByteStream> packed, std::string name)
      : input_(std::move(packed)), name_(std::move(name)), stream_(ZSTD_createDStream()) {
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
        refuse(name_, fmt::format("the zstd data is damaged: {}", ZSTD_getErrorName(result)));
      }
      frame_done_ = result == 0;
      if (!more && !frame_done_ && out.pos == 0) {
        refuse(name_, "the zstd data is truncated");
      }
    }
    return out.pos;
  }

 private:
  bool refill() {
    if (piece_.pos == piece_.size) {
      const auto piece = input_.next();
      piece_ = {piece.data(), piece.size(), 0};
    }
    return piece_.pos < piece_.size;
  }

  Input input_;
  std::string name_;
  std::unique_ptr<ZSTD_DStream, FreeZstd> stream_;
  ZSTD_inBuffer piece_{nullptr, 0, 0};
  bool frame_done_ = false;
};

/// Ends a stream that gives more than it may.
class Bounded final : public base::ByteStream {
 public:
  Bounded(std::unique_ptr<base::ByteStream> inner, std::uint64_t limit, std::string name)
      : inner_(std::move(inner)), left_(limit), limit_(limit), name_(std::move(name)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = inner_->read(buffer);
    if (count > left_) {
      throw base::Error(
          base::ErrorKind::verification,
          fmt::format("{}: it unpacks to more than {} bytes, the limit for its size", name_, limit_),
          "files with gigabytes of zeros pack so well, and so do layers made to fill disks: whoever builds the "
          "image can leave them out");
    }
    left_ -= count;
    return count;
  }

 private:
  std::unique_ptr<base::ByteStream> inner_;
  std::uint64_t left_;
  std::uint64_t limit_;
  std::string name_;
};

/// Gives back what was read to look at it, then the rest.
class Rewound final : public base::ByteStream {
 public:
  Rewound(std::vector<std::byte> begin, std::unique_ptr<base::ByteStream> rest)
      : begin_(std::move(begin)), rest_(std::move(rest)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (at_ == begin_.size()) {
      return rest_->read(buffer);
    }
    const auto count = std::min(buffer.size(), begin_.size() - at_);
    std::copy_n(begin_.begin() + static_cast<std::ptrdiff_t>(at_), count, buffer.begin());
    at_ += count;
    return count;
  }

 private:
  std::vector<std::byte> begin_;
  std::size_t at_ = 0;
  std::unique_ptr<base::ByteStream> rest_;
};

std::vector<std::byte> read_begin(base::ByteStream& stream, std::size_t size) {
  std::vector<std::byte> begin(size);
  std::size_t filled = 0;
  while (filled < size) {
    const auto count = stream.read(std::span(begin).subspan(filled));
    if (count == 0) {
      break;
    }
    filled += count;
  }
  begin.resize(filled);
  return begin;
}

enum class Packing { gzip, zstd, other, none, unknown };

bool is_zstd(std::string_view bytes) {
  constexpr std::string_view frame("\x28\xb5\x2f\xfd", 4);
  constexpr std::string_view skippable("\x2a\x4d\x18", 3);  // behind a byte of which only the upper half is fixed
  const bool skips = bytes.size() > skippable.size() && (static_cast<unsigned char>(bytes[0]) & 0xf0U) == 0x50;
  return bytes.starts_with(frame) || (skips && bytes.substr(1).starts_with(skippable));
}

/// An archive, or the zeros of one without entries.
bool is_tar(std::string_view bytes) {
  constexpr std::size_t magic_at = 257;
  const bool zeros = !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\0'; });
  return zeros || (bytes.size() == tar_block && bytes.substr(magic_at).starts_with("ustar"));
}

Packing packing_of(std::string_view bytes) {
  constexpr std::string_view gzip("\x1f\x8b", 2);
  if (bytes.starts_with(gzip)) {
    return Packing::gzip;
  }
  if (is_zstd(bytes)) {
    return Packing::zstd;
  }
  if (base::looks_compressed(bytes)) {
    return Packing::other;
  }
  return is_tar(bytes) ? Packing::none : Packing::unknown;
}

/// What the label says, for bytes that say nothing: its reader knows best what is wrong with them.
Packing packing_of(image::Compression label) {
  switch (label) {
    case image::Compression::gzip:
      return Packing::gzip;
    case image::Compression::zstd:
      return Packing::zstd;
    case image::Compression::none:
      break;
  }
  return Packing::none;
}

std::unique_ptr<base::ByteStream> open_plain(Packing packing, std::unique_ptr<base::ByteStream> packed,
                                             std::uint64_t limit, const std::string& name) {
  switch (packing) {
    case Packing::gzip:
      return std::make_unique<Gunzip>(std::move(packed), name);
    case Packing::zstd:
      return std::make_unique<Unzstd>(std::move(packed), name);
    case Packing::other:
      return base::unpack(std::move(packed), limit, name);
    case Packing::none:
    case Packing::unknown:
      break;
  }
  return packed;
}

}  // namespace

std::unique_ptr<base::ByteStream> decompress(image::Compression label, std::unique_ptr<base::ByteStream> packed,
                                             std::uint64_t limit, std::string name) {
  auto begin = read_begin(*packed, tar_block);
  auto packing = packing_of({reinterpret_cast<const char*>(begin.data()), begin.size()});
  if (packing == Packing::unknown) {
    packing = packing_of(label);
  }
  auto whole = std::make_unique<Rewound>(std::move(begin), std::move(packed));
  return std::make_unique<Bounded>(open_plain(packing, std::move(whole), limit, name), limit, std::move(name));
}

}  // namespace berth::store
