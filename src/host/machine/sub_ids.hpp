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

/// Both lists, or none of them: one without the other is of no use.
struct SubIds {
  std::vector<IdRange> uids;
  std::vector<IdRange> gids;
  std::string remedy;   ///< the command by which root gives the user a range that nobody has
  std::string missing;  ///< why there are none, for people, with the remedy; empty when there are
};

/// Ranges of a text like /etc/subuid that belong to the user, by name or number, in their order; at most 16. Lines that
/// are no subuid(5) lines are passed over.
std::vector<IdRange> parse_sub_ids(const std::string& text, const std::string& user, unsigned uid);

/// The first 65,536 ids, from 100,000 on, that neither text gives to anybody: ids of two users must not meet, for each
/// could then do to the other's containers what root of them can. nullopt when there is no room below 600,100,000.
std::optional<IdRange> free_sub_ids(const std::string& subuid, const std::string& subgid);

/// What /etc/subuid and /etc/subgid give to the layout's user, as far as newuidmap(1) and newgidmap(1) are there to
/// make use of it.
SubIds read_sub_ids(const Layout& layout);

/// Throws Error(not_permitted), with the setting, when the kernel lets no user make a user namespace
/// (user_namespaces(7)).
void refuse_without_user_namespaces(const Layout& layout);

/// Whether the user's services go on without a login (loginctl(1) enable-linger).
bool lingers(const Layout& layout);

}  // namespace berth::host
