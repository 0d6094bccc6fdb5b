#include "ops/images/verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/state/deployment.hpp"
#include "host/state/lock.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_change.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Containers by the commit of a deployment of theirs.
using Users = std::map<std::string, std::set<std::string>>;

Users users_of_commits(const std::vector<DeploymentInUse>& deployments, const store::Store& store) {
  Users users;
  for (const auto& deployment : deployments) {
    const auto image = deployment.container.empty() ? std::nullopt : store.describe(deployment.commit, "");
    if (!image || image->elsewhere) {
      continue;
    }
    users[deployment.commit].insert(deployment.container);
    if (!image->merged) {  // an older tool's: only its layers have files
      for (const auto& commit : store.commits_of(*image)) {
        users[commit].insert(deployment.container);
      }
    }
  }
  return users;
}

/// The images that are asked for; without any, all of them and those that only deployments hold on to.
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
    refuse_elsewhere(context, images, "fsck");
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

/// Layer names by commit, for places that only a layer has.
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

/// A layer has no name.
std::string shown_name(const store::StoredImage& image) {
  constexpr std::size_t shown_digits = 12;
  return image.name.empty() && !image.id.empty() ? "layer " + image.id.substr(0, shown_digits) : image.name;
}

/// An image of which only a damaged branch is left.
DamagedFile describe_branch(const store::Store& store, const store::StoredImage& image) {
  const auto path = store.branch_file(image.branch);
  return {image.branch, "branch", false, {path}, {}};
}

/// nullopt when it cannot be had: another command is at work on the container for long, or we may not write there.
std::optional<host::ContainerLock> lock_to_look(Context& context, const std::string& container) {
  try {
    return host::ContainerLock::take(context.layout, container, context.command,
                                     std::chrono::seconds(context.config.lock_timeout_seconds), context.reporter,
                                     context.stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      throw;
    }
    context.reporter.warning(
        fmt::format("{} could not be locked, so what is found of it may be the work of another "
                    "command: {}",
                    container, error.what()));
    return std::nullopt;
  }
}

/// Of what berth keeps beside the root file system. It is looked at again while nobody changes the container.
std::string damage_of_files(Context& context, const DeploymentInUse& deployment) {
  const auto look = [&deployment] {
    return damage_of_deployment(deployment.path, deployment.container, deployment.has_service);
  };
  if (deployment.container.empty() || look().empty()) {
    return {};
  }
  const auto lock = lock_to_look(context, deployment.container);
  const bool settled = base::stat_at(AT_FDCWD, deployment.path) &&
                       host::current_slot(context.layout, deployment.container) &&
                       !host::read_journal(context.layout, deployment.container);
  return settled ? look() : "";
}

/// Deployments that do not tell what they are, or whose commit is gone, or whose other files are damaged.
std::vector<VerifiedImage> unknown_deployments(Context& context, const store::Store& store,
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

void ask_registry(Context& context, const store::StoredImage& image, const std::string& authfile,
                  VerifiedImage& verified) {
  verified.remote_reason = without_registry(image.name);
  verified.remote = verified.remote_reason.empty() ? RemoteState::unknown : RemoteState::none;
  if (verified.remote == RemoteState::none) {
    return;
  }
  try {
    ImageFetcher origin(context, {image.name, authfile, platform_of(image)});
    const auto resolved = origin.resolve();
    verified.remote_id = resolved.manifest.config.digest.hex();
    const bool same = verified.remote_id == image.id || resolved.digest.text() == image.manifest_digest;
    verified.remote = same ? RemoteState::latest : RemoteState::newer;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) {
      throw;
    }
    verified.remote_reason = error.what();
  }
}

std::vector<std::string> keys_of(const Users& users) {
  std::vector<std::string> keys;
  keys.reserve(users.size());
  for (const auto& [commit, names] : users) {
    keys.push_back(commit);
  }
  return keys;
}

/// Root file systems by path, as they were found.
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

/// What another command does meanwhile is no damage, and neither is what a killed one left for recovery: so what looks
/// damaged is looked at again while nobody changes the container.
std::optional<store::DamagedCheckout> look_again(Context& context, const store::Store& store,
                                                 const DeploymentInUse& deployment, const std::string& path,
                                                 const Found& found) {
  const auto lock = lock_to_look(context, deployment.container);
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
    if (const auto again = look_again(context, store, deployment, path, found)) {
      result.push_back({deployment.container, path, deployment.live, again->changed, again->missing, ""});
    }
  }
  return result;
}

}  // namespace

std::vector<VerifiedImage> verify_images(Context& context, const VerifyRequest& request) {
  auto store = open_images(context);
  store.hold();  // what is examined must not be pruned away meanwhile
  const auto deployments = deployments_in_use(context);
  const auto users = users_of_commits(deployments, store);
  const auto images = choose(context, store, request.images, deployments, users);
  const auto layers = layer_names(store);
  store::VerifyRequest wanted;
  wanted.all = request.images.empty();
  wanted.users = keys_of(users);
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
      ask_registry(context, images[i], request.authfile, verified);
    }
    result.push_back(std::move(verified));
  }
  if (request.images.empty()) {
    auto unknown = unknown_deployments(context, store, deployments_in_use(context), images);
    std::move(unknown.begin(), unknown.end(), std::back_inserter(result));
  }
  return result;
}

}  // namespace berth::ops
