// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/image_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/file_copy.hpp"
#include "host/files/host_file.hpp"
#include "ops/rootless.hpp"
#include "render/exports/stream_links.hpp"
#include "render/spec/config_generate.hpp"
#include "render/spec/rootfs.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t host_template_limit = 1U << 20U;  // bytes of an installedFilesTemplate

/// Whether a file can be bound into a container. In a root that is not booted, a link such as
/// /etc/resolv.conf -> /run/… counts: its target will exist once the system runs.
bool can_be_bound(const Context& context, int root, const std::string& path) {
  try {
    return static_cast<bool>(base::open_in_root(root, path, O_PATH));
  } catch (const Error&) {
    return context.layout.offline() && host::host_exists(root, path);
  }
}

render::HostFeatures host_features(const Context& context, int root) {
  auto features = features_of(context.facts);
  features.resolv_conf = can_be_bound(context, root, "/etc/resolv.conf");
  features.hosts = can_be_bound(context, root, "/etc/hosts");
  if (context.layout.user()) {
    features.rootless = rootless(context);
  }
  return features;
}

}  // namespace

void ImageFiles::set_image(const store::StoredImage& stored) {
  image = stored;
  if (!image.config.empty()) {
    config = image::parse_image_config(image.config, "image configuration");
  }
}

void ImageFiles::read(base::Fd laid_out, base::Reporter& reporter) {
  rootfs = std::move(laid_out);
  exports_directory = render::open_exports(rootfs.get());
  exports = render::read_exports(exports_directory.get(), reporter);
}

bool LaidOutImageProbe::exists(const std::string& path) const {
  return host::host_exists(root_, path);
}

bool LaidOutImageProbe::matches(const PlannedFile& planned) const {
  return host::host_is(root_, planned.file, planned.checksum);
}

std::string LaidOutImageProbe::resolve(const std::string& path) const {
  return host::resolve_host_path(root_, path);
}

std::optional<uid_t> LaidOutImageProbe::directory_owner(const std::string& path) const {
  return host::trusted_directory_owner(root_, path);
}

std::optional<struct stat> LaidOutImageProbe::status(const std::string& path) const {
  try {
    return render::stat_in_root(root_, path);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::not_permitted ? std::optional<struct stat>(std::in_place) : std::nullopt;
  }
}

std::string LaidOutImageProbe::read_entry(const render::HostEntry& entry) const {
  return render::read_host_entry(files_.exports_directory.get(), entry, host_template_limit);
}

std::string LaidOutImageProbe::entry_checksum(const render::HostEntry& entry) const {
  const base::Fd file(render::open_host_entry(files_.exports_directory.get(), entry));
  return host::content_checksum(file.get(), "exports/hostfs/" + entry.path);
}

std::string LaidOutImageProbe::generate_config(const render::Values& values,
                                               const render::HostFeatures& features) const {
  return render::generate_config(files_.config, files_.rootfs.get(), values, features);
}

std::vector<render::Volume> LaidOutImageProbe::volumes(const std::string& directory) const {
  return render::volumes_of(files_.config, files_.rootfs.get(), directory);
}

std::vector<std::string> LaidOutImageProbe::stream_links() const {
  return files_.rootfs ? render::stream_links(files_.rootfs.get()) : std::vector<std::string>();
}

std::string default_service_template(const Context& context, const render::Exports& exports) {
  if (exports.service_template || exports.manifest.no_container_service) {
    return {};
  }
  const std::string name = "/exports-templates/service.template";
  const auto& layout = context.layout;
  for (const auto& path : {layout.on_disk(layout.settings_in_root() + name), layout.on_disk("/etc/berth" + name),
                           context.data_directory + name}) {
    if (auto text = base::read_file_at(AT_FDCWD, path, render::template_size_limit)) {
      return *text;
    }
  }
  throw Error(
      ErrorKind::failed,
      fmt::format("the default unit template {}/exports-templates/service.template is missing", context.data_directory),
      "install berth completely, or set BERTH_DATADIR");
}

ImageFacts image_facts(const ImageFiles& files) {
  return {files.image.name, files.image.id, files.image.commit, files.config, files.exports};
}

HostFacts host_facts(const Context& context, int root) {
  return {context.layout, context.facts, host_features(context, root), host::package_kind(context.layout), {}, {}};
}

std::int64_t plan_time() {
  return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
}

render::HostFeatures features_of(const host::Facts& facts) {
  render::HostFeatures features;
  features.selinux = facts.selinux;
  features.apparmor = facts.apparmor;
  features.cgroup_unified = facts.cgroup_unified;
  return features;
}

}  // namespace berth::ops
