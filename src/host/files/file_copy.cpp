// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/file_copy.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr std::size_t chunk = 128U << 10U;           // bytes
constexpr std::size_t attribute_limit = 64U << 10U;  // bytes; XATTR_LIST_MAX and XATTR_SIZE_MAX
constexpr std::string_view capability = "security.capability";
constexpr std::string_view user_prefix = "user.";

std::vector<std::string> attribute_names(int fd, const std::string& name) {
  std::string list(attribute_limit, '\0');
  const ssize_t size = ::flistxattr(fd, list.data(), list.size());
  if (size < 0) {
    if (errno == ENOTSUP) {
      return {};
    }
    base::throw_errno("list the extended attributes of " + name);
  }
  list.resize(static_cast<std::size_t>(size));
  std::vector<std::string> names;
  for (std::size_t at = 0; at < list.size();) {
    names.emplace_back(list.c_str() + at);
    at += names.back().size() + 1;
  }
  return names;
}

void copy_attribute(int from, int to, const std::string& attribute, const std::string& name) {
  std::string value(attribute_limit, '\0');
  const ssize_t size = ::fgetxattr(from, attribute.c_str(), value.data(), value.size());
  if (size < 0) {
    base::throw_errno("read " + attribute + " of " + name);
  }
  if (::fsetxattr(to, attribute.c_str(), value.data(), static_cast<std::size_t>(size), 0) < 0) {
    // user.* attributes are informational; a program needs its capabilities.
    if (errno == ENOTSUP && attribute.starts_with(user_prefix)) {
      return;
    }
    base::throw_errno("set " + attribute + " of " + name);
  }
}

}  // namespace

std::string copy_content(int from, int to, const std::string& name) {
  base::Hasher hasher;
  std::vector<char> buffer(chunk);
  while (true) {
    const ssize_t size = ::read(from, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size < 0) {
      base::throw_errno("read the source of " + name);
    }
    if (size == 0) {
      return hasher.finish().hex();
    }
    // Hashed from the buffer that is written, so that the digest is that of the copy.
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
    hasher.update(bytes);
    base::write_all(to, bytes, name);
  }
}

bool clone_content(int from, int to) noexcept {
  return ::ioctl(to, FICLONE, from) == 0;
}

std::string content_checksum(int file, const std::string& name) {
  base::Hasher hasher;
  std::vector<char> buffer(chunk);
  for (off_t at = 0;;) {
    const ssize_t size = ::pread(file, buffer.data(), buffer.size(), at);
    if (size < 0 && errno == EINTR) {
      continue;
    }
    base::check_errno(size < 0 ? -1 : 0, "read " + name);
    if (size == 0) {
      return hasher.finish().hex();
    }
    hasher.update(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
    at += size;
  }
}

void copy_all_attributes(int from, int to, const std::string& name) {
  constexpr std::string_view of_the_store = "user.ostreemeta";  // in a user's repository
  for (const std::string& attribute : attribute_names(from, name)) {
    if (attribute != of_the_store && (attribute == capability || attribute.starts_with(user_prefix) ||
                                      attribute.starts_with("trusted.") || attribute.starts_with("system."))) {
      copy_attribute(from, to, attribute, name);
    }
  }
}

void copy_attributes(int from, int to, const std::string& name) {
  for (const std::string& attribute : attribute_names(from, name)) {
    if (attribute == capability || attribute.starts_with(user_prefix)) {
      copy_attribute(from, to, attribute, name);
    }
  }
}

}  // namespace berth::host
