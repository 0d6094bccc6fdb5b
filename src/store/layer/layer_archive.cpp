// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/layer_archive.hpp"

#include <fmt/format.h>

#include <limits>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

constexpr std::string_view rebuild_hint = "pull again; if it stays, have the image built again, or by another tool";

}  // namespace

LayerArchive::LayerArchive(base::ByteStream& bytes, std::string name)
    : name_(std::move(name)), an_entry_(name_ + ": an entry"), tar_(bytes, name_, std::string(rebuild_hint)) {}

void LayerArchive::refuse(const std::string& reason) const {
  throw base::Error(base::ErrorKind::verification, fmt::format("{}: {}", name_, reason), std::string(rebuild_hint));
}

std::uint32_t LayerArchive::checked_id(std::int64_t id, const char* kind, const std::string& path) const {
  constexpr std::int64_t limit = std::numeric_limits<std::uint32_t>::max() - std::int64_t{1};
  if (id < 0 || id > limit) {
    refuse(fmt::format("{} belongs to {} {}, which is not in 0…{}", base::quoted_name(path), kind, id, limit));
  }
  return static_cast<std::uint32_t>(id);
}

void LayerArchive::check_symbolic_link(const LayerEntry& entry) const {
  constexpr std::size_t limit = 4095;  // PATH_MAX without the NUL
  const auto& target = entry.link_target;
  if (target.empty() || target.size() > limit || !is_utf8(target)) {
    refuse(fmt::format("the symbolic link {} has the target {}, which is empty, over {} bytes or not UTF-8",
                       base::quoted_name(entry.path), base::quoted_name(target), limit));
  }
}

std::optional<LayerEntry> LayerArchive::next() {
  auto found = tar_.next();
  if (!found) {
    return std::nullopt;
  }
  LayerEntry entry;
  entry.type = found->type;
  entry.path = normal_entry_path(found->name, an_entry_);
  entry.size = found->size;
  entry.ownership = {checked_id(found->uid, "user", entry.path), checked_id(found->gid, "group", entry.path),
                     found->permissions, std::move(found->xattrs)};
  if (entry.type == base::TarEntryType::hard_link) {
    const auto what = fmt::format("{}: the hard link {}: its target", name_, base::quoted_name(entry.path));
    entry.link_target = normal_entry_path(found->link_target, what);
  } else {
    entry.link_target = std::move(found->link_target);
    if (entry.type == base::TarEntryType::symbolic_link) {
      check_symbolic_link(entry);
    }
  }
  return entry;
}

}  // namespace berth::store
