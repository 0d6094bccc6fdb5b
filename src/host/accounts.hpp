// SPDX-License-Identifier: LGPL-2.1-or-later
// The users and groups of this machine, from every source that nsswitch.conf(5) names.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace berth::host {

/// The part of a passwd(5) entry that berth needs.
struct Account {
  std::string name;
  std::string home;
};

/// @return nullopt for a user without an entry
std::optional<Account> find_account(uid_t uid);

/// Whether the group has an entry (group(5)).
bool has_group(gid_t gid);

}  // namespace berth::host
