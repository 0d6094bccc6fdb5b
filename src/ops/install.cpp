#include "ops/install.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "exports/config_json.hpp"
#include "host/journal.hpp"
#include "host/lock.hpp"
#include "ops/deployments_folder.hpp"
#include "ops/pull.hpp"
#include "ops/recover.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t host_template_limit = 1U << 20U;  // bytes; an installedFilesTemplate is a text

exports::Values parse_set(const std::vector<std::string>& assignments) {
  exports::Values values;
  for (const auto& text : assignments) {
    auto [name, value] = exports::parse_assignment(text);
    values.insert_or_assign(std::move(name), std::move(value));
  }
  return values;
}

void check_package_mode(const std::string& mode) {
  if (mode != "no" && mode != "auto") {
    throw Error(ErrorKind::usage, fmt::format("--system-package={} is not supported", mode),
                "use --system-package=no: the files are copied to the host directly");
  }
}

/// A unit of this name anywhere would be replaced or hidden by ours.
void refuse_taken_unit(const Session& session, const std::string& name) {
  const auto root = base::open_host_folder(session.layout.root());
  const auto unit = host::unit_name(name);
  for (const std::string folder : {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                                   "/usr/lib/systemd/system", "/lib/systemd/system"}) {
    if (const auto path = fmt::format("{}/{}", folder, unit); host::host_exists(root.get(), path)) {
      throw Error(ErrorKind::conflict, fmt::format("the unit {} exists already", path),
                  "choose another name with --name, or remove that unit");
    }
  }
  if (const auto conf = session.layout.tmpfiles_inside(name); host::host_exists(root.get(), conf)) {
    throw Error(ErrorKind::conflict, fmt::format("the tmpfiles configuration {} exists already", conf),
                "choose another name with --name, or remove that file");
  }
}

/// The places NAME and NAME.0, NAME.1 below the deployments must be free, or hold a container of that name.
void refuse_taken_place(const Session& session, int folder, const std::string& name) {
  if (base::stat_at(folder, name)) {
    throw Error(ErrorKind::conflict,
                fmt::format("{}/{} exists and is no container", session.layout.deployments(), name),
                "choose another name with --name");
  }
  for (const auto* slot : {".0", ".1"}) {
    const auto found = base::stat_at(folder, name + slot);
    if (!found) {
      continue;
    }
    if (S_ISLNK(found->st_mode)) {
      throw Error(ErrorKind::conflict,
                  fmt::format("the container {}{} stands where a deployment of {} would", name, slot, name),
                  "choose another name with --name");
    }
    throw Error(ErrorKind::conflict,
                fmt::format("{}/{}{} is left over from a container", session.layout.deployments(), name, slot),
                fmt::format("remove it with: berth uninstall {}", name));
  }
}

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

std::string checksum_of(int fd, const std::string& name) {
  base::Hasher hasher;
  std::vector<std::byte> buffer(std::size_t{128} << 10U);
  while (true) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    base::check_errno(static_cast<int>(count), "read " + name);
    if (count == 0) {
      return hasher.finish().hex();
    }
    hasher.update(std::span(buffer).first(static_cast<std::size_t>(count)));
  }
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
  exports::HostFeatures features;
  features.selinux = session.facts.selinux;
  features.apparmor = session.facts.apparmor;
  features.cgroup_unified = session.facts.cgroup_unified;
  features.resolv_conf = can_be_bound(session, root, "/etc/resolv.conf");
  features.hosts = can_be_bound(session, root, "/etc/hosts");
  return features;
}

/// One install from the request to the prepared deployment; the parts of the way that share state.
class Installer {
 public:
  Installer(Session& session, const InstallRequest& request, ImageOrigin& origin, std::string name)
      : session_(session), request_(request), origin_(origin), name_(std::move(name)), set_(parse_set(request.set)) {}

  /// Fetches, checks out and plans. What it leaves below the deployments is the folder workplace().
  InstallPlan prepare() {
    runtime_ = host::find_runtime(session_.layout, wanted_runtime(), session_.config.runtimes);
    folder_ = base::open_host_folder(session_.layout.deployments());
    base::remove_tree_at(folder_.get(), workplace());
    base::check_errno(::mkdirat(folder_.get(), workplace().c_str(), 0755), "create " + workplace());
    staging_ = base::open_folder_at(folder_.get(), workplace());
    fetch_and_check_out();
    check_stop(session_.stop);
    auto plan = base::in_context([this] { return fmt::format("installing {}", name_); }, [this] { return plan_it(); });
    for (const auto& sentence : plan.conversions) {
      session_.reporter.step(fmt::format("config.json: {}", sentence));
    }
    for (const auto& path : plan.kept_files) {
      session_.reporter.warning(fmt::format("{} exists on the host already and is left as it is", path));
    }
    return plan;
  }

  /// Completes the prepared deployment and makes it durable.
  void write_deployment(const InstallPlan& plan) {
    const int staging = staging_.get();
    if (!plan.config.empty()) {
      base::create_file_at(staging, "config.json", plan.config, 0644);
    }
    // Values may hold passwords.
    base::create_file_at(staging, "info", host::write_info(plan.info), 0600);
    if (plan.unit) {
      base::create_file_at(staging, host::unit_name(name_), *plan.unit, 0644);
    }
    if (plan.tmpfiles) {
      base::create_file_at(staging, fmt::format("tmpfiles-{}.conf", name_), *plan.tmpfiles, 0644);
    }
    base::check_errno(::syncfs(staging), "write the deployment to disk");
  }

  void discard() noexcept {
    try {
      if (folder_) {
        base::remove_tree_at(folder_.get(), workplace());
      }
    } catch (const std::exception& error) {
      session_.reporter.warning(error.what());
    }
  }

  [[nodiscard]] std::string workplace() const { return staging_name(name_); }

 private:
  [[nodiscard]] std::string wanted_runtime() const {
    return request_.runtime.empty() ? session_.runtime_override : request_.runtime;
  }

  /// A plan alone must change nothing, so an absent image goes into a repository that is thrown away with the
  /// workplace.
  void fetch_and_check_out() {
    auto store = store::Store::open_existing(store_options(session_));
    if (request_.only_plan && (!store || origin_.local() || !store->find(origin_.name()))) {
      store = store::Store::open(
          store_options(session_, session_.layout.deployments() + "/" + workplace() + "/repository"));
    } else if (!store) {
      store = store::Store::open(store_options(session_));
    }
    auto present = origin_.ensure(*store);
    image_ = std::move(present.image);
    session_.reporter.step(fmt::format("{} {}", present.fetched ? "fetched" : "found", image_.name));
    base::in_context([this] { return fmt::format("checking out {}", image_.name); },
                     [&] { store->checkout(image_.commit, staging_.get(), "rootfs"); });
  }

  InstallPlan plan_it() {
    const auto rootfs = base::open_folder_at(staging_.get(), "rootfs");
    const auto root = base::open_host_folder(session_.layout.root());
    const auto image_config =
        image_.config.empty() ? image::ImageConfig{} : image::parse_image_config(image_.config, "image configuration");
    const auto exports = exports::read_exports(rootfs.get(), session_.reporter);
    PlanInputs in;
    in.name = name_;
    in.image = image_.name;
    in.image_id = image_.id;
    in.commit = image_.commit;
    in.created = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    in.image_config = &image_config;
    in.exports = &exports;
    if (!exports.service_template && !exports.manifest.no_container_service) {
      in.default_service_template = default_service_template(session_);
    }
    in.set = set_;
    in.uuid = host::random_uuid();
    in.runtime = runtime_;
    in.facts = &session_.facts;
    in.features = host_features(session_, root.get());
    in.layout = &session_.layout;
    in.host_exists = [&root](const std::string& path) { return host::host_exists(root.get(), path); };
    in.host_place = [&root](const std::string& path) { return host::resolve_host_path(root.get(), path); };
    in.read_entry = [&rootfs](const exports::HostEntry& entry) {
      return exports::read_host_entry(rootfs.get(), entry, host_template_limit);
    };
    in.entry_checksum = [&rootfs](const exports::HostEntry& entry) {
      const base::Fd file(exports::open_host_entry(rootfs.get(), entry));
      return checksum_of(file.get(), "exports/hostfs/" + entry.path);
    };
    in.generate_config = [&](const exports::Values& values, const exports::HostFeatures& features) {
      return exports::generate_config(image_config, rootfs.get(), values, features);
    };
    in.volume_tmpfiles = [&](const exports::Values& values) {
      return exports::volume_tmpfiles(image_config, rootfs.get(), values);
    };
    return make_plan(in);
  }

  Session& session_;
  const InstallRequest& request_;
  ImageOrigin& origin_;
  std::string name_;
  exports::Values set_;
  host::Runtime runtime_;
  base::Fd folder_;
  base::Fd staging_;
  store::StoredImage image_;
};

void apply(Session& session, Installer& installer, const InstallPlan& plan, bool start, const StepHook& hook) {
  installer.write_deployment(plan);
  host::write_journal(session.layout, plan.name, to_json(note_of_plan(plan, session.layout)));
  try {
    run_steps(install_steps(session, plan, installer.workplace(), start), session.reporter, session.stop, hook);
  } catch (...) {
    host::remove_journal(session.layout, plan.name);
    throw;
  }
  host::remove_journal(session.layout, plan.name);
  if (!plan.unit) {
    // noContainerService: only the host files matter (contract, section 3).
    const auto folder = base::open_host_folder(session.layout.deployments());
    base::remove_tree_at(folder.get(), fmt::format("{}.{}/rootfs", plan.name, plan.slot));
  }
}

}  // namespace

InstallOutcome install(Session& session, const InstallRequest& request, const StepHook& hook) {
  check_package_mode(request.system_package);
  parse_set(request.set);  // a usage error comes before anything is fetched
  if (!request.name.empty()) {
    host::check_container_name(request.name);
  }
  ImageOrigin origin(session, {request.image, request.authfile, request.platform});
  InstallOutcome outcome;
  outcome.name = request.name.empty() ? image::default_container_name(origin.name()) : request.name;
  host::check_container_name(outcome.name);
  if (request.start && session.layout.offline()) {
    throw Error(ErrorKind::usage, "--now cannot be used with --root",
                "the unit is enabled and starts at the next boot");
  }

  const DeploymentsFolder deployments(session.layout);
  recover_pending(session);
  const auto lock = host::ContainerLock::take(session.layout, outcome.name, session.command,
                                              std::chrono::seconds(session.config.lock_timeout_seconds),
                                              session.reporter, session.stop);
  if (host::current_slot(session.layout, outcome.name)) {
    outcome.already_present = true;
    return outcome;
  }
  refuse_taken_place(session, deployments.get(), outcome.name);
  refuse_taken_unit(session, outcome.name);
  Installer installer(session, request, origin, outcome.name);
  const base::ScopeExit discard([&installer]() noexcept { installer.discard(); });
  outcome.plan = installer.prepare();
  if (!request.only_plan) {
    apply(session, installer, *outcome.plan, request.start, hook);
  }
  return outcome;
}

}  // namespace berth::ops
