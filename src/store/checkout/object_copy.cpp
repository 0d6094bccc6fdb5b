// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/checkout/object_copy.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::size_t value_limit = std::size_t{64} << 10U;  // XATTR_SIZE_MAX of Linux, for names as well

void copy_bytes(int from, int to) {
  constexpr std::size_t piece = std::size_t{1} << 30U;
  while (base::check_errno(static_cast<int>(::sendfile(to, from, nullptr, piece)), "copy an object") > 0) {
  }
}

void copy_xattrs(int from, int to) {
  std::vector<char> names(value_limit);
  std::vector<char> value(value_limit);
  const auto length = ::flistxattr(from, names.data(), names.size());
  if (length < 0 && errno != ENOTSUP) {
    base::throw_errno("read the extended attributes of an object");
  }
  for (const char* name = names.data(); name < names.data() + length; name += std::strlen(name) + 1) {
    const auto size = ::fgetxattr(from, name, value.data(), value.size());
    if (size < 0 || ::fsetxattr(to, name, value.data(), static_cast<std::size_t>(size), 0) != 0) {
      base::throw_errno(std::string("copy the extended attribute ") + name);
    }
  }
}

}  // namespace

void copy_object(int objects, const std::string& from, int directory, const std::string& to) {
  if (const auto target = base::read_link_at(objects, from)) {
    const auto status = base::stat_at(objects, from);
    base::check_errno(::symlinkat(target->c_str(), directory, to.c_str()), "create the link " + to);
    base::check_errno(::fchownat(directory, to.c_str(), status->st_uid, status->st_gid, AT_SYMLINK_NOFOLLOW),
                      "set the owner of " + to);
    return;
  }
  const auto source = base::open_at(objects, from, O_RDONLY);
  struct stat status {};
  base::check_errno(::fstat(source.get(), &status), "examine an object");
  const auto copy = base::open_at(directory, to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  copy_bytes(source.get(), copy.get());
  base::check_errno(::fchown(copy.get(), status.st_uid, status.st_gid), "set the owner of " + to);
  base::check_errno(::fchmod(copy.get(), status.st_mode & 07777U), "set the mode of " + to);
  copy_xattrs(source.get(), copy.get());
  const struct timespec times[2] = {{0, UTIME_OMIT}, status.st_mtim};
  base::check_errno(::futimens(copy.get(), times), "set the time of " + to);
}

}  // namespace berth::store
