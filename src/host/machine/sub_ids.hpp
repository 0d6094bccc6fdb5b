// SPDX-License-Identifier: LGPL-2.1-or-later
// The ids that a user may use in user namespaces (subuid(5), subgid(5)).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/layout.hpp"

namespace berth::host {

struct IdRange {
  unsigned first = 0;
  unsigned count = 0;

  friend bool operator==(const IdRange&, const IdRange&) = default;
};

/// Both lists are set, or both are empty: user namespaces need both.
struct SubIds {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
  std::string remedy;   ///< the command by which root assigns an unused range to the user
  std::string missing;  ///< why the lists are empty, with the remedy; empty when they are set
};

/// The ranges that a text in the format of subuid(5) assigns to the user, by name or number, in their order; at
/// most 16. Malformed lines are skipped.
std::vector<IdRange> parse_sub_ids(const std::string& text, const std::string& user, unsigned uid);

/// The first 65,536 ids, from 100,000 on, that neither text assigns. The ranges of two users must not overlap: each
/// user would be root in the containers of the other. nullopt when no such range is left below 600,100,000.
std::optional<IdRange> free_sub_ids(const std::string& subuid, const std::string& subgid);

/// The ranges of the layout's user in /etc/subuid and /etc/subgid. `missing` is also set when newuidmap(1) or
/// newgidmap(1) is not installed. libsubid is not used: it reads the files of the running system only, and cannot name
/// free ranges.
SubIds read_sub_ids(const Layout& layout);

/// Throws Error(not_permitted), naming the setting, when users cannot create user namespaces (user_namespaces(7)).
void refuse_without_user_namespaces(const Layout& layout);

/// Whether the user's services run without a login (loginctl(1) enable-linger).
bool lingers(const Layout& layout);

}  // namespace berth::host
