#include "ops/verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/deployment.hpp"
#include "ops/deployments_in_use.hpp"
#include "ops/image_change.hpp"
#include "ops/image_lookup.hpp"
#include "ops/pull.hpp"

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
std::vector<store::StoredImage> choose(const Session& session, const store::Store& store,
                                       const std::vector<std::string>& texts,
                                       const std::vector<DeploymentInUse>& deployments, const Users& users) {
  std::vector<store::StoredImage> images;
  images.reserve(texts.size());
  for (const auto& text : texts) {
    images.push_back(choose_image(session, store, text));
  }
  if (!texts.empty()) {
    refuse_elsewhere(session, images, "fsck");
    return images;
  }
  images = store.images(false);
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

bool concerns(const store::DamagedObject& object, const std::vector<std::string>& commits) {
  return std::any_of(object.places.begin(), object.places.end(), [&commits](const store::ObjectPlace& place) {
    return std::find(commits.begin(), commits.end(), place.commit) != commits.end();
  });
}

void ask_registry(Session& session, const store::StoredImage& image, const std::string& authfile,
                  VerifiedImage& verified) {
  verified.remote_reason = without_registry(image.name);
  verified.remote = verified.remote_reason.empty() ? RemoteState::unknown : RemoteState::none;
  if (verified.remote == RemoteState::none) {
    return;
  }
  try {
    ImageOrigin origin(session, {image.name, authfile, platform_of(image)});
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

/// Root file systems by path, as they were found: an update or uninstall that goes on meanwhile is no damage.
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

bool is_still_there(const Session& session, const DeploymentInUse& deployment, const std::string& path,
                    const Found& found) {
  const auto status = base::stat_at(AT_FDCWD, path);
  const auto before = found.find(path);
  return status && before != found.end() && status->st_ino == before->second &&
         host::current_slot(session.layout, deployment.container);
}

std::vector<DamagedDeployment> damaged_deployments(const Session& session, const store::StoredImage& image,
                                                   const std::vector<DeploymentInUse>& deployments,
                                                   const store::VerifyReport& report, const Found& found) {
  std::vector<DamagedDeployment> result;
  for (const auto& deployment : deployments) {
    const auto path = deployment.path + "/rootfs";
    const auto damaged = std::find_if(report.checkouts.begin(), report.checkouts.end(),
                                      [&path](const auto& checkout) { return checkout.path == path; });
    if (deployment.commit == image.commit && damaged != report.checkouts.end() &&
        is_still_there(session, deployment, path, found)) {
      result.push_back({deployment.container, path, deployment.live, damaged->changed, damaged->missing});
    }
  }
  return result;
}

}  // namespace

std::vector<VerifiedImage> verify_images(Session& session, const VerifyRequest& request) {
  auto store = open_images(session);
  store.hold();  // what is examined must not be pruned away meanwhile
  const auto deployments = deployments_in_use(session);
  const auto users = users_of_commits(deployments, store);
  const auto images = choose(session, store, request.images, deployments, users);
  const auto layers = layer_names(store);
  store::VerifyRequest wanted;
  wanted.all = request.images.empty();
  wanted.users = keys_of(users);
  wanted.checkouts = checkouts_of(deployments, store);
  wanted.groups.reserve(images.size());
  for (const auto& image : images) {
    wanted.groups.push_back({image.name, store.commits_of(image)});
  }
  const auto found = find_checkouts(wanted.checkouts, images);
  const auto report = store.verify(wanted);
  std::vector<VerifiedImage> result;
  result.reserve(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    VerifiedImage verified;
    verified.name = images[i].name;
    verified.id = images[i].id;
    verified.objects = report.objects[i];
    for (const auto& object : report.damaged) {
      if (concerns(object, wanted.groups[i].commits)) {
        verified.damaged.push_back(describe(object, images[i], layers, users));
      }
    }
    verified.deployments = damaged_deployments(session, images[i], deployments, report, found);
    if (request.remote) {
      ask_registry(session, images[i], request.authfile, verified);
    }
    result.push_back(std::move(verified));
  }
  return result;
}

}  // namespace berth::ops
