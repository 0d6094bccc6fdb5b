// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/deployments_in_use.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

namespace {

using base::Error;

/// @return the commit that an info file names; empty when it is not a checksum
std::string checked_commit(const std::string& commit) {
  constexpr std::size_t checksum_digits = 64;
  const bool sound =
      commit.size() == checksum_digits && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
  return sound ? commit : "";
}

std::string damage_of(const std::string& commit) {
  return commit.empty() || !checked_commit(commit).empty()
             ? ""
             : fmt::format("its ostree-commit is '{}', which is not a checksum", base::printable(commit));
}

/// @return `NAME` for `NAME.0` and `NAME.1`; empty for other directories
std::string container_of(const std::string& directory) {
  const bool slot = directory.ends_with(".0") || directory.ends_with(".1");
  return slot && !directory.starts_with('.') ? directory.substr(0, directory.size() - 2) : "";
}

class Search {
 public:
  explicit Search(const Context& context) : context_(context) {}

  /// Adds the directories in `path`, if that exists.
  void search(const std::string& path) {
    if (!base::stat_at(AT_FDCWD, path)) {
      return;
    }
    const auto directory = base::open_host_directory(path);
    for (const auto& name : base::list_directory(directory.get())) {
      if (!base::is_directory_at(directory.get(), name)) {
        continue;  // a link names a directory that is added anyway
      }
      if (name == mounts_directory) {
        search(fmt::format("{}/{}", path, name));
      } else {
        add(directory.get(), path, name);
      }
    }
  }

  std::vector<DeploymentInUse> found;

 private:
  void add(int directory, const std::string& path, const std::string& name) {
    const auto deployment = path + "/" + name;
    const auto container = container_of(name);
    const bool live = !container.empty() && base::read_link_at(directory, container).value_or("").ends_with(name);
    try {
      const auto text = base::read_file_at(directory, name + "/info", base::json_size_limit);
      if (!text) {
        return;
      }
      const auto info = host::parse_info(*text, deployment + "/info");
      found.push_back({container, live, deployment, info.image, info.revision, checked_commit(info.ostree_commit),
                       info.has_container_service, damage_of(info.ostree_commit)});
    } catch (const Error& error) {
      context_.reporter.warning(error.what());
      found.push_back({container, live, deployment, "", "", "", false, error.what()});
    }
  }

  const Context& context_;
};

}  // namespace

std::vector<DeploymentInUse> deployments_in_use(const Context& context) {
  Search search(context);
  search.search(context.layout.deployments());
  return std::move(search.found);
}

std::vector<store::CheckedOut> checkouts_of(const std::vector<DeploymentInUse>& deployments,
                                            const store::Store& store) {
  std::vector<store::CheckedOut> checkouts;
  for (const auto& deployment : deployments) {
    const auto path = deployment.path + "/rootfs";
    const bool checked_out = base::is_directory_at(AT_FDCWD, path);
    const auto image = store.describe(deployment.commit, deployment.image);
    if (!checked_out || !image || image->elsewhere) {
      continue;
    }
    if (image->merged) {
      checkouts.push_back({deployment.commit, path, deployment.has_service && !deployment.container.empty()});
    } else {
      for (const auto& commit : store.commits_of(*image)) {
        checkouts.push_back({commit, path, false});
      }
    }
  }
  return checkouts;
}

bool has_unknown_use(const std::vector<DeploymentInUse>& deployments, const store::Store& store) {
  return std::any_of(deployments.begin(), deployments.end(), [&store](const DeploymentInUse& each) {
    return !each.damage.empty() || (!each.commit.empty() && !store.describe(each.commit, each.image));
  });
}

std::vector<std::string> commits_in_use(const std::vector<DeploymentInUse>& deployments) {
  std::vector<std::string> commits;
  for (const auto& deployment : deployments) {
    if (!deployment.commit.empty()) {
      commits.push_back(deployment.commit);
    }
  }
  return commits;
}

}  // namespace berth::ops
