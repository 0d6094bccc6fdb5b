// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/private_mark.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t mark_limit = std::uint64_t{4} << 20U;  // bytes; 65 for each commit
constexpr mode_t mark_mode = 0600;
constexpr std::string_view opened = "open\n";

}  // namespace

void mark_private(int repository) {
  base::replace_file_at(repository, private_mark, "", mark_mode);
}

void mark_opened(const std::string& repository) {
  if (base::stat_at(AT_FDCWD, repository + "/objects")) {
    base::replace_file_at(base::open_host_directory(repository).get(), private_mark, opened, mark_mode);
  }
}

bool is_marked(const std::string& repository) {
  return base::stat_at(AT_FDCWD, repository + "/" + private_mark).has_value();
}

std::optional<std::string> verified_commits(int repository) {
  auto text = base::read_file_at(repository, private_mark, mark_limit);
  if (!text) {
    return std::string(opened);
  }
  return text->empty() ? std::nullopt : std::move(text);
}

void write_verified_commits(int repository, const std::string& commits) {
  if (commits.size() <= mark_limit) {
    base::replace_file_at(repository, private_mark, commits, mark_mode);
  }
}

}  // namespace berth::store
