// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/prune.hpp"

#include <fcntl.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/mount.hpp"

namespace berth::ops {

namespace {

/// Whether a deployment has no link, no journal record and no unit, such as after the loss of a file system. A
/// container with a unit is removed by uninstall.
bool is_leftover(const Context& context, int directory, const std::string& container) {
  const auto root = open_root(context);
  return !base::stat_at(directory, container) && !host::read_journal(context.layout, container) &&
         !host::host_exists(root.get(), context.layout.unit_in_root(container));
}

void remove_leftover(Context& context, int directory, const std::string& container, const std::string& name) {
  const auto lock = lock_container(context, container);
  if (is_leftover(context, directory, container)) {
    base::remove_tree_at(directory, name);
  }
}

std::vector<std::string> remove_leftovers(Context& context, bool dry_run) {
  std::vector<std::string> removed;
  const auto directory = open_deployments(context);
  for (const auto& deployment : deployments_in_use(context)) {
    const auto name = base::split_path(deployment.path).second;
    const bool here = deployment.path == context.layout.deployments() + "/" + name;
    if (!deployment.damage.empty() || deployment.container.empty() || deployment.live || !here ||
        !is_leftover(context, directory.get(), deployment.container)) {
      continue;
    }
    if (!dry_run) {
      remove_leftover(context, directory.get(), deployment.container, name);
    }
    removed.push_back(deployment.path);
  }
  return removed;
}

}  // namespace

PruneOutcome prune(Context& context, bool dry_run) {
  PruneOutcome outcome;
  outcome.dry_run = dry_run;
  if (base::stat_at(AT_FDCWD, context.layout.deployments())) {
    if (!dry_run) {
      recover_pending(context);
    }
    outcome.directories = remove_leftovers(context, dry_run);
  }
  auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return outcome;
  }
  const auto stale = stale_mounts(context);
  outcome.directories.insert(outcome.directories.end(), stale.begin(), stale.end());
  store::PruneRequest request;
  request.dry_run = dry_run;
  request.in_use = [&context, &store]() -> store::CommitsInUse {
    const auto deployments = deployments_in_use(context);
    return {commits_in_use(deployments), has_unknown_use(deployments, *store)};
  };
  request.clean_up = [&context] { remove_stale_mounts(context); };
  outcome.store = store->prune(request);
  return outcome;
}

base::Json to_json(const PruneOutcome& outcome) {
  return {{"dryRun", outcome.dry_run},
          {"layers", outcome.store.layers},
          {"objects", outcome.store.objects},
          {"bytes", outcome.store.bytes},
          {"directories", outcome.directories}};
}

}  // namespace berth::ops
