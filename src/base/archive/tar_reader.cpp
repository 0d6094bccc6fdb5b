// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/tar_reader.hpp"

#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/archive/libarchive.hpp"
#include "base/archive/tar_headers.hpp"
#include "base/error.hpp"
#include "base/shown_text.hpp"

namespace berth::base {
namespace {

constexpr std::size_t piece_size = std::size_t{128} << 10U;
constexpr std::uint64_t tar_block = 512;

struct FreeLocale {
  void operator()(locale_t locale) const noexcept { ::freelocale(locale); }
};
using LocalePtr = std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale>;

/// libarchive converts pax names (UTF-8) to the charset of the calling thread's locale and composes their characters
/// (NFC), so that two files could become one. Names that it cannot convert it returns as they are in the archive.
/// Within this scope the locale of this thread is C, in which ASCII names convert to themselves and no others convert.
class PlainBytesScope {
 public:
  explicit PlainBytesScope(locale_t plain) : before_(::uselocale(plain)) {}
  PlainBytesScope(const PlainBytesScope&) = delete;
  PlainBytesScope& operator=(const PlainBytesScope&) = delete;
  ~PlainBytesScope() { ::uselocale(before_); }

 private:
  locale_t before_;
};

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

/// The reason that libarchive gives, without its own remedy, or a general one where it gives none.
std::string plain_reason(std::string_view reason) {
  constexpr std::string_view ignoring = "Ignoring ";
  if (reason.starts_with(ignoring)) {
    reason.remove_prefix(ignoring.size());
  }
  if (reason.empty() || reason == "Damaged tar archive") {
    return "it is damaged, truncated or invalid";
  }
  return quoted_name(reason);
}

TarEntryType type_of(archive_entry* entry) {
  if (libarchive().entry_hardlink(entry) != nullptr) {
    return TarEntryType::hard_link;
  }
  switch (libarchive().entry_filetype(entry)) {
    case AE_IFREG:
      return TarEntryType::file;
    case AE_IFDIR:
      return TarEntryType::directory;
    case AE_IFLNK:
      return TarEntryType::symbolic_link;
    default:
      return TarEntryType::special;
  }
}

std::map<std::string, std::string> xattrs_of(archive_entry* entry) {
  std::map<std::string, std::string> result;
  libarchive().entry_xattr_reset(entry);
  const char* key = nullptr;
  const void* value = nullptr;
  std::size_t size_of_value = 0;
  while (libarchive().entry_xattr_next(entry, &key, &value, &size_of_value) == ARCHIVE_OK) {
    if (key != nullptr) {
      result.insert_or_assign(key, std::string(static_cast<const char*>(value), size_of_value));
    }
  }
  return result;
}

}  // namespace

struct TarReader::State {
  State(ByteStream& bytes_, std::string name_, std::string hint_)
      : bytes(bytes_),
        name(std::move(name_)),
        hint(std::move(hint_)),
        buffer(piece_size),
        plain(::newlocale(LC_CTYPE_MASK, "C", nullptr)) {}

  ByteStream& bytes;
  std::string name;
  std::string hint;
  std::vector<std::byte> buffer;
  std::uint64_t pulled = 0;     ///< bytes given to libarchive, or skipped for it
  std::size_t filled = 0;       ///< of `buffer`: the last of those bytes
  std::vector<std::byte> kept;  ///< the bytes immediately before `buffer` that are still needed
  std::uint64_t header_at = 0;  ///< where the headers of the current entry begin
  bool reading_headers = true;
  std::exception_ptr thrown;  ///< by the byte stream, called from libarchive
  LocalePtr plain;
  std::unique_ptr<archive, FreeArchive> handle;  // after what its callbacks use
  archive_entry* current = nullptr;
  std::string current_name;
  bool begun = false;                ///< the first header was read
  bool untouched = true;             ///< libarchive has not read a header since it was opened
  std::uint64_t opened_at = 0;       ///< where in the archive it was opened
  std::vector<std::byte> left;       ///< the bytes that it gets first
  std::vector<std::byte> given;      ///< those of them that it got
  std::uint64_t size = 0;            ///< of the current entry
  std::uint64_t position = 0;        ///< within it
  std::span<const std::byte> block;  ///< the rest of the data block, which begins at block_at
  std::uint64_t block_at = 0;
  bool blocks_ended = false;

  static la_ssize_t pull(archive* handle, void* self, const void** piece) noexcept;
  static la_int64_t skip(archive* handle, void* self, la_int64_t request) noexcept;
  void open();
  void reopen();
  [[nodiscard]] std::uint64_t consumed() const;
  void refuse_lone_zeros() const;
  void keep_headers();
  [[nodiscard]] std::optional<std::string> nul_in_headers() const;
  void skip_data();
  [[nodiscard]] std::size_t missing_padding() const;
  /// @param what returns the beginning of the error
  template <typename What>
  void check(int result, const What& what);
  [[nodiscard]] std::string data_name() const;
  [[noreturn]] void refuse(std::string_view reason) const;
  void next_block();
  [[nodiscard]] TarEntry describe() const;
};

la_ssize_t TarReader::State::pull(archive* handle, void* self, const void** piece) noexcept {
  auto& state = *static_cast<State*>(self);
  if (state.thrown) {
    libarchive().set_error(handle, EIO, "the bytes cannot be skipped");
    return ARCHIVE_FATAL;
  }
  try {
    state.keep_headers();
    if (!state.left.empty()) {
      state.given = std::exchange(state.left, {});
      state.kept.insert(state.kept.end(), state.given.begin(), state.given.end());
      state.pulled += state.given.size();
      *piece = state.given.data();
      return static_cast<la_ssize_t>(state.given.size());
    }
    *piece = state.buffer.data();
    auto count = state.bytes.read(state.buffer);
    if (count == 0) {
      count = state.missing_padding();
      std::fill_n(state.buffer.begin(), count, std::byte{0});
    }
    state.pulled += count;
    state.filled = count;
    return static_cast<la_ssize_t>(count);
  } catch (...) {  // exceptions must not pass through C code; check() rethrows it
    state.thrown = std::current_exception();
    libarchive().set_error(handle, EIO, "the bytes cannot be read");
    return ARCHIVE_FATAL;
  }
}

/// libarchive calls this when it has used all bytes that it got. Headers are read, since nul_in_headers needs them.
la_int64_t TarReader::State::skip(archive* /*handle*/, void* self, la_int64_t request) noexcept {
  auto& state = *static_cast<State*>(self);
  if (state.reading_headers || !state.left.empty() || request <= 0) {
    return 0;
  }
  try {
    const auto count = state.bytes.skip(static_cast<std::uint64_t>(request));
    if (count > 0) {
      state.kept.clear();
      state.filled = 0;
      state.pulled += count;
    }
    return static_cast<la_int64_t>(count);
  } catch (...) {  // libarchive calls again after an error, without end; the read that follows a 0 reports it
    state.thrown = std::current_exception();
    return 0;
  }
}

/// libarchive does not hand out the bytes of extended headers. So those that it has not used, or that belong to a
/// header, are saved before the buffer is filled again. It bounds the size of headers.
void TarReader::State::keep_headers() {
  const auto used = reading_headers ? header_at : consumed();
  const auto obsolete = std::min<std::uint64_t>(used - (pulled - filled - kept.size()), kept.size() + filled);
  const auto obsolete_of_kept = std::min<std::uint64_t>(obsolete, kept.size());
  const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(obsolete - obsolete_of_kept);
  kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(obsolete_of_kept));
  kept.insert(kept.end(), begin, buffer.begin() + static_cast<std::ptrdiff_t>(filled));
  filled = 0;
}

/// Bytes of the archive that libarchive has used.
std::uint64_t TarReader::State::consumed() const {
  return opened_at + static_cast<std::uint64_t>(libarchive().filter_bytes(handle.get(), 0));
}

void TarReader::State::open() {
  handle.reset(libarchive().read_new());
  if (!handle) {
    throw std::bad_alloc();
  }
  untouched = true;
  reading_headers = true;
  libarchive().read_support_format_tar(handle.get());  // and no filters: decompress() has bounds
  libarchive().read_support_format_empty(handle.get());
  libarchive().read_set_callback_data(handle.get(), this);
  libarchive().read_set_read_callback(handle.get(), &State::pull);
  libarchive().read_set_skip_callback(handle.get(), &State::skip);
  check(libarchive().read_open1(handle.get()), [] { return "it is not a tar archive"; });
}

/// Opens libarchive again after the header that it has read, since it would take what follows for data of that entry.
void TarReader::State::reopen() {
  opened_at = consumed();
  const auto size_of_left = static_cast<std::ptrdiff_t>(pulled - opened_at);
  left = kept;
  left.insert(left.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(filled));
  left.erase(left.begin(), left.end() - size_of_left);
  pulled = opened_at;
  header_at = opened_at;
  kept.clear();
  filled = 0;
  open();
}

/// libarchive takes one block of zeros for the end of the archive, other tools require two; it would drop what follows
/// without an error.
void TarReader::State::refuse_lone_zeros() const {
  if (consumed() == header_at + tar_block && pulled >= header_at + 2 * tar_block) {
    refuse(fmt::format("after {} there is a single block of zeros, and then more data",
                       begun ? quoted_name(current_name) : std::string("its beginning")));
  }
}

std::optional<std::string> TarReader::State::nul_in_headers() const {
  const auto fresh = std::span(buffer).first(filled);
  const auto before = pulled - filled;
  if (header_at >= before) {
    return find_nul_in_names(fresh.subspan(header_at - before));
  }
  std::vector<std::byte> joined(kept.end() - static_cast<std::ptrdiff_t>(before - header_at), kept.end());
  joined.insert(joined.end(), fresh.begin(), fresh.end());
  return find_nul_in_names(joined);
}

/// Some tools end an archive with the last byte of its last file. Readers such as Go's accept that.
std::size_t TarReader::State::missing_padding() const {
  const bool within_data = position < size;
  return within_data ? 0 : static_cast<std::size_t>((tar_block - pulled % tar_block) % tar_block);
}

void TarReader::State::refuse(std::string_view reason) const {
  throw Error(ErrorKind::verification, fmt::format("{}: {}", name, reason), hint);
}

template <typename What>
void TarReader::State::check(int result, const What& what) {
  if (thrown) {
    std::rethrow_exception(std::exchange(thrown, nullptr));
  }
  if (result == ARCHIVE_OK) {
    return;
  }
  const char* const reason = libarchive().error_string(handle.get());
  // A warning means that libarchive ignores a damaged part of a header, which other tools might understand. The one
  // exception is the warning that the locale causes.
  constexpr std::string_view not_ascii = "can't be converted from UTF-8 to current locale.";
  if (result == ARCHIVE_WARN && reason != nullptr && std::string_view(reason).ends_with(not_ascii)) {
    return;
  }
  refuse(fmt::format("{}: {}", what(), plain_reason(reason == nullptr ? "" : reason)));
}

/// The data of the current entry, for errors.
std::string TarReader::State::data_name() const {
  return fmt::format("data of {}", quoted_name(current_name));
}

TarEntry TarReader::State::describe() const {
  TarEntry entry;
  entry.type = type_of(current);
  entry.name = current_name;
  entry.uid = libarchive().entry_uid(current);
  entry.gid = libarchive().entry_gid(current);
  entry.permissions = libarchive().entry_perm(current) & 07777U;
  entry.xattrs = xattrs_of(current);
  if (entry.type == TarEntryType::file) {
    const auto declared = libarchive().entry_size(current);
    if (declared < 0) {
      refuse(fmt::format("{} has the size {}", quoted_name(entry.name), declared));
    }
    entry.size = static_cast<std::uint64_t>(declared);
  } else if (entry.type == TarEntryType::hard_link) {
    entry.link_target = text_or_empty(libarchive().entry_hardlink(current));
  } else if (entry.type == TarEntryType::symbolic_link) {
    entry.link_target = text_or_empty(libarchive().entry_symlink(current));
  } else if (entry.type == TarEntryType::special && libarchive().entry_filetype(current) == 0) {
    refuse(fmt::format("{} is a hard link without a target, or of an unknown type", quoted_name(entry.name)));
  }
  return entry;
}

void TarReader::State::next_block() {
  const void* data = nullptr;
  std::size_t count = 0;
  la_int64_t offset = 0;
  const int result = libarchive().read_data_block(handle.get(), &data, &count, &offset);
  if (result == ARCHIVE_EOF) {
    blocks_ended = true;
    return;
  }
  check(result, [this] { return data_name(); });
  block = std::span(static_cast<const std::byte*>(data), count);
  block_at = static_cast<std::uint64_t>(offset);
  if (offset < 0 || block_at < position || block_at > size || count > size - block_at) {
    refuse(fmt::format("{} lies outside its {} bytes", data_name(), size));
  }
}

/// archive_read_next_header would skip it as well, but the position of the next headers has to be known before they are
/// read.
void TarReader::State::skip_data() {
  reading_headers = false;
  if (!untouched) {
    position = size;  // the padding of data that nobody reads may be missing as well
    check(libarchive().read_data_skip(handle.get()), [this] { return data_name(); });
    header_at = consumed();
  }
  reading_headers = true;
}

TarReader::TarReader(ByteStream& bytes, std::string name, std::string hint)
    : state_(std::make_unique<State>(bytes, std::move(name), std::move(hint))) {
  const PlainBytesScope scope(state_->plain.get());
  state_->open();
}

TarReader::~TarReader() = default;

std::optional<TarEntry> TarReader::next() {
  auto& state = *state_;
  const PlainBytesScope scope(state.plain.get());
  state.skip_data();
  const int result = libarchive().read_next_header(state.handle.get(), &state.current);
  if (result == ARCHIVE_EOF && !state.thrown) {
    state.refuse_lone_zeros();
    return std::nullopt;
  }
  state.untouched = false;
  const auto what = [&state] {
    return state.begun ? fmt::format("the header after {}", quoted_name(state.current_name))
                       : std::string("the first header");
  };
  state.check(result, what);
  if (const auto nul = state.nul_in_headers()) {
    state.refuse(fmt::format("{}: {}", what(), *nul));
  }
  state.reading_headers = false;
  state.begun = true;
  state.current_name = text_or_empty(libarchive().entry_pathname(state.current));
  TarEntry entry = state.describe();
  // A hard link has no data, whatever its size field says. libarchive expects some in archives with pax headers.
  if (entry.type == TarEntryType::hard_link && libarchive().entry_size(state.current) > 0) {
    state.reopen();
  }
  state.size = entry.size;
  state.position = 0;
  state.block = {};
  state.block_at = 0;
  state.blocks_ended = false;
  return entry;
}

std::size_t TarReader::read(std::span<std::byte> buffer) {
  auto& state = *state_;
  while (state.block.empty() && !state.blocks_ended && state.position < state.size) {
    state.next_block();
    if (state.block.empty() && state.block_at > state.position) {
      break;  // an empty block marks the end of a hole
    }
  }
  const auto room = std::min<std::uint64_t>(buffer.size(), state.size - state.position);
  if (!state.block.empty() && state.position == state.block_at) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room, state.block.size()));
    std::copy_n(state.block.begin(), count, buffer.begin());
    state.block = state.block.subspan(count);
    state.position += count;
    state.block_at = state.position;
    return count;
  }
  const bool hole_ends_here = state.block.empty() && state.block_at <= state.position;
  const auto hole_end = hole_ends_here ? state.size : state.block_at;
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(room, hole_end - state.position));
  std::fill_n(buffer.begin(), count, std::byte{0});
  state.position += count;
  return count;
}

}  // namespace berth::base
