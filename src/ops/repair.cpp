#include "ops/repair.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "image/reference.hpp"
#include "ops/deployments_in_use.hpp"
#include "ops/image_change.hpp"
#include "ops/image_lookup.hpp"
#include "ops/pull.hpp"
#include "source/open.hpp"
#include "store/repair.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

struct Chosen {
  store::StoredImage image;
  image::Reference reference;  ///< where to fetch from
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

Chosen choose(const Session& session, const store::Store& store, const std::string& text, const std::string& authfile) {
  if (is_local(text)) {
    const auto reference = image::parse_reference(text);
    const auto name = source::open(reference, source_options(session, authfile))->name();
    if (auto image = store.look_up(name)) {
      return {std::move(*image), reference};
    }
    throw Error(ErrorKind::not_found, fmt::format("there is no image {}", name.text()),
                "berth images list shows those that are stored");
  }
  auto image = choose_image(session, store, text);
  if (const auto reason = without_registry(image.name);
      !reason.empty() && image::parse_written_name(image.name).digest == std::nullopt) {
    throw Error(ErrorKind::usage, fmt::format("there is no registry for {}: {}", image.name, reason),
                "say where it can be fetched from, e.g. berth images repair oci:DIR");
  }
  auto reference = exact_reference(image);
  return {std::move(image), std::move(reference)};
}

/// Every checkout of a commit that is known, to be looked at under the lock.
std::vector<store::CheckedOut> checkouts(const Session& session) {
  std::vector<store::CheckedOut> result;
  for (const auto& deployment : deployments_in_use(session)) {
    const auto path = deployment.path + "/rootfs";
    const auto status = base::stat_at(AT_FDCWD, path);
    if (status && S_ISDIR(status->st_mode) && !deployment.commit.empty()) {
      result.push_back({deployment.commit, path});
    }
  }
  return result;
}

}  // namespace

RepairOutcome repair_image(Session& session, const std::string& text, const std::string& authfile) {
  const auto store = open_images(session);
  const auto chosen = choose(session, store, text, authfile);
  const auto source = source::open(chosen.reference, source_options(session, authfile));
  store::RepairRequest request;
  const auto platform = platform_of(chosen.image);
  request.platform = platform.empty() ? image::host_platform() : image::parse_platform(platform);
  request.checkouts = [&session] { return checkouts(session); };
  auto report =
      base::in_context([&] { return "repairing " + chosen.image.name; },
                       [&] { return store::repair_image(store_options(session), chosen.image, *source, request); });
  RepairOutcome outcome{chosen.image.name, report.damaged, report.layers, {}};
  const auto deployments = deployments_in_use(session);
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
