// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/tar_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/archive/decompress.hpp"
#include "base/archive/tar_reader.hpp"
#include "base/error.hpp"

namespace berth::source {
namespace {

constexpr std::size_t member_limit = 100'000;
constexpr std::size_t names_limit = std::size_t{16} << 20U;  // bytes of all names and link targets
constexpr int link_limit = 8;
constexpr std::string_view archive_hint = "check that the file is complete and matches the prefix of the reference";

std::uint64_t size_of(int fd, const std::string& name) {
  struct stat status {};
  base::check_errno(::fstat(fd, &status), "examine " + name);
  return static_cast<std::uint64_t>(std::max<off_t>(0, status.st_size));
}

/// The bytes of a file on disk. It keeps its own offset, so that several of them can share one descriptor.
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

  /// Not beyond the end of the file, so that a truncated archive is detected.
  std::uint64_t skip(std::uint64_t count) override {
    const auto size = size_of(fd_, name_);
    const auto at = static_cast<std::uint64_t>(offset_);
    const auto skipped = std::min(count, size - std::min(size, at));
    offset_ += static_cast<off_t>(skipped);
    return skipped;
  }

 private:
  int fd_;
  std::string name_;
  std::stop_token stop_;
  off_t offset_ = 0;
};

/// A reader of the archive, whether it is compressed or not.
class MemberReader final : public base::ByteStream {
 public:
  MemberReader(int fd, const std::string& name, std::uint64_t limit, const std::stop_token& stop)
      : bytes_(base::decompress(std::make_unique<FileBytes>(fd, name, stop),
                                {.name = name, .limit = limit, .hint = std::string(archive_hint)})),
        tar_(*bytes_, name, std::string(archive_hint)),
        stop_(stop) {}

  /// The next member; nullopt after the last.
  std::optional<base::TarEntry> next() { return tar_.next(); }

  /// The content of the current member.
  std::size_t read(std::span<std::byte> buffer) override {
    if (stop_.stop_requested()) {  // the holes of sparse files are returned without reading anything
      base::throw_interrupted();
    }
    return tar_.read(buffer);
  }

 private:
  std::unique_ptr<base::ByteStream> bytes_;
  base::TarReader tar_;
  std::stop_token stop_;
};

/// The content of the member at a position of the archive.
std::unique_ptr<base::ByteStream> open_member(int fd, std::size_t ordinal, const std::string& name, std::uint64_t limit,
                                              const std::stop_token& stop) {
  auto reader = std::make_unique<MemberReader>(fd, name, limit, stop);
  for (std::size_t at = 0; at <= ordinal; ++at) {
    if (!reader->next()) {
      throw base::Error(base::ErrorKind::verification, fmt::format("{} does not exist any more", name),
                        "do not change the archive while it is read");
    }
  }
  return reader;
}

/// `./a//b/../c` → `a/c`; a path that leads out of the archive becomes the empty name, which no member has.
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

/// Where a member that is a link leads to, as a normalized name; empty for other members.
std::string link_target(const base::TarEntry& entry, const std::string& name) {
  if (entry.type == base::TarEntryType::hard_link) {
    return normalized(entry.link_target);
  }
  if (entry.type != base::TarEntryType::symbolic_link) {
    return {};
  }
  const auto slash = name.rfind('/');
  const auto directory = slash == std::string::npos ? "" : name.substr(0, slash + 1);
  return normalized(directory + entry.link_target);
}

base::Fd open_regular(const std::string& path) {
  // The user named this file: links are followed. O_NONBLOCK: a fifo must not hang us.
  base::Fd fd(base::check_errno(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK), "open " + path));
  struct stat status {};
  base::check_errno(::fstat(fd.get(), &status), "examine " + path);
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
    : path_(std::move(label)),
      stop_(std::move(stop)),
      fd_(std::move(file)),
      limit_(base::unpacked_limit(size_of(fd_.get(), path_))) {
  MemberReader reader(fd_.get(), path_, limit_, stop_);
  std::size_t ordinal = 0;
  std::size_t names = 0;
  for (auto entry = reader.next(); entry; entry = reader.next(), ++ordinal) {
    if (ordinal >= member_limit) {
      throw base::Error(base::ErrorKind::verification, fmt::format("{} has more than {} members", path_, member_limit),
                        "an archive of an image has a few dozen; check that it is one");
    }
    const auto name = normalized(entry->name);
    Member member{ordinal, static_cast<std::int64_t>(entry->size), false, link_target(*entry, name)};
    names += name.size() + member.link.size();
    if (names > names_limit) {
      throw base::Error(base::ErrorKind::verification,
                        fmt::format("the names in {} take more than {} MiB of memory", path_, names_limit >> 20U),
                        "an archive of an image has a few dozen; check that it is one");
    }
    const bool is_file = entry->type == base::TarEntryType::file;
    member.compressed = is_file && base::compression_of(base::read_beginning(reader, base::magic_size)).has_value();
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
  return static_cast<std::int64_t>(size_of(fd_.get(), path_));
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
  // The holes of a sparse member take no space in the archive, which therefore does not bound its size.
  if (static_cast<std::uint64_t>(member->size) > limit_) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} has {} bytes, more than {}, the limit for the size of the archive", label,
                                  member->size, limit_),
                      "check that it is an archive of an image");
  }
  return open_member(fd_.get(), member->ordinal, label, limit_, stop_);
}

}  // namespace berth::source
