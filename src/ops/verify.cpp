#include "ops/verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.hpp"
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
    if (!deployment.container.empty() && store.describe(deployment.commit, "")) {
      users[deployment.commit].insert(deployment.container);
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

}  // namespace

std::vector<VerifiedImage> verify_images(Session& session, const VerifyRequest& request) {
  auto store = open_images(session);
  store.hold();  // what is examined must not be pruned away meanwhile
  const auto deployments = deployments_in_use(session);
  const auto users = users_of_commits(deployments, store);
  const auto used_commits = keys_of(users);
  const auto images = choose(session, store, request.images, deployments, users);
  const auto layers = layer_names(store);
  std::vector<VerifiedImage> result;
  for (const auto& image : images) {
    const auto commits = store.commits_of(image);
    session.reporter.step(fmt::format("examining {}", image.name));
    const auto report = store.verify(commits, used_commits);
    VerifiedImage verified;
    verified.name = image.name;
    verified.id = image.id;
    verified.objects = report.objects;
    for (const auto& object : report.damaged) {
      if (concerns(object, commits)) {
        verified.damaged.push_back(describe(object, image, layers, users));
      }
    }
    if (request.remote) {
      ask_registry(session, image, request.authfile, verified);
    }
    result.push_back(std::move(verified));
  }
  return result;
}

}  // namespace berth::ops
