// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/repair.hpp"

#include <fmt/format.h>

#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"
#include "host/state/lock.hpp"
#include "image/reference.hpp"
#include "ops/change/recover.hpp"
#include "ops/images/deployments_in_use.hpp"
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
  std::function<std::unique_ptr<image::ImageSource>()> open;  ///< opens the source of good objects
};

/// A reference by digest: a tag may name another image by now.
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
                "berth images list shows the stored images");
  }
  auto lost = find_by_name(store, text) ? std::nullopt : find_lost(context, store, text);
  auto image = lost ? std::move(*lost) : choose_image(context, store, text);
  if (image.name.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} is a layer", text),
                "repair an image that contains it; berth images verify shows them");
  }
  const auto open = [image, options] {
    if (const auto reason = no_registry_reason(image.name);
        !reason.empty() && image::parse_written_name(image.name).digest == std::nullopt) {
      throw Error(ErrorKind::usage, fmt::format("there is no registry for {}: {}", image.name, reason),
                  "name a source of the image, e.g. berth images repair oci:DIR");
    }
    return source::open(exact_reference(image), options);
  };
  return {std::move(image), open};
}

/// Locks the containers of an image while their files are repaired.
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

/// Without preinstalled containers, whose files belong to the operating system.
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
  refuse_read_only(context, {chosen.image}, "fsck");
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

base::Json to_json(const RepairOutcome& outcome) {
  auto mended = base::Json::array();
  for (const auto& container : outcome.mended) {
    mended.push_back({{"container", container.container}, {"directory", container.path}, {"files", container.files}});
  }
  return {{"image", outcome.name},
          {"damaged", outcome.damaged},
          {"layersFetched", outcome.layers},
          {"mended", std::move(mended)}};
}

}  // namespace berth::ops
