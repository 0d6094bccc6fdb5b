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
#include "render/spec/rootfs.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t host_template_limit = 1U << 20U;  // bytes; an installedFilesTemplate is a text

/// Whether a file can be bound into a container. In a root that is not booted, what a link such as
/// /etc/resolv.conf -> /run/… points to will only exist later.
bool can_be_bound(const Context& context, int root, const std::string& path) {
  try {
    return static_cast<bool>(base::open_in_root(root, path, O_PATH));
  } catch (const Error&) {
    return context.layout.offline() && host::host_exists(root, path);
  }
}

/// What a user may not look at is there.
std::optional<struct stat> host_status(int root, const std::string& path) {
  try {
    return render::stat_in_root(root, path);
  } catch (const Error& error) {
    return error.kind() == ErrorKind::not_permitted ? std::optional<struct stat>(std::in_place) : std::nullopt;
  }
}

render::HostFeatures host_features(const Context& context, int root) {
  auto features = features_of(context.facts);
  features.resolv_conf = can_be_bound(context, root, "/etc/resolv.conf");
  features.hosts = can_be_bound(context, root, "/etc/hosts");
  if (context.layout.user()) {
    features.user = rootless(context);
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

PlanInputs plan_inputs(const Context& context, int root, const ImageFiles& files) {
  PlanInputs in;
  in.image = files.image.name;
  in.image_id = files.image.id;
  in.commit = files.image.commit;
  in.created = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  in.image_config = &files.config;
  in.exports = &files.exports;
  in.facts = &context.facts;
  in.features = host_features(context, root);
  in.layout = &context.layout;
  in.package_kind = host::package_kind(context.layout);
  in.host_exists = [root](const std::string& path) { return host::host_exists(root, path); };
  in.host_place = [root](const std::string& path) { return host::resolve_host_path(root, path); };
  in.is_there = [root](const PlannedFile& planned) { return host::host_is(root, planned.file, planned.checksum); };
  in.directory_owner = [root](const std::string& path) { return host::trusted_directory_owner(root, path); };
  in.read_entry = [&files](const render::HostEntry& entry) {
    return render::read_host_entry(files.exports_directory.get(), entry, host_template_limit);
  };
  in.entry_checksum = [&files](const render::HostEntry& entry) {
    const base::Fd file(render::open_host_entry(files.exports_directory.get(), entry));
    return host::content_checksum(file.get(), "exports/hostfs/" + entry.path);
  };
  in.generate_config = [&files](const render::Values& values, const render::HostFeatures& features) {
    return render::generate_config(files.config, files.rootfs.get(), values, features);
  };
  in.volumes = [&files](const std::string& directory) {
    return render::volumes_of(files.config, files.rootfs.get(), directory);
  };
  in.host_status = [root](const std::string& path) { return host_status(root, path); };
  in.stream_links = [&files] {
    return files.rootfs ? render::stream_links(files.rootfs.get()) : std::vector<std::string>();
  };
  return in;
}

render::HostFeatures features_of(const host::Facts& facts) {
  render::HostFeatures features;
  features.selinux = facts.selinux;
  features.apparmor = facts.apparmor;
  features.cgroup_unified = facts.cgroup_unified;
  return features;
}

}  // namespace berth::ops
