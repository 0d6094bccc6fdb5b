#include "source/archive/tar_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/libarchive.hpp"
#include "base/unpack.hpp"

namespace berth::source {
namespace {

constexpr std::size_t member_limit = 100'000;
constexpr std::size_t names_limit = std::size_t{16} << 20U;  // bytes of all names, with what links lead to
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
  // Also a result that asks to try again: the same bytes would come.
  if (result < ARCHIVE_WARN || result == ARCHIVE_RETRY) {
    fail(reader, name);
  }
}

Archive new_reader() {
  Archive reader(base::libarchive().read_new());
  if (!reader) {
    throw std::bad_alloc();
  }
  base::libarchive().read_support_format_tar(reader.get());  // and no filters: one that unpacks knows no bounds
  return reader;
}

// The bytes of a file on disk. It keeps its own offset, so that several of them share one descriptor.
class FileBytes final : public base::ByteStream {
 public:
  FileBytes(int fd, std::string name, std::stop_token stop) : fd_(fd), name_(std::move(name)), stop_(std::move(stop)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (stop_.stop_requested()) {
      base::throw_interrupted();
    }
    const auto count = TEMP_FAILURE_RETRY(::pread(fd_, buffer.data(), buffer.size(), offset_));
    if (count < 0) {
      base::throw_errno("read " + name_);
    }
    offset_ += count;
    return static_cast<std::size_t>(count);
  }

  // Not past the end, so that a truncated archive is noticed.
  std::int64_t skip(std::int64_t request) {
    struct stat status {};
    if (::fstat(fd_, &status) < 0) {
      return 0;
    }
    const auto skipped = std::min<std::int64_t>(request, std::max<std::int64_t>(0, status.st_size - offset_));
    offset_ += skipped;
    return skipped;
  }

 private:
  int fd_;
  std::string name_;
  std::stop_token stop_;
  off_t offset_ = 0;
};

std::uint64_t limit_of(int fd) {
  struct stat status {};
  base::check_errno(::fstat(fd, &status), "look at an archive");
  return base::unpacked_limit(static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size)));
}

// nullptr for an archive that is not compressed.
std::unique_ptr<base::ByteStream> unpacked(int fd, const std::string& name, const std::stop_token& stop) {
  std::array<char, base::magic_size> magic{};
  const auto count = TEMP_FAILURE_RETRY(::pread(fd, magic.data(), magic.size(), 0));
  if (count <= 0 || !base::looks_compressed({magic.data(), static_cast<std::size_t>(count)})) {
    return nullptr;
  }
  return base::unpack(std::make_unique<FileBytes>(fd, name, stop), limit_of(fd), name);
}

// A reader of a tar file on disk, compressed or not.
class TarReader {
 public:
  TarReader(int fd, std::string name, std::stop_token stop)
      : file_(fd, name, stop),
        unpacked_(unpacked(fd, name, stop)),
        name_(std::move(name)),
        stop_(std::move(stop)),
        buffer_(block_size),
        reader_(new_reader()) {
    base::libarchive().read_set_callback_data(reader_.get(), this);
    base::libarchive().read_set_read_callback(reader_.get(), &TarReader::on_read);
    if (!unpacked_) {  // skipping is free in a plain archive
      base::libarchive().read_set_skip_callback(reader_.get(), &TarReader::on_skip);
    }
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
    if (stop_.stop_requested()) {  // the holes of sparse files come without reading anything
      base::throw_interrupted();
    }
    const auto count = base::libarchive().read_data(reader_.get(), buffer.data(), buffer.size());
    check_own(count < 0 ? static_cast<int>(count) : ARCHIVE_OK);
    return static_cast<std::size_t>(count);
  }

 private:
  static la_ssize_t on_read(archive* reader, void* self, const void** buffer) {
    auto& own = *static_cast<TarReader*>(self);
    try {
      *buffer = own.buffer_.data();
      return static_cast<la_ssize_t>(own.unpacked_ ? own.unpacked_->read(own.buffer_) : own.file_.read(own.buffer_));
    } catch (...) {  // libarchive is C: nothing may be thrown through it; check_own throws it on
      own.failure_ = std::current_exception();
      base::libarchive().set_error(reader, EIO, "read error");
      return ARCHIVE_FATAL;
    }
  }

  static la_int64_t on_skip(archive*, void* self, la_int64_t request) {
    return static_cast<TarReader*>(self)->file_.skip(request);
  }

  void check_own(int result) const {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    check(reader_.get(), result, name_);
  }

  FileBytes file_;
  std::unique_ptr<base::ByteStream> unpacked_;
  std::string name_;
  std::stop_token stop_;
  std::vector<std::byte> buffer_;
  std::exception_ptr failure_;
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
  const auto directory = slash == std::string::npos ? "" : name.substr(0, slash + 1);
  return target == nullptr ? std::string() : normalized(directory + target);
}

std::string first_bytes(TarReader& reader) {
  std::array<std::byte, base::magic_size> bytes{};
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
    throw base::Error(
        base::ErrorKind::usage, fmt::format("{} is not a regular file", path),
        S_ISDIR(status.st_mode) ? "use oci:DIR for an image layout that is a directory" : "name an archive");
  }
  return fd;
}

}  // namespace

TarFile::TarFile(const std::string& path, std::stop_token stop) : TarFile(open_regular(path), path, std::move(stop)) {}

TarFile::TarFile(base::Fd file, std::string label, std::stop_token stop)
    : path_(std::move(label)), stop_(std::move(stop)), fd_(std::move(file)), limit_(limit_of(fd_.get())) {
  TarReader reader(fd_.get(), path_, stop_);
  std::size_t ordinal = 0;
  std::size_t names = 0;
  for (auto* entry = reader.next(); entry != nullptr; entry = reader.next(), ++ordinal) {
    if (ordinal >= member_limit) {
      throw base::Error(base::ErrorKind::verification, fmt::format("{} has more than {} members", path_, member_limit),
                        "an archive of an image has a few dozen; check that it is one");
    }
    const char* raw_name = base::libarchive().entry_pathname(entry);
    const auto name = normalized(raw_name == nullptr ? "" : raw_name);
    Member member{ordinal, base::libarchive().entry_size(entry), false, link_target(entry, name)};
    names += name.size() + member.link.size();
    if (names > names_limit) {
      throw base::Error(base::ErrorKind::verification,
                        fmt::format("the names in {} take more than {} MiB of memory", path_, names_limit >> 20U),
                        "an archive of an image has a few dozen; check that it is one");
    }
    const bool is_file = member.link.empty() && base::libarchive().entry_filetype(entry) == AE_IFREG;
    member.compressed = is_file && base::looks_compressed(first_bytes(reader));
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

std::int64_t TarFile::packed_size() const {
  struct stat status {};
  base::check_errno(::fstat(fd_.get(), &status), "look at " + path_);
  return status.st_size;
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
  const auto label = fmt::format("{} in {}", base::printable(name), path_);
  // The holes of a sparse member take no room in the archive, and would let it be anything.
  if (member->size < 0 || static_cast<std::uint64_t>(member->size) > limit_) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} has {} bytes, more than {}, the limit for the size of the archive", label,
                                  member->size, limit_),
                      "check that it is an archive of an image");
  }
  return std::make_unique<MemberStream>(fd_.get(), member->ordinal, label, stop_);
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
