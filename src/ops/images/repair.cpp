#include "ops/images/repair.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "host/state/lock.hpp"
#include "image/reference.hpp"
#include "ops/change/recover.hpp"
#include "ops/images/deployments_in_use.hpp"
#include "ops/images/image_change.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"
#include "source/open.hpp"
#include "store/repair.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

struct Chosen {
  store::StoredImage image;
  std::function<std::unique_ptr<image::ImageSource>()> open;  ///< where to fetch from
};

/// A tag may mean another image in the registry by now, its digest does not.
image::Reference exact_reference(const store::StoredImage& image) {
  auto reference = image::parse_reference(image.name, image::Naming::as_written);
  if (!image.manifest_digest.empty()) {
    reference.name.digest = base::Digest::parse(image.manifest_digest, "the stored digest of " + image.name);
  }
  return reference;
}

bool is_local(const std::string& text) {
  for (const auto* scheme : {"oci:", "oci-archive:", "docker-archive:", "dockertar:", "docker-daemon:", "docker:"}) {
    if (text.starts_with(scheme) && !text.starts_with("docker://")) {
      return true;
    }
  }
  return false;
}

Chosen choose(const Context& context, const store::Store& store, const std::string& text, const std::string& authfile) {
  const auto options = source_options(context, authfile);
  if (is_local(text)) {
    const auto reference = image::parse_reference(text);
    const auto name = source::open(reference, options)->name();
    auto image = store.look_up(name);
    if (!image) {
      image = find_lost(context, store, name.text());
    }
    if (image) {
      return {std::move(*image), [reference, options] { return source::open(reference, options); }};
    }
    throw Error(ErrorKind::not_found, fmt::format("there is no image {}", name.text()),
                "berth images list shows those that are stored");
  }
  auto lost = find_by_name(store, text) ? std::nullopt : find_lost(context, store, text);
  auto image = lost ? std::move(*lost) : choose_image(context, store, text);
  if (image.name.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is a layer", text),
                "repair an image that has it: berth images verify shows them");
  }
  const auto open = [image, options] {
    if (const auto reason = without_registry(image.name);
        !reason.empty() && image::parse_written_name(image.name).digest == std::nullopt) {
      throw Error(ErrorKind::usage, fmt::format("there is no registry for {}: {}", image.name, reason),
                  "say where it can be fetched from, e.g. berth images repair oci:DIR");
    }
    return source::open(exact_reference(image), options);
  };
  return {std::move(image), open};
}

/// Nobody changes the deployments of an image while their files are made good.
std::vector<host::ContainerLock> lock_users(Context& context, const store::StoredImage& image) {
  std::set<std::string> names;
  for (const auto& deployment : deployments_in_use(context)) {
    if (!image.commit.empty() && deployment.commit == image.commit && !deployment.container.empty()) {
      names.insert(deployment.container);
    }
  }
  std::vector<host::ContainerLock> locks;
  locks.reserve(names.size());
  for (const auto& name : names) {
    locks.push_back(lock_container(context, name));
  }
  return locks;
}

/// Those below our own directory. The operating system's own files are not ours to replace.
std::vector<DeploymentInUse> own_deployments(const Context& context) {
  auto deployments = deployments_in_use(context);
  const auto directory = context.layout.deployments() + "/";
  std::erase_if(deployments, [&directory](const DeploymentInUse& each) { return !each.path.starts_with(directory); });
  return deployments;
}

}  // namespace

RepairOutcome repair_image(Context& context, const std::string& text, const std::string& authfile) {
  const auto store = open_images(context);
  const auto chosen = choose(context, store, text, authfile);
  refuse_elsewhere(context, {chosen.image}, "fsck");
  const auto locks = lock_users(context, chosen.image);
  const auto deployments = own_deployments(context);
  store::RepairRequest request;
  const auto platform = platform_of(chosen.image);
  request.platform = platform.empty() ? image::host_platform() : image::parse_platform(platform);
  request.open_source = chosen.open;
  request.checkouts = [&] { return checkouts_of(own_deployments(context), store); };
  auto report = base::in_context([&] { return "repairing " + chosen.image.name; },
                                 [&] { return store::repair_image(store_options(context), chosen.image, request); });
  RepairOutcome outcome{chosen.image.name, report.damaged, report.layers, {}};
  for (auto& mended : report.mended) {
    MendedContainer container{"", false, mended.path, std::move(mended.files)};
    for (const auto& deployment : deployments) {
      if (deployment.path + "/rootfs" == mended.path) {
        container.container = deployment.container;
        container.live = deployment.live;
      }
    }
    outcome.mended.push_back(std::move(container));
  }
  return outcome;
}

}  // namespace berth::ops
