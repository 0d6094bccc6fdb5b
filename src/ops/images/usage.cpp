// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/usage.hpp"

#include <map>
#include <utility>

#include "base/json.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_lookup.hpp"
#include "store/usage.hpp"

namespace berth::ops {

namespace {

/// Images by name, then containers with their deployments, then views.
struct Owners {
  std::vector<UsageRow> rows;
  std::vector<store::Owner> owners;

  void add(const std::string& kind, const std::string& name, store::Owner owner) {
    rows.push_back({kind, name, 0, 0, 0});
    owners.push_back(std::move(owner));
  }
};

Owners find_owners(const std::vector<DeploymentInUse>& deployments, const store::Store& store) {
  Owners result;
  for (const auto& image : store.images(false)) {
    if (!image.elsewhere) {
      result.add("image", image.name, {store.commits_of(image), {}});
    }
  }
  std::map<std::pair<std::string, std::string>, store::Owner> containers;
  for (const auto& deployment : deployments) {
    const bool container = !deployment.container.empty();
    auto& owner = containers[{container ? "container" : "view", container ? deployment.container : deployment.path}];
    owner.directories.push_back(deployment.path);
    if (const auto image = store.describe(deployment.commit, deployment.image); image && !image->elsewhere) {
      // The commit of an image that `atomic` stored has no tree; those of its layers have.
      auto commits = image->merged ? std::vector{image->commit} : store.commits_of(*image);
      owner.commits.insert(owner.commits.end(), commits.begin(), commits.end());
    }
  }
  for (auto& [key, owner] : containers) {
    result.add(key.first, key.second, std::move(owner));
  }
  return result;
}

}  // namespace

DiskUsage disk_usage(Context& context) {
  DiskUsage result;
  const auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return result;
  }
  const auto deployments = deployments_in_use(context);
  auto found = find_owners(deployments, *store);
  const auto usage = store::measure_usage(store_options(context), found.owners, commits_in_use(deployments),
                                          has_unknown_use(deployments, *store));
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    auto& row = found.rows[i];
    row.shared = usage.owners[i].shared;
    row.own = usage.owners[i].own;
    row.reclaimable = row.own;  // files that a container uses are shared, not own
  }
  result.rows = std::move(found.rows);
  result.total = usage.total;
  result.reclaimable = usage.reclaimable;
  return result;
}

base::Json to_json(const DiskUsage& usage) {
  auto rows = base::Json::array();
  for (const auto& row : usage.rows) {
    rows.push_back({{"kind", row.kind},
                    {"name", row.name},
                    {"bytes", row.shared + row.own},
                    {"shared", row.shared},
                    {"own", row.own},
                    {"reclaimable", row.reclaimable}});
  }
  return {{"usage", std::move(rows)}, {"total", usage.total}, {"reclaimable", usage.reclaimable}};
}

}  // namespace berth::ops
