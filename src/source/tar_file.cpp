#include "source/tar_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/error.hpp"
#include "base/libarchive.hpp"

namespace berth::source {
namespace {

constexpr std::size_t member_limit = 100'000;
constexpr int link_limit = 8;
constexpr std::size_t block_size = 256U << 10U;

struct ArchiveDeleter {
  void operator()(archive* reader) const { base::libarchive().read_free(reader); }
};
using Archive = std::unique_ptr<archive, ArchiveDeleter>;

[[noreturn]] void fail(archive* reader, const std::string& name) {
  const char* reason = base::libarchive().error_string(reader);
  throw base::Error(
      base::ErrorKind::verification,
      fmt::format("cannot read {}: {}", name, base::printable(reason == nullptr ? "unknown format" : reason)),
      "check that the file is complete and of the kind its prefix says");
}

void check(archive* reader, int result, const std::string& name) {
  if (result < ARCHIVE_WARN) {
    fail(reader, name);
  }
}

// Only filters inside libarchive: the rest of its list runs programs.
Archive new_reader() {
  Archive reader(base::libarchive().read_new());
  if (!reader) {
    throw std::bad_alloc();
  }
  base::libarchive().read_support_filter_gzip(reader.get());
  base::libarchive().read_support_filter_bzip2(reader.get());
  base::libarchive().read_support_filter_xz(reader.get());
  base::libarchive().read_support_filter_zstd(reader.get());
  return reader;
}

// A reader of a tar file on disk. It keeps its own offset, so that several readers share one descriptor.
class TarReader {
 public:
  TarReader(int fd, std::string name, std::stop_token stop)
      : fd_(fd), name_(std::move(name)), stop_(std::move(stop)), buffer_(block_size), reader_(new_reader()) {
    base::libarchive().read_support_format_tar(reader_.get());
    base::libarchive().read_set_callback_data(reader_.get(), this);
    base::libarchive().read_set_read_callback(reader_.get(), &TarReader::on_read);
    base::libarchive().read_set_skip_callback(reader_.get(), &TarReader::on_skip);
    check_own(base::libarchive().read_open1(reader_.get()));
  }
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader() = default;

  // The next member; nullptr at the end.
  archive_entry* next() {
    archive_entry* entry = nullptr;
    const auto result = base::libarchive().read_next_header(reader_.get(), &entry);
    check_own(result);
    return result == ARCHIVE_EOF ? nullptr : entry;
  }

  std::size_t read(std::span<std::byte> buffer) {
    la_ssize_t count = ARCHIVE_RETRY;
    while (count == ARCHIVE_RETRY) {
      count = base::libarchive().read_data(reader_.get(), buffer.data(), buffer.size());
    }
    check_own(count < 0 ? static_cast<int>(count) : ARCHIVE_OK);
    return static_cast<std::size_t>(count);
  }

 private:
  static la_ssize_t on_read(archive* reader, void* self, const void** buffer) {
    auto& own = *static_cast<TarReader*>(self);
    if (own.stop_.stop_requested()) {
      base::libarchive().set_error(reader, ECANCELED, "interrupted");
      return ARCHIVE_FATAL;
    }
    const auto count = TEMP_FAILURE_RETRY(::pread(own.fd_, own.buffer_.data(), own.buffer_.size(), own.offset_));
    if (count < 0) {
      base::libarchive().set_error(reader, errno, "read error");
      return ARCHIVE_FATAL;
    }
    own.offset_ += count;
    *buffer = own.buffer_.data();
    return count;
  }

  // Skipping is free in a plain archive. Not past the end, so that a truncated archive is noticed.
  static la_int64_t on_skip(archive*, void* self, la_int64_t request) {
    auto& own = *static_cast<TarReader*>(self);
    struct stat status {};
    if (::fstat(own.fd_, &status) < 0) {
      return 0;
    }
    const auto left = std::max<la_int64_t>(0, status.st_size - own.offset_);
    const auto skipped = std::min(request, left);
    own.offset_ += skipped;
    return skipped;
  }

  void check_own(int result) {
    if (result < ARCHIVE_WARN && stop_.stop_requested()) {
      base::throw_interrupted();
    }
    check(reader_.get(), result, name_);
  }

  int fd_;
  std::string name_;
  std::stop_token stop_;
  off_t offset_ = 0;
  std::vector<char> buffer_;
  Archive reader_;
};

// The content of the member at a position of the archive.
class MemberStream final : public base::ByteStream {
 public:
  MemberStream(int fd, std::size_t ordinal, const std::string& name, const std::stop_token& stop)
      : reader_(fd, name, stop) {
    for (std::size_t at = 0; at <= ordinal; ++at) {
      if (reader_.next() == nullptr) {
        throw base::Error(base::ErrorKind::verification, fmt::format("{} is gone", name),
                          "do not change the archive while it is read");
      }
    }
  }

  std::size_t read(std::span<std::byte> buffer) override { return reader_.read(buffer); }

 private:
  TarReader reader_;
};

// One compressed stream, unpacked by libarchive's filters.
class UnpackedStream final : public base::ByteStream {
 public:
  UnpackedStream(std::unique_ptr<base::ByteStream> inner, std::string name)
      : inner_(std::move(inner)), name_(std::move(name)), buffer_(block_size), reader_(new_reader()) {
    base::libarchive().read_support_format_raw(reader_.get());
    base::libarchive().read_set_callback_data(reader_.get(), this);
    base::libarchive().read_set_read_callback(reader_.get(), &UnpackedStream::on_read);
    check_inner(base::libarchive().read_open1(reader_.get()));
    archive_entry* entry = nullptr;
    check_inner(base::libarchive().read_next_header(reader_.get(), &entry));
  }

  std::size_t read(std::span<std::byte> buffer) override {
    while (true) {
      const auto count = base::libarchive().read_data(reader_.get(), buffer.data(), buffer.size());
      if (count != ARCHIVE_RETRY) {
        check_inner(count < 0 ? static_cast<int>(count) : ARCHIVE_OK);
        return static_cast<std::size_t>(count);
      }
    }
  }

 private:
  static la_ssize_t on_read(archive* reader, void* self, const void** buffer) {
    auto& stream = *static_cast<UnpackedStream*>(self);
    try {
      *buffer = stream.buffer_.data();
      return static_cast<la_ssize_t>(stream.inner_->read(stream.buffer_));
    } catch (...) {  // libarchive is C: nothing may be thrown through it; check_inner throws it on
      stream.failure_ = std::current_exception();
      base::libarchive().set_error(reader, EIO, "read error");
      return ARCHIVE_FATAL;
    }
  }

  void check_inner(int result) {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    check(reader_.get(), result, name_);
  }

  std::unique_ptr<base::ByteStream> inner_;
  std::string name_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
  Archive reader_;
};

// `./a//b/../c` → `a/c`; what leaves the archive becomes a name that no member has.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (part == "..") {
      if (parts.empty()) {
        return {};
      }
      parts.pop_back();
    } else if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

std::string link_target(archive_entry* entry, const std::string& name) {
  if (const char* hard = base::libarchive().entry_hardlink(entry); hard != nullptr) {
    return normalized(hard);
  }
  if (base::libarchive().entry_filetype(entry) != AE_IFLNK) {
    return {};
  }
  const char* target = base::libarchive().entry_symlink(entry);
  const auto slash = name.rfind('/');
  const auto folder = slash == std::string::npos ? "" : name.substr(0, slash + 1);
  return target == nullptr ? std::string() : normalized(folder + target);
}

std::string first_bytes(TarReader& reader) {
  std::array<std::byte, 6> bytes{};
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto count = reader.read(std::span(bytes).subspan(filled));
    if (count == 0) {
      break;
    }
    filled += count;
  }
  return {reinterpret_cast<const char*>(bytes.data()), filled};
}

base::Fd open_regular(const std::string& path) {
  // The user named this file: links are followed. O_NONBLOCK: a fifo must not hang us.
  base::Fd fd(base::check_errno(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), "open " + path));
  struct stat status {};
  base::check_errno(::fstat(fd.get(), &status), "look at " + path);
  if (!S_ISREG(status.st_mode)) {
    throw base::Error(base::ErrorKind::usage, fmt::format("{} is not a regular file", path),
                      S_ISDIR(status.st_mode) ? "use oci:DIR for an image layout that is a folder" : "name an archive");
  }
  return fd;
}

}  // namespace

TarFile::TarFile(const std::string& path, std::stop_token stop) : TarFile(open_regular(path), path, std::move(stop)) {}

TarFile::TarFile(base::Fd file, std::string label, std::stop_token stop)
    : path_(std::move(label)), stop_(std::move(stop)), fd_(std::move(file)) {
  TarReader reader(fd_.get(), path_, stop_);
  std::size_t ordinal = 0;
  for (auto* entry = reader.next(); entry != nullptr; entry = reader.next(), ++ordinal) {
    if (ordinal >= member_limit) {
      throw base::Error(base::ErrorKind::verification, fmt::format("{} has more than {} members", path_, member_limit),
                        "an archive of an image has a few dozen; check that it is one");
    }
    const char* raw_name = base::libarchive().entry_pathname(entry);
    const auto name = normalized(raw_name == nullptr ? "" : raw_name);
    Member member{ordinal, base::libarchive().entry_size(entry), false, link_target(entry, name)};
    const bool is_file = member.link.empty() && base::libarchive().entry_filetype(entry) == AE_IFREG;
    member.compressed = is_file && looks_compressed(first_bytes(reader));
    if (!name.empty() && (is_file || !member.link.empty())) {
      members_.insert_or_assign(name, std::move(member));
    }
  }
}

const TarFile::Member* TarFile::find(const std::string& name) const {
  auto found = members_.find(normalized(name));
  for (int links = 0; found != members_.end() && !found->second.link.empty(); ++links) {
    found = links < link_limit ? members_.find(found->second.link) : members_.end();
  }
  return found == members_.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> TarFile::size(const std::string& name) const {
  const auto* member = find(name);
  return member == nullptr ? std::nullopt : std::optional(member->size);
}

bool TarFile::is_compressed(const std::string& name) const {
  const auto* member = find(name);
  return member != nullptr && member->compressed;
}

std::unique_ptr<base::ByteStream> TarFile::open(const std::string& name) const {
  const auto* member = find(name);
  if (member == nullptr) {
    return nullptr;
  }
  return std::make_unique<MemberStream>(fd_.get(), member->ordinal,
                                        fmt::format("{} in {}", base::printable(name), path_), stop_);
}

std::unique_ptr<base::ByteStream> decompress(std::unique_ptr<base::ByteStream> inner, std::string name) {
  return std::make_unique<UnpackedStream>(std::move(inner), std::move(name));
}

bool looks_compressed(std::string_view first_bytes) {
  using namespace std::string_view_literals;
  constexpr std::array<std::string_view, 4> magics{"\x1f\x8b"sv, "BZh"sv,
                                                   "\xfd"
                                                   "7zXZ\0"sv,
                                                   "\x28\xb5\x2f\xfd"sv};
  return std::any_of(magics.begin(), magics.end(), [&](auto magic) { return first_bytes.starts_with(magic); });
}

std::string read_stream(base::ByteStream& stream, std::uint64_t limit, std::string_view document) {
  std::string text;
  std::array<std::byte, 16U << 10U> buffer{};
  while (const auto count = stream.read(buffer)) {
    if (text.size() + count > limit) {
      throw base::Error(base::ErrorKind::verification, fmt::format("{} has more than {} bytes", document, limit));
    }
    text.append(reinterpret_cast<const char*>(buffer.data()), count);
  }
  return text;
}

}  // namespace berth::source
