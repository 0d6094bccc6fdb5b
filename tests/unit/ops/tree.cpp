// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "base/digest.hpp"

namespace berth::test {

namespace {

std::string xattrs_of(const std::string& path) {
  std::vector<char> names(4096);
  const auto length = ::llistxattr(path.c_str(), names.data(), names.size());
  std::string result;
  for (ssize_t at = 0; at < length;) {
    const std::string name(names.data() + at);
    std::vector<char> value(65536);
    const auto size = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    const std::string_view bytes(value.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    result += fmt::format(" {}={}", name, base::digest_of(bytes).short_hex());
    at += static_cast<ssize_t>(name.size()) + 1;
  }
  return result;
}

std::string content_of(const std::string& path, mode_t type) {
  if (S_ISLNK(type)) {
    return " -> " + std::filesystem::read_symlink(path).string();
  }
  if (!S_ISREG(type)) {
    return "";
  }
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  return fmt::format(" {} bytes {}", bytes.size(), base::digest_of(bytes).hex());
}

std::set<std::string> names_in(const std::string& list) {
  std::set<std::string> names;
  std::istringstream stream(list);
  for (std::string name; std::getline(stream, name, ':');) {
    names.insert(name);
  }
  return names;
}

}  // namespace

std::string tree_text(const std::string& path, const std::string& without) {
  const auto skipped = names_in(without);
  std::set<std::string> lines;
  auto iterator = std::filesystem::recursive_directory_iterator(path);
  for (auto entry = begin(iterator); entry != end(iterator); ++entry) {
    const auto name = std::filesystem::relative(entry->path().parent_path(), path) / entry->path().filename();
    if (skipped.contains(name.lexically_normal().string())) {
      entry.disable_recursion_pending();
      continue;
    }
    struct stat status {};
    ::lstat(entry->path().c_str(), &status);
    lines.insert(fmt::format("{} {:o} {}:{}{}{}{}", name.lexically_normal().string(), status.st_mode, status.st_uid,
                             status.st_gid, S_ISDIR(status.st_mode) ? "" : fmt::format(" links={}", status.st_nlink),
                             xattrs_of(entry->path()), content_of(entry->path(), status.st_mode)));
  }
  std::string text;
  for (const auto& line : lines) {
    text += line + "\n";
  }
  return text;
}

}  // namespace berth::test
