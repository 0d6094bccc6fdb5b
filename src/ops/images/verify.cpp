// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "host/state/lock.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"
#include "ops/result_json.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Names of containers by the commits of their deployments.
using Users = std::map<std::string, std::set<std::string>>;

Users users_of_commits(const std::vector<DeploymentInUse>& deployments, const store::Store& store) {
  Users users;
  for (const auto& deployment : deployments) {
    const auto image = deployment.container.empty() ? std::nullopt : store.describe(deployment.commit, "");
    if (!image || image->elsewhere) {
      continue;
    }
    users[deployment.commit].insert(deployment.container);
    if (!image->merged) {  // stored by `atomic`: only its layers have files
      for (const auto& commit : store.commits_of(*image)) {
        users[commit].insert(deployment.container);
      }
    }
  }
  return users;
}

/// The requested images; without a request all images, including those that only deployments refer to.
std::vector<store::StoredImage> choose(const Context& context, const store::Store& store,
                                       const std::vector<std::string>& texts,
                                       const std::vector<DeploymentInUse>& deployments, const Users& users) {
  std::vector<store::StoredImage> images;
  images.reserve(texts.size());
  for (const auto& text : texts) {
    auto lost = find_by_name(store, text) ? std::nullopt : find_lost(context, store, text);
    images.push_back(lost ? std::move(*lost) : choose_image(context, store, text));
  }
  if (!texts.empty()) {
    refuse_read_only(context, images, "fsck");
    return images;
  }
  images = store.images(false);
  for (auto& lost : store.lost()) {
    images.push_back(std::move(lost));
  }
  for (const auto& deployment : deployments) {
    const bool known = std::any_of(images.begin(), images.end(), [&deployment](const store::StoredImage& image) {
      return image.commit == deployment.commit;
    });
    if (!known && users.contains(deployment.commit)) {
      images.push_back(store.describe(deployment.commit, deployment.image).value());
    }
  }
  std::erase_if(images, [](const store::StoredImage& image) { return image.elsewhere; });
  return images;
}

/// Shortened layer IDs by commit, for files that only a layer has.
std::map<std::string, std::string> layer_names(const store::Store& store) {
  constexpr std::size_t shown_digits = 12;
  std::map<std::string, std::string> names;
  for (const auto& layer : store.images(true)) {
    if (layer.name.empty()) {
      names.emplace(layer.commit, layer.id.substr(0, shown_digits));
    }
  }
  return names;
}

DamagedFile describe(const store::DamagedObject& object, const store::StoredImage& image,
                     const std::map<std::string, std::string>& layers, const Users& users) {
  DamagedFile file{object.object, object.kind, object.missing, {}, {}};
  std::vector<std::string> only_in_layers;
  std::set<std::string> containers;
  for (const auto& place : object.places) {
    if (place.commit == image.commit) {
      file.paths.push_back(place.path);
    } else if (const auto layer = layers.find(place.commit); layer != layers.end()) {
      only_in_layers.push_back(fmt::format("layer {}: {}", layer->second, place.path));
    }
    if (const auto found = users.find(place.commit); found != users.end()) {
      containers.insert(found->second.begin(), found->second.end());
    }
  }
  if (file.paths.empty()) {
    file.paths = std::move(only_in_layers);
  }
  std::sort(file.paths.begin(), file.paths.end());
  file.paths.erase(std::unique(file.paths.begin(), file.paths.end()), file.paths.end());
  file.containers.assign(containers.begin(), containers.end());
  return file;
}

/// @return the name of an image, or `layer ID`
std::string shown_name(const store::StoredImage& image) {
  constexpr std::size_t shown_digits = 12;
  return image.name.empty() && !image.id.empty() ? "layer " + image.id.substr(0, shown_digits) : image.name;
}

/// Describes an image of which only a damaged branch is left.
DamagedFile describe_branch(const store::Store& store, const store::StoredImage& image) {
  const auto path = store.branch_file(image.branch);
  return {image.branch, "branch", false, {path}, {}};
}

/// @return nullopt, after a warning, when another command holds the lock for too long, or when this user may not lock
std::optional<host::ContainerLock> lock_for_verification(Context& context, const std::string& container) {
  try {
    return host::ContainerLock::take(context.layout, container, context.command,
                                     std::chrono::seconds(context.config.lock_timeout_seconds), context.reporter,
                                     context.stop);
  } catch (const Error& error) {
    context.reporter.warning(fmt::format("{} could not be locked, so reported damage may be a change in progress: {}",
                                         container, error.what()));
    return std::nullopt;
  }
}

/// Checks the files of a deployment outside its root file system. Damage is confirmed by a second check under the
/// container's lock.
std::string damage_of_files(Context& context, const DeploymentInUse& deployment) {
  const auto check = [&deployment] {
    return damage_of_deployment(deployment.path, deployment.container, deployment.has_service);
  };
  if (deployment.container.empty() || check().empty()) {
    return {};
  }
  const auto lock = lock_for_verification(context, deployment.container);
  const bool settled = base::stat_at(AT_FDCWD, deployment.path) &&
                       host::current_slot(context.layout, deployment.container) &&
                       !host::read_journal(context.layout, deployment.container);
  return settled ? check() : "";
}

/// Deployments whose info or other files are damaged, or whose commit is not stored.
std::vector<VerifiedImage> damaged_beside_rootfs(Context& context, const store::Store& store,
                                                 const std::vector<DeploymentInUse>& deployments,
                                                 const std::vector<store::StoredImage>& images) {
  std::vector<VerifiedImage> result;
  for (const auto& deployment : deployments) {
    const bool shown = std::any_of(images.begin(), images.end(), [&deployment](const store::StoredImage& image) {
      return !deployment.commit.empty() && image.commit == deployment.commit;
    });
    auto reason = deployment.damage;
    if (reason.empty() && !shown && !deployment.commit.empty() && !store.describe(deployment.commit, "")) {
      reason = fmt::format("its commit {} is not stored", deployment.commit);
    }
    if (reason.empty()) {
      reason = damage_of_files(context, deployment);
    }
    if (!reason.empty() && !deployment.container.empty()) {
      VerifiedImage verified;
      verified.name = deployment.container;
      verified.deployments.push_back(
          {deployment.container, deployment.path, deployment.live, {}, {}, reason, !deployment.damage.empty()});
      result.push_back(std::move(verified));
    }
  }
  return result;
}

bool concerns(const store::DamagedObject& object, const std::vector<std::string>& commits) {
  return std::any_of(object.places.begin(), object.places.end(), [&commits](const store::ObjectPlace& place) {
    return std::find(commits.begin(), commits.end(), place.commit) != commits.end();
  });
}

void query_registry(Context& context, const store::StoredImage& image, const std::string& authfile,
                    VerifiedImage& verified) {
  verified.remote_reason = no_registry_reason(image.name);
  verified.remote = verified.remote_reason.empty() ? RemoteState::unknown : RemoteState::none;
  if (verified.remote == RemoteState::none) {
    return;
  }
  try {
    ImageFetcher fetcher(context, {image.name, authfile, platform_of(image)});
    const auto resolved = fetcher.resolve();
    verified.remote_id = resolved.manifest.config.digest.hex();
    const bool same = verified.remote_id == image.id || resolved.digest.text() == image.manifest_digest;
    verified.remote = same ? RemoteState::latest : RemoteState::newer;
  } catch (const Error& error) {
    verified.remote_reason = error.what();
  }
}

std::vector<std::string> commits_of(const Users& users) {
  std::vector<std::string> commits;
  commits.reserve(users.size());
  for (const auto& [commit, names] : users) {
    commits.push_back(commit);
  }
  return commits;
}

/// Inodes of root file systems by path, to recognize directories that were replaced.
using Found = std::map<std::string, ino_t>;

Found find_checkouts(std::vector<store::CheckedOut>& checkouts, const std::vector<store::StoredImage>& images) {
  std::set<std::string> commits;
  for (const auto& image : images) {
    commits.insert(image.commit);
  }
  std::erase_if(checkouts, [&commits](const store::CheckedOut& checkout) {
    return !checkout.whole || !commits.contains(checkout.commit);
  });
  Found found;
  for (const auto& checkout : checkouts) {
    if (const auto status = base::stat_at(AT_FDCWD, checkout.path)) {
      found.emplace(checkout.path, status->st_ino);
    }
  }
  return found;
}

bool is_still_there(const Context& context, const DeploymentInUse& deployment, const std::string& path,
                    const Found& found) {
  const auto status = base::stat_at(AT_FDCWD, path);
  const auto before = found.find(path);
  return status && before != found.end() && status->st_ino == before->second &&
         host::current_slot(context.layout, deployment.container);
}

/// Verifies a damaged checkout again under the container's lock: a change in progress is not damage, and neither is a
/// change that was killed and that recovery will complete.
std::optional<store::DamagedCheckout> verify_again(Context& context, const store::Store& store,
                                                   const DeploymentInUse& deployment, const std::string& path,
                                                   const Found& found) {
  const auto lock = lock_for_verification(context, deployment.container);
  if (!is_still_there(context, deployment, path, found) || host::read_journal(context.layout, deployment.container)) {
    return std::nullopt;
  }
  store::VerifyRequest request;
  request.checkouts.push_back({deployment.commit, path, true});
  auto report = store.verify(request);
  return report.checkouts.empty() ? std::nullopt : std::optional(std::move(report.checkouts.front()));
}

std::vector<DamagedDeployment> damaged_deployments(Context& context, const store::Store& store,
                                                   const store::StoredImage& image,
                                                   const std::vector<DeploymentInUse>& deployments,
                                                   const store::VerifyReport& report, const Found& found) {
  std::vector<DamagedDeployment> result;
  for (const auto& deployment : deployments) {
    const auto path = deployment.path + "/rootfs";
    const bool damaged = std::any_of(report.checkouts.begin(), report.checkouts.end(),
                                     [&path](const auto& checkout) { return checkout.path == path; });
    if (deployment.commit != image.commit || !damaged) {
      continue;
    }
    if (const auto again = verify_again(context, store, deployment, path, found)) {
      result.push_back({deployment.container, path, deployment.live, again->changed, again->missing, ""});
    }
  }
  return result;
}

}  // namespace

std::vector<VerifiedImage> verify_images(Context& context, const VerifyRequest& request) {
  auto store = open_images(context);
  store.hold();  // prunes must wait
  const auto deployments = deployments_in_use(context);
  const auto users = users_of_commits(deployments, store);
  const auto images = choose(context, store, request.images, deployments, users);
  const auto layers = layer_names(store);
  store::VerifyRequest wanted;
  wanted.all = request.images.empty();
  wanted.users = commits_of(users);
  wanted.checkouts = checkouts_of(deployments, store);
  wanted.groups.reserve(images.size());
  for (const auto& image : images) {
    wanted.groups.push_back({shown_name(image), store.commits_of(image)});
  }
  const auto found = find_checkouts(wanted.checkouts, images);
  const auto report = store.verify(wanted);
  std::vector<VerifiedImage> result;
  result.reserve(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    VerifiedImage verified;
    verified.name = shown_name(images[i]);
    verified.id = images[i].id;
    if (!images[i].present && images[i].commit.empty()) {
      verified.damaged.push_back(describe_branch(store, images[i]));
    }
    verified.objects = report.objects[i];
    for (const auto& object : report.damaged) {
      if (concerns(object, wanted.groups[i].commits)) {
        verified.damaged.push_back(describe(object, images[i], layers, users));
      }
    }
    verified.deployments = damaged_deployments(context, store, images[i], deployments, report, found);
    if (request.remote && images[i].present) {
      query_registry(context, images[i], request.authfile, verified);
    }
    result.push_back(std::move(verified));
  }
  if (request.images.empty()) {
    auto damaged = damaged_beside_rootfs(context, store, deployments_in_use(context), images);
    std::move(damaged.begin(), damaged.end(), std::back_inserter(result));
  }
  return result;
}

std::string_view name_of(RemoteState state) {
  static constexpr std::array<std::string_view, 5> names = {"not asked", "none", "latest", "newer", "unknown"};
  return names.at(static_cast<std::size_t>(state));
}

base::Json to_json(const DamagedFile& file) {
  return {{"object", file.object},
          {"kind", file.kind},
          {"missing", file.missing},
          {"paths", file.paths},
          {"containers", file.containers}};
}

base::Json to_json(const DamagedDeployment& deployment) {
  base::Json json = {{"container", deployment.container},
                     {"directory", deployment.path},
                     {"live", deployment.live},
                     {"changed", deployment.changed},
                     {"missing", deployment.missing}};
  if (!deployment.reason.empty()) {
    json["reason"] = deployment.reason;
  }
  return json;
}

base::Json to_json(const std::vector<VerifiedImage>& images) {
  auto list = base::Json::array();
  for (const auto& image : images) {
    list.push_back({{"image", image.name},
                    {"imageId", image.id},
                    {"objects", image.objects},
                    {"damaged", array_of(image.damaged)},
                    {"deployments", array_of(image.deployments)},
                    {"registry", name_of(image.remote)},
                    {"registryImageId", or_null(image.remote_id)},
                    {"registryReason", or_null(image.remote_reason)}});
  }
  return {{"images", std::move(list)}};
}

}  // namespace berth::ops
