// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/accounts.hpp"

#include <grp.h>
#include <pwd.h>

#include <cstddef>
#include <vector>

namespace berth::host {

namespace {

constexpr std::size_t entry_limit = 64U << 10U;  // bytes of one entry

}  // namespace

std::optional<Account> find_account(uid_t uid) {
  std::vector<char> buffer(entry_limit);
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return Account{entry.pw_name, entry.pw_dir};
}

bool has_group(gid_t gid) {
  std::vector<char> buffer(entry_limit);
  struct group entry {};
  struct group* found = nullptr;
  return ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
}

}  // namespace berth::host
