// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/rootless.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <sstream>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "host/machine/sub_ids.hpp"

namespace berth::ops {

namespace {

constexpr std::uint64_t controllers_limit = 4096;       // bytes
constexpr std::uint64_t own_cgroup_limit = 64U << 10U;  // bytes

std::vector<std::string> delegated_controllers(const host::Layout& layout) {
  const auto path = fmt::format("/sys/fs/cgroup{}/cgroup.controllers", layout.systemd_cgroup());
  std::istringstream words(base::read_file_at(AT_FDCWD, layout.on_disk(path), controllers_limit).value_or(""));
  std::vector<std::string> names;
  for (std::string word; words >> word;) {
    names.push_back(word);
  }
  return names;
}

std::vector<std::pair<unsigned, unsigned>> pairs(const std::vector<host::IdRange>& ranges) {
  std::vector<std::pair<unsigned, unsigned>> result;
  result.reserve(ranges.size());
  for (const auto& range : ranges) {
    result.emplace_back(range.first, range.count);
  }
  return result;
}

}  // namespace

render::Rootless rootless(const Context& context) {
  const auto ids = host::read_sub_ids(context.layout);
  render::Rootless result;
  result.remedy = ids.remedy;
  result.uids = render::id_mappings(context.facts.uid, pairs(ids.uids));
  result.gids = render::id_mappings(context.facts.gid, pairs(ids.gids));
  result.name = context.layout.user()->name;
  result.controllers = delegated_controllers(context.layout);
  return result;
}

void check_rootless(const Context& context, bool stays) {
  const auto& user = context.layout.user();
  if (!user) {
    return;
  }
  host::refuse_without_user_namespaces(context.layout);
  if (const auto ids = host::read_sub_ids(context.layout); !ids.missing.empty()) {
    context.reporter.warning(fmt::format("the container will have no user but root: {}", ids.missing));
  }
  if (stays && !host::lingers(context.layout)) {
    context.reporter.warning(
        fmt::format("services of {0} stop when {0} logs out, and do not start at boot; to change that: loginctl "
                    "enable-linger {0}",
                    user->name));
  }
}

void enter_user_cgroup(const Context& context) {
  if (!context.layout.user()) {
    return;
  }
  const auto own = base::read_file_at(AT_FDCWD, "/proc/self/cgroup", own_cgroup_limit).value_or("");
  if (own.find(fmt::format("0::{}/", context.layout.systemd_cgroup())) == std::string::npos) {
    context.systemd.enter_scope(fmt::format("berth-{}.scope", ::getpid()), context.command);
  }
}

void remove_users_tree(const Context& context, int directory, const std::string& name) {
  try {
    base::remove_tree_at(directory, name);
  } catch (const base::Error& error) {
    if (!context.layout.user() || error.kind() != base::ErrorKind::not_permitted) {
      throw;
    }
    // In a user namespace the user may remove files of the sub-ids.
    base::run_checked({"unshare", "--map-root-user", "--map-auto", "--", "rm", "--recursive", "--force",
                       "--one-file-system", "--", base::full_path(directory, name)});
  }
}

}  // namespace berth::ops
