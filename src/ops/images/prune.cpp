#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_change.hpp"
#include "ops/images/mount.hpp"

namespace berth::ops {

namespace {

/// A deployment that no link names, no note speaks of and no unit starts: what somebody else, or a lost file system,
/// left. With a unit it is for uninstall to end it in order.
bool is_left_over(const Context& context, int directory, const std::string& container) {
  const auto root = open_root(context);
  return !base::stat_at(directory, container) && !host::read_journal(context.layout, container) &&
         !host::host_exists(root.get(), context.layout.unit_in_root(container));
}

void remove_left_over(Context& context, int directory, const std::string& container, const std::string& name) {
  const auto lock = lock_container(context, container);
  if (is_left_over(context, directory, container)) {
    base::remove_tree_at(directory, name);
  }
}

std::vector<std::string> remove_left_overs(Context& context, bool dry_run) {
  std::vector<std::string> removed;
  const auto directory = base::open_host_directory(context.layout.deployments());
  for (const auto& deployment : deployments_in_use(context)) {
    const auto name = base::split_path(deployment.path).second;
    const bool here = deployment.path == context.layout.deployments() + "/" + name;
    if (!deployment.damage.empty() || deployment.container.empty() || deployment.live || !here ||
        !is_left_over(context, directory.get(), deployment.container)) {
      continue;
    }
    if (!dry_run) {
      remove_left_over(context, directory.get(), deployment.container, name);
    }
    removed.push_back(deployment.path);
  }
  return removed;
}

}  // namespace

PruneOutcome prune(Context& context, bool dry_run) {
  PruneOutcome outcome;
  if (base::stat_at(AT_FDCWD, context.layout.deployments())) {
    if (!dry_run) {
      recover_pending(context);
    }
    outcome.directories = remove_left_overs(context, dry_run);
  }
  auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return outcome;
  }
  const auto stale = stale_mounts(context);
  outcome.directories.insert(outcome.directories.end(), stale.begin(), stale.end());
  store::PruneRequest request;
  request.dry_run = dry_run;
  request.roots = [&context] { return commits_in_use(context); };
  request.some_unknown = [&context, &store] { return has_unknown_use(context, *store); };
  request.clean_up = [&context] { remove_stale_mounts(context); };
  outcome.store = store->prune(request);
  return outcome;
}

}  // namespace berth::ops
