// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

namespace berth::base {

Error::Error(ErrorKind kind, std::string message, std::string hint, std::string details)
    : kind_(kind), message_(std::move(message)), hint_(std::move(hint)), details_(std::move(details)) {
  compose();
}

void Error::add_context(std::string line) {
  contexts_.push_back(std::move(line));
  compose();
}

void Error::compose() {
  what_.clear();
  for (auto context = contexts_.rbegin(); context != contexts_.rend(); ++context) {
    what_ += *context + ": ";
  }
  what_ += message_;
}

namespace {

ErrorKind kind_of_errno(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::not_permitted;
    case ENOENT:
      return ErrorKind::not_found;
    case EEXIST:
      return ErrorKind::conflict;
    default:
      return ErrorKind::failed;
  }
}

/// strerror(3), or a plainer text where the C library's does not explain itself.
const char* reason_of_errno(int code) {
  switch (code) {
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
      return "that is not supported there";
    default:
      return std::strerror(code);
  }
}

const char* hint_of_errno(int code) {
  switch (code) {
    case ENOSPC:
      return "free some space on that file system and try again";
    case EROFS:
      return "it is mounted read-only: mount it writable, or choose another path with --root or in berth.conf";
    case EACCES:
    case EPERM:
      // The remedy of other users depends on whose containers they manage: the command line adds it.
      return ::geteuid() == 0 ? "even root was refused: check for a read-only or foreign file system, chattr(1) +i, or "
                                "a rule of SELinux or AppArmor"
                              : "";
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
      return "the kernel or the file system there does not do this; a local file system such as ext4 or XFS does";
    case EMFILE:
    case ENFILE:
      return "allow more open files (ulimit -n), and try again";
    case ENOMEM:
      return "free some memory and try again";
    case EDQUOT:
      return "free some space within the quota and try again";
    case EIO:
      return "the disk or its connection reports an error: see `journalctl -k`";
    case ELOOP:
      return "symbolic links are not followed there; replace the link by a real file or directory";
    case EBUSY:
      return "end the process that uses it, or unmount the file system that is mounted there, and try again";
    default:
      return "";
  }
}

}  // namespace

void throw_errno(std::string_view what, int code) {
  throw Error(kind_of_errno(code), fmt::format("cannot {}: {}", what, reason_of_errno(code)), hint_of_errno(code));
}

int check_errno(int result, std::string_view what) {
  if (result < 0) {
    throw_errno(what);
  }
  return result;
}

void throw_interrupted() {
  throw Interrupted();
}

std::string current_message() noexcept {
  try {
    throw;
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "interrupted";
  }
}

}  // namespace berth::base
