#include "base/error.hpp"

#include <fmt/format.h>

#include <cstring>

namespace berth::base {

Error::Error(ErrorKind kind, std::string sentence, std::string hint)
    : kind_(kind), sentence_(std::move(sentence)), hint_(std::move(hint)) {
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
  what_ += sentence_;
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

const char* hint_of_errno(int code) {
  switch (code) {
    case ENOSPC:
      return "free some space on that file system and try again";
    case EROFS:
      return "it is mounted read-only: mount it writable, or choose another place with --root or in berth.conf";
    case EACCES:
    case EPERM:
      return "run it as root";
    default:
      return "";
  }
}

}  // namespace

void throw_errno(std::string_view what, int code) {
  throw Error(kind_of_errno(code), fmt::format("cannot {}: {}", what, std::strerror(code)), hint_of_errno(code));
}

int check_errno(int result, std::string_view what) {
  if (result < 0) {
    throw_errno(what);
  }
  return result;
}

void throw_interrupted() {
  throw Error(ErrorKind::interrupted, "interrupted");
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  for (char& letter : result) {
    if (letter < ' ' || letter > '~') {
      letter = '?';
    }
  }
  return text.size() > limit ? result + "..." : result;
}

}  // namespace berth::base
