#include "ops/preparation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/error.hpp"
#include "base/file.hpp"
#include "exports/config_json.hpp"
#include "host/file_copy.hpp"
#include "host/host_file.hpp"
#include "ops/remote_rootfs.hpp"
#include "ops/switch.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t host_template_limit = 1U << 20U;  // bytes; an installedFilesTemplate is a text

std::string default_service_template(const Session& session) {
  for (const auto& folder : {std::string("/etc/berth"), session.data_folder}) {
    const auto path = folder + "/exports-templates/service.template";
    if (auto text = base::read_file_at(AT_FDCWD, path, exports::template_size_limit)) {
      return *text;
    }
  }
  throw Error(
      ErrorKind::failed,
      fmt::format("the default unit template {}/exports-templates/service.template is missing", session.data_folder),
      "install berth completely, or set BERTH_DATADIR");
}

/// Whether a file can be bound into a container. In a root that is not booted, what a link such as
/// /etc/resolv.conf -> /run/… points to will only exist later.
bool can_be_bound(const Session& session, int root, const std::string& path) {
  try {
    return static_cast<bool>(base::open_in_root(root, path, O_PATH));
  } catch (const Error&) {
    return session.layout.offline() && host::host_exists(root, path);
  }
}

exports::HostFeatures host_features(const Session& session, int root) {
  auto features = features_of(session.facts);
  features.resolv_conf = can_be_bound(session, root, "/etc/resolv.conf");
  features.hosts = can_be_bound(session, root, "/etc/hosts");
  return features;
}

}  // namespace

Preparation::Preparation(Session& session, std::string name, int slot)
    : session_(session),
      name_(std::move(name)),
      slot_(slot),
      folder_name_(staging_name(name_)),
      deployments_(base::open_host_folder(session.layout.deployments())),
      root_(base::open_host_folder(session.layout.root())) {
  base::remove_tree_at(deployments_.get(), folder_name_);
  base::check_errno(::mkdirat(deployments_.get(), folder_name_.c_str(), 0755), "create " + folder_name_);
  staging_ = base::open_folder_at(deployments_.get(), folder_name_);
}

Preparation::~Preparation() {
  try {
    base::remove_tree_at(deployments_.get(), folder_name_);
  } catch (const std::exception& error) {
    session_.reporter.warning(error.what());
  }
}

std::string Preparation::throwaway_repository() const {
  return fmt::format("{}/{}/repository", session_.layout.deployments(), folder_name_);
}

void Preparation::check_linkable(const store::Store& store) const {
  store.check_linkable(staging_.get());
}

void Preparation::set_image(const store::StoredImage& image) {
  image_ = image;
  if (!image_.config.empty()) {
    image_config_ = image::parse_image_config(image_.config, "image configuration");
  }
}

void Preparation::check_out(store::Store& store, const store::StoredImage& image) {
  store.hold();
  set_image(image);
  note_use();
  base::in_context([this] { return fmt::format("checking out {}", image_.name); },
                   [&] { store.checkout(image_.commit, staging_.get(), "rootfs"); });
  use_rootfs(folder_name_ + "/rootfs");
}

/// From here on a prune sees that the commit is in use, also when no name is left for it and the store's lock is gone
/// before the deployment is complete.
void Preparation::note_use() const {
  host::DeploymentInfo info;
  info.image = image_.name;
  info.revision = image_.id;
  info.ostree_commit = image_.commit;
  base::replace_file_at(staging_.get(), "info", host::write_info(info), 0600);
}

void Preparation::use_remote(const std::string& remote, const store::StoredImage& image) {
  set_image(image);
  remote_ = remote;
  base::check_errno(::symlinkat(remote_.c_str(), staging_.get(), "rootfs"), "make the link rootfs");
  use_rootfs(folder_name_ + "/rootfs");
}

void Preparation::use_rootfs(const std::string& path) {
  rootfs_ = open_rootfs(session_.layout, path);
  exports_ = exports::read_exports(rootfs_.get(), session_.reporter);
}

PlanInputs Preparation::inputs(const Replaced& replaced) {
  PlanInputs in;
  in.name = name_;
  in.slot = slot_;
  in.image = image_.name;
  in.image_id = image_.id;
  in.commit = image_.commit;
  in.remote_rootfs = remote_;
  in.created = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  in.image_config = &image_config_;
  in.exports = &exports_;
  in.facts = &session_.facts;
  in.features = host_features(session_, root_.get());
  in.layout = &session_.layout;
  in.replaced = replaced;
  in.host_exists = [this](const std::string& path) { return host::host_exists(root_.get(), path); };
  in.host_place = [this](const std::string& path) { return host::resolve_host_path(root_.get(), path); };
  in.read_entry = [this](const exports::HostEntry& entry) {
    return exports::read_host_entry(rootfs_.get(), entry, host_template_limit);
  };
  in.entry_checksum = [this](const exports::HostEntry& entry) {
    const base::Fd file(exports::open_host_entry(rootfs_.get(), entry));
    return host::content_checksum(file.get(), "exports/hostfs/" + entry.path);
  };
  in.generate_config = [this](const exports::Values& values, const exports::HostFeatures& features) {
    return exports::generate_config(image_config_, rootfs_.get(), values, features);
  };
  in.volume_tmpfiles = [this](const exports::Values& values) {
    return exports::volume_tmpfiles(image_config_, rootfs_.get(), values);
  };
  return in;
}

InstallPlan Preparation::plan(const PlanRequest& request) {
  auto in = inputs(request.replaced);
  if (!exports_.service_template && !exports_.manifest.no_container_service) {
    in.default_service_template = default_service_template(session_);
  }
  in.set = request.set;
  in.uuid = request.uuid;
  in.runtime = request.runtime;
  in.system_package = request.system_package;
  in.local = request.local;
  return make_plan(in);
}

std::vector<PlannedFile> Preparation::host_files(const exports::Values& values, const Replaced& replaced) {
  return plan_host_files(inputs(replaced), values).files;
}

void Preparation::write(const InstallPlan& plan) const {
  const int staging = staging_.get();
  // Both hold values, and values may be passwords.
  if (!plan.config.empty()) {
    base::create_file_at(staging, "config.json", plan.config, 0600);
  }
  base::replace_file_at(staging, "info", host::write_info(plan.info), 0600);
  if (plan.unit) {
    base::create_file_at(staging, host::unit_name(name_), *plan.unit, 0644);
  }
  if (plan.tmpfiles) {
    base::create_file_at(staging, fmt::format("tmpfiles-{}.conf", name_), *plan.tmpfiles, 0644);
  }
  base::check_errno(::syncfs(staging), "write the deployment to disk");
}

void report_plan(Session& session, const InstallPlan& plan, const std::vector<std::string>& told) {
  for (const auto& sentence : plan.conversions) {
    session.reporter.step(fmt::format("config.json: {}", sentence));
  }
  if (!plan.host_powers.empty()) {
    session.reporter.warning(
        fmt::format("{} can do what root on this host can: {}", plan.name, fmt::join(plan.host_powers, "; ")));
  }
  for (const auto& path : plan.kept_files) {
    if (std::find(told.begin(), told.end(), path) == told.end()) {
      session.reporter.warning(fmt::format("{} exists on the host already and is left as it is", path));
    }
  }
}

exports::HostFeatures features_of(const host::Facts& facts) {
  exports::HostFeatures features;
  features.selinux = facts.selinux;
  features.apparmor = facts.apparmor;
  features.cgroup_unified = facts.cgroup_unified;
  return features;
}

}  // namespace berth::ops
