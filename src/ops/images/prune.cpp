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
bool is_left_over(const Session& session, int folder, const std::string& container) {
  const auto root = open_root(session);
  return !base::stat_at(folder, container) && !host::read_journal(session.layout, container) &&
         !host::host_exists(root.get(), session.layout.unit_inside(container));
}

void remove_left_over(Session& session, int folder, const std::string& container, const std::string& name) {
  const auto lock = lock_container(session, container);
  if (is_left_over(session, folder, container)) {
    base::remove_tree_at(folder, name);
  }
}

std::vector<std::string> remove_left_overs(Session& session, bool dry_run) {
  std::vector<std::string> removed;
  const auto folder = base::open_host_folder(session.layout.deployments());
  for (const auto& deployment : deployments_in_use(session)) {
    const auto name = base::split_path(deployment.path).second;
    const bool here = deployment.path == session.layout.deployments() + "/" + name;
    if (!deployment.damage.empty() || deployment.container.empty() || deployment.live || !here ||
        !is_left_over(session, folder.get(), deployment.container)) {
      continue;
    }
    if (!dry_run) {
      remove_left_over(session, folder.get(), deployment.container, name);
    }
    removed.push_back(deployment.path);
  }
  return removed;
}

}  // namespace

PruneOutcome prune(Session& session, bool dry_run) {
  PruneOutcome outcome;
  if (base::stat_at(AT_FDCWD, session.layout.deployments())) {
    if (!dry_run) {
      recover_pending(session);
    }
    outcome.folders = remove_left_overs(session, dry_run);
  }
  auto store = store::Store::open_existing(store_options(session));
  if (!store) {
    return outcome;
  }
  const auto stale = stale_mounts(session);
  outcome.folders.insert(outcome.folders.end(), stale.begin(), stale.end());
  store::PruneRequest request;
  request.dry_run = dry_run;
  request.roots = [&session] { return commits_in_use(session); };
  request.some_unknown = [&session, &store] { return has_unknown_use(session, *store); };
  request.clean_up = [&session] { remove_stale_mounts(session); };
  outcome.store = store->prune(request);
  return outcome;
}

}  // namespace berth::ops
