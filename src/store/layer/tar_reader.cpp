#include "store/layer/tar_reader.hpp"

#include <fmt/format.h>
#include <locale.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/libarchive.hpp"
#include "store/layer/tar_headers.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

constexpr std::size_t piece_size = std::size_t{128} << 10U;
constexpr std::int64_t id_limit = std::numeric_limits<std::uint32_t>::max() - std::int64_t{1};

struct FreeLocale {
  void operator()(locale_t locale) const noexcept { ::freelocale(locale); }
};
using LocalePtr = std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale>;

/// libarchive converts pax names (UTF-8) into the charset of the calling thread's locale, and composes their letters
/// on the way (NFC), which would make one file of two. What it cannot convert it gives as the archive has it. So within
/// this scope the locale, of this thread only, is C: names of ASCII convert to themselves, all others do not.
class PlainBytesScope {
 public:
  explicit PlainBytesScope(locale_t plain) : before_(::uselocale(plain)) {}
  PlainBytesScope(const PlainBytesScope&) = delete;
  PlainBytesScope& operator=(const PlainBytesScope&) = delete;
  ~PlainBytesScope() { ::uselocale(before_); }

 private:
  locale_t before_;
};

struct FreeArchive {
  void operator()(archive* handle) const noexcept { base::libarchive().read_free(handle); }
};

}  // namespace

struct TarReader::State {
  State(base::ByteStream& bytes_, std::string name_)
      : bytes(bytes_), name(std::move(name_)), buffer(piece_size), plain(::newlocale(LC_CTYPE_MASK, "C", nullptr)) {}

  base::ByteStream& bytes;
  std::string name;
  std::vector<std::byte> buffer;
  std::uint64_t pulled = 0;     ///< bytes given to libarchive
  std::size_t filled = 0;       ///< of `buffer`: the last of them
  std::vector<std::byte> kept;  ///< those right before `buffer` that are still of interest
  std::uint64_t header_at = 0;  ///< where the headers of the current entry begin
  bool reading_headers = true;
  std::exception_ptr thrown;  ///< what the byte stream threw inside libarchive, which cannot pass it on
  LocalePtr plain;
  std::unique_ptr<archive, FreeArchive> handle;  // after what its callback uses
  archive_entry* current = nullptr;
  std::string current_path;
  bool begun = false;                ///< the first header was read
  bool untouched = true;             ///< libarchive has not read a header since it began
  std::uint64_t base_at = 0;         ///< where it began
  std::vector<std::byte> left;       ///< what it is to be given first
  std::vector<std::byte> given;      ///< and what it was given of that
  std::uint64_t size = 0;            ///< of the current entry
  std::uint64_t position = 0;        ///< within it
  std::span<const std::byte> block;  ///< what is left of the data block that begins at block_at
  std::uint64_t block_at = 0;
  bool blocks_ended = false;

  static la_ssize_t pull(archive* handle, void* self, const void** piece) noexcept;
  void open();
  void begin_anew();
  [[nodiscard]] std::uint64_t consumed() const;
  void refuse_lone_zeros();
  void keep_headers();
  [[nodiscard]] std::optional<std::string> nul_in_headers() const;
  void skip_data();
  [[nodiscard]] std::size_t missing_padding() const;
  void check(int result, std::string_view what);
  [[noreturn]] void refuse(std::string_view reason) const;
  void next_block();

  [[nodiscard]] std::string entry_words() const { return fmt::format("{}: an entry", name); }
  TarEntry describe() const;
  std::uint32_t checked_id(std::int64_t id, const char* kind) const;
  Xattrs xattrs() const;
};

la_ssize_t TarReader::State::pull(archive* handle, void* self, const void** piece) noexcept {
  auto& state = *static_cast<State*>(self);
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
  } catch (...) {
    state.thrown = std::current_exception();
    base::libarchive().set_error(handle, EIO, "the bytes cannot be read");
    return ARCHIVE_FATAL;
  }
}

// libarchive does not give the bytes of extended headers. So what it has not used, or is a header's, is put aside
// before the buffer is filled again; it bounds how much headers can be.
void TarReader::State::keep_headers() {
  const auto used = reading_headers ? header_at : consumed();
  const auto gone = std::min<std::uint64_t>(used - (pulled - filled - kept.size()), kept.size() + filled);
  const auto gone_of_kept = std::min<std::uint64_t>(gone, kept.size());
  const auto begin = buffer.begin() + static_cast<std::ptrdiff_t>(gone - gone_of_kept);
  kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(gone_of_kept));
  kept.insert(kept.end(), begin, buffer.begin() + static_cast<std::ptrdiff_t>(filled));
  filled = 0;
}

/// Bytes of the archive that libarchive has used.
std::uint64_t TarReader::State::consumed() const {
  return base_at + static_cast<std::uint64_t>(base::libarchive().filter_bytes(handle.get(), 0));
}

void TarReader::State::open() {
  handle.reset(base::libarchive().read_new());
  if (!handle) {
    throw std::bad_alloc();
  }
  untouched = true;
  reading_headers = true;
  base::libarchive().read_support_format_tar(handle.get());
  base::libarchive().read_support_format_empty(handle.get());
  check(base::libarchive().read_open(handle.get(), this, nullptr, &State::pull, nullptr), "no tar archive");
}

/// Has libarchive begin behind the header it has read: it would take what follows for that entry's data.
void TarReader::State::begin_anew() {
  base_at = consumed();
  const auto size_of_left = static_cast<std::ptrdiff_t>(pulled - base_at);
  left = kept;
  left.insert(left.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(filled));
  left.erase(left.begin(), left.end() - size_of_left);
  pulled = base_at;
  header_at = base_at;
  kept.clear();
  filled = 0;
  open();
}

// libarchive takes one block of zeros for the end, others want two; what follows would be dropped without a word.
void TarReader::State::refuse_lone_zeros() {
  constexpr std::uint64_t tar_block = 512;
  if (consumed() == header_at + tar_block && pulled >= header_at + 2 * tar_block) {
    refuse(fmt::format("there is a block of zeros behind {}, and then more that is no end",
                       begun ? quoted_name(current_path) : std::string("its beginning")));
  }
}

std::optional<std::string> TarReader::State::nul_in_headers() const {
  const auto fresh = std::span(buffer).first(filled);
  const auto before = pulled - filled;
  if (header_at >= before) {
    return nul_in_names(fresh.subspan(header_at - before));
  }
  std::vector<std::byte> joined(kept.end() - static_cast<std::ptrdiff_t>(before - header_at), kept.end());
  joined.insert(joined.end(), fresh.begin(), fresh.end());
  return nul_in_names(joined);
}

// Some tools end a layer with the data of its last entry; tar as Go reads it does not miss the zeros behind.
std::size_t TarReader::State::missing_padding() const {
  constexpr std::uint64_t tar_block = 512;
  const bool within_data = position < size;
  return within_data ? 0 : static_cast<std::size_t>((tar_block - pulled % tar_block) % tar_block);
}

void TarReader::State::refuse(std::string_view reason) const {
  throw base::Error(base::ErrorKind::verification, fmt::format("{}: {}", name, reason),
                    "pull again; if it stays, have the image built again, or by another tool");
}

namespace {

/// What libarchive says, without what it would do about it, and in words where it has none.
std::string plain_reason(std::string_view reason) {
  constexpr std::string_view ignoring = "Ignoring ";
  if (reason.starts_with(ignoring)) {
    reason.remove_prefix(ignoring.size());
  }
  if (reason.empty() || reason == "Damaged tar archive") {
    return "it is damaged, cut off or makes no sense";
  }
  return quoted_name(reason);
}

}  // namespace

void TarReader::State::check(int result, std::string_view what) {
  if (thrown) {
    std::rethrow_exception(std::exchange(thrown, nullptr));
  }
  if (result == ARCHIVE_OK) {
    return;
  }
  const char* const reason = base::libarchive().error_string(handle.get());
  // A warning is about a header that libarchive takes in part, leaving out what is damaged. Other tools might
  // understand that part, so only the one that the locale makes is none.
  constexpr std::string_view not_ascii = "can't be converted from UTF-8 to current locale.";
  if (result == ARCHIVE_WARN && reason != nullptr && std::string_view(reason).ends_with(not_ascii)) {
    return;
  }
  refuse(fmt::format("{}: {}", what, plain_reason(reason == nullptr ? "" : reason)));
}

std::uint32_t TarReader::State::checked_id(std::int64_t id, const char* kind) const {
  if (id < 0 || id > id_limit) {
    refuse(fmt::format("{} belongs to {} {}, which is not in 0…{}", quoted_name(current_path), kind, id, id_limit));
  }
  return static_cast<std::uint32_t>(id);
}

Xattrs TarReader::State::xattrs() const {
  Xattrs result;
  base::libarchive().entry_xattr_reset(current);
  const char* key = nullptr;
  const void* value = nullptr;
  std::size_t size_of_value = 0;
  while (base::libarchive().entry_xattr_next(current, &key, &value, &size_of_value) == ARCHIVE_OK) {
    if (key != nullptr) {
      result.insert_or_assign(key, std::string(static_cast<const char*>(value), size_of_value));
    }
  }
  return result;
}

namespace {

EntryType type_of(archive_entry* entry) {
  if (base::libarchive().entry_hardlink(entry) != nullptr) {
    return EntryType::hard_link;
  }
  switch (base::libarchive().entry_filetype(entry)) {
    case AE_IFREG:
      return EntryType::file;
    case AE_IFDIR:
      return EntryType::directory;
    case AE_IFLNK:
      return EntryType::symbolic_link;
    default:
      return EntryType::special;
  }
}

}  // namespace

TarEntry TarReader::State::describe() const {
  TarEntry entry;
  entry.type = type_of(current);
  entry.path = current_path;
  entry.ownership.uid = checked_id(base::libarchive().entry_uid(current), "user");
  entry.ownership.gid = checked_id(base::libarchive().entry_gid(current), "group");
  entry.ownership.permissions = base::libarchive().entry_perm(current) & 07777U;
  entry.ownership.xattrs = xattrs();
  if (entry.type == EntryType::file) {
    const auto declared = base::libarchive().entry_size(current);
    if (declared < 0) {
      refuse(fmt::format("{} has the size {}", quoted_name(entry.path), declared));
    }
    entry.size = static_cast<std::uint64_t>(declared);
  } else if (entry.type == EntryType::hard_link) {
    const std::string what = fmt::format("{}: the hard link {}: its target", name, quoted_name(entry.path));
    entry.link_target = normal_entry_path(base::libarchive().entry_hardlink(current), what);
  } else if (entry.type == EntryType::special && base::libarchive().entry_filetype(current) == 0) {
    refuse(fmt::format("{} is a hard link without a target, or of no known kind", quoted_name(entry.path)));
  } else if (entry.type == EntryType::symbolic_link) {
    const char* target = base::libarchive().entry_symlink(current);
    entry.link_target = target == nullptr ? "" : target;
    constexpr std::size_t target_limit = 4095;  // PATH_MAX without the NUL
    if (entry.link_target.empty() || entry.link_target.size() > target_limit || !is_utf8(entry.link_target)) {
      refuse(fmt::format("the symbolic link {} has the target {}, which is empty, over {} bytes or not UTF-8",
                         quoted_name(entry.path), quoted_name(entry.link_target), target_limit));
    }
  }
  return entry;
}

void TarReader::State::next_block() {
  const void* data = nullptr;
  std::size_t count = 0;
  la_int64_t offset = 0;
  const int result = base::libarchive().read_data_block(handle.get(), &data, &count, &offset);
  if (result == ARCHIVE_EOF) {
    blocks_ended = true;
    return;
  }
  check(result, fmt::format("data of {}", quoted_name(current_path)));
  block = std::span(static_cast<const std::byte*>(data), count);
  block_at = static_cast<std::uint64_t>(offset);
  if (offset < 0 || block_at < position || block_at > size || count > size - block_at) {
    refuse(fmt::format("data of {} lies outside its {} bytes", quoted_name(current_path), size));
  }
}

TarReader::TarReader(base::ByteStream& bytes, std::string name)
    : state_(std::make_unique<State>(bytes, std::move(name))) {
  const PlainBytesScope scope(state_->plain.get());
  state_->open();
}

TarReader::~TarReader() = default;

// Otherwise archive_read_next_header would do it, and where the headers begin would not be known while they are read.
void TarReader::State::skip_data() {
  reading_headers = false;
  if (!untouched) {
    check(base::libarchive().read_data_skip(handle.get()), fmt::format("data of {}", quoted_name(current_path)));
    header_at = consumed();
  }
  reading_headers = true;
}

std::optional<TarEntry> TarReader::next() {
  auto& state = *state_;
  const PlainBytesScope scope(state.plain.get());
  state.skip_data();
  const int result = base::libarchive().read_next_header(state.handle.get(), &state.current);
  if (result == ARCHIVE_EOF && !state.thrown) {
    state.refuse_lone_zeros();
    return std::nullopt;
  }
  state.untouched = false;
  const auto what = state.begun ? fmt::format("the header behind {}", quoted_name(state.current_path))
                                : std::string("the first header");
  state.check(result, what);
  if (const auto nul = state.nul_in_headers()) {
    state.refuse(fmt::format("{}: {}", what, *nul));
  }
  state.reading_headers = false;
  state.begun = true;
  const char* raw = base::libarchive().entry_pathname(state.current);
  state.current_path = normal_entry_path(raw == nullptr ? "" : raw, state.entry_words());
  TarEntry entry = state.describe();
  // A hard link has no data, whatever its size says; libarchive believes that it may in archives with pax headers.
  if (entry.type == EntryType::hard_link && base::libarchive().entry_size(state.current) > 0) {
    state.begin_anew();
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
      break;  // an empty block tells where a hole ends
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

}  // namespace berth::store
