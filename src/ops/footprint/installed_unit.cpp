// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/installed_unit.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "host/systemd/unit_file.hpp"
#include "ops/footprint/host_file_backup.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr int saved_limit = 1000;

/// A copy of a text in a deployment. A damaged copy must not prevent changes or the removal of the container.
struct KeptText {
  std::optional<std::string> text;  ///< nullopt when it does not exist or cannot be read
  std::string damage;               ///< why it cannot be read
};

KeptText kept_text(const host::Deployment& deployment, const std::string& name) {
  try {
    return {base::read_file_at(AT_FDCWD, deployment.path + "/" + name, host::deployment_text_limit), ""};
  } catch (const Error& error) {
    return {std::nullopt, error.what()};
  }
}

/// Reads a file of the host without following a link. @return nullopt when it is not a regular file
std::optional<std::string> regular_file_text(const Context& context, const std::string& path) {
  const auto [parent, leaf] = base::split_path(path);
  const auto directory = host::find_directory_in_root(open_root(context).get(), parent);
  const auto status = directory ? base::stat_at(directory->get(), leaf) : std::nullopt;
  if (!status || !S_ISREG(status->st_mode)) {
    return std::nullopt;
  }
  return base::read_file_at(directory->get(), leaf, host::deployment_text_limit);
}

/// @return the first of PATH.saved, PATH.saved.1, … that does not exist
std::string free_name(const Context& context, const std::string& path) {
  const auto root = open_root(context);
  const auto first = path + saved_suffix;
  for (int number = 0; number < saved_limit; ++number) {
    auto name = number == 0 ? first : fmt::format("{}.{}", first, number);
    if (!host::host_exists(root.get(), name)) {
      return name;
    }
  }
  throw Error(ErrorKind::conflict, fmt::format("{} and {} similar files exist already", first, saved_limit - 1),
              "they are saved copies of edited files; remove those that are not needed");
}

/// Whether `path` is a link of the administrator that is not a mask.
bool is_other_link(const Context& context, const std::string& path) {
  const auto [parent, leaf] = base::split_path(path);
  const auto directory = host::find_directory_in_root(open_root(context).get(), parent);
  const auto target = directory ? base::read_link_at(directory->get(), leaf) : std::nullopt;
  return target && *target != "/dev/null";
}

std::string saved_name(const Context& context, const std::string& path, const KeptText& installed) {
  if (is_other_link(context, path)) {
    return free_name(context, path);
  }
  const bool known = installed.text || !installed.damage.empty();
  const auto now = known ? regular_file_text(context, path) : std::nullopt;
  return now && !now->empty() && now != installed.text ? free_name(context, path) : "";
}

bool is_missing(const Context& context, const std::string& path, const KeptText& kept) {
  return (kept.text || !kept.damage.empty()) && !host::host_exists(open_root(context).get(), path);
}

/// @return whether it was missing
bool restore(Context& context, const std::string& path, const KeptText& kept) {
  if (!is_missing(context, path, kept)) {
    return false;
  }
  if (!kept.text) {
    throw Error(ErrorKind::verification, fmt::format("{} is missing, and its copy is damaged: {}", path, kept.damage),
                "create a new deployment with berth update");
  }
  put_text(context, "", path, *kept.text,
           false);  // needs no journal record: the next attempt overwrites what a kill leaves
  context.reporter.step(fmt::format("{} was missing and has been restored", path));
  return true;
}

void add_files(const Context& context, const std::string& directory_path, std::vector<std::string>& found) {
  if (const auto directory = host::find_directory_in_root(open_root(context).get(), directory_path)) {
    for (const auto& name : base::list_directory(directory->get())) {
      if (name.ends_with(".conf")) {
        found.push_back(fmt::format("{}/{}", directory_path, name));
      }
    }
  }
}

}  // namespace

std::string unit_of(Context& context, const std::string& name) {
  host::check_container_name(name);
  if (!host::installed_deployment(context.layout, name).info.has_container_service) {
    throw Error(ErrorKind::usage, fmt::format("{} has no service: its image only brings files for the host", name));
  }
  return host::unit_name(name);
}

bool is_masked(const Context& context, const std::string& name) {
  return is_mask(context, context.layout.unit_in_root(name));
}

bool is_mask(const Context& context, const std::string& path) {
  const auto [parent, leaf] = base::split_path(path);
  const auto directory = host::find_directory_in_root(open_root(context).get(), parent);
  const auto status = directory ? base::stat_at(directory->get(), leaf) : std::nullopt;
  if (!status) {
    return false;
  }
  return S_ISLNK(status->st_mode) ? base::read_link_at(directory->get(), leaf) == "/dev/null"
                                  : S_ISREG(status->st_mode) && status->st_size == 0;
}

void refuse_masked(const Context& context, const std::string& name) {
  if (is_masked(context, name) && host::current_slot(context.layout, name)) {
    throw Error(
        ErrorKind::failed, fmt::format("{} is masked and cannot be started", host::unit_name(name)),
        fmt::format("to unmask it, remove {} and run: berth update {}; `systemctl unmask` would not restore the unit",
                    context.layout.unit_in_root(name), name));
  }
}

std::optional<std::string> text_on_host(const Context& context, const std::string& path) {
  const auto file = base::find_in_root(open_root(context).get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) {
    return std::nullopt;
  }
  struct stat status {};
  base::check_errno(::fstat(file->get(), &status), "examine " + path);
  return S_ISREG(status.st_mode) ? std::optional(base::read_all(file->get(), host::deployment_text_limit, path))
                                 : std::nullopt;
}

std::string checksum_on_host(const Context& context, const std::string& path) {
  const auto root = open_root(context);
  const auto found = host::host_checksum(root.get(), path);
  if (!found && host::host_exists(root.get(), path)) {
    throw Error(ErrorKind::conflict, path + " is not a regular file",
                "berth did not create it; move it out of the way");
  }
  return found.value_or("");
}

std::optional<std::string> installed_unit_text(const host::Deployment& deployment) {
  return kept_text(deployment, host::unit_name(deployment.name)).text;
}

std::string damage_of_deployment(const std::string& path, const std::string& name, bool has_service) {
  try {
    const auto unit =
        base::read_file_at(AT_FDCWD, fmt::format("{}/{}", path, host::unit_name(name)), host::deployment_text_limit);
    const auto config = base::read_file_at(AT_FDCWD, path + "/config.json", host::deployment_text_limit);
    base::read_file_at(AT_FDCWD, fmt::format("{}/{}", path, host::tmpfiles_copy_name(name)),
                       host::deployment_text_limit);
    if (has_service && unit && unit->empty()) {
      return fmt::format("{}/{} is empty", path, host::unit_name(name));
    }
    if (has_service && !config) {
      return path + "/config.json is missing";
    }
    if (config) {
      base::parse_json(*config, path + "/config.json");
    }
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

SavedTexts saved_texts(const Context& context, const host::Deployment& deployment) {
  const auto& name = deployment.name;
  return {saved_name(context, context.layout.unit_in_root(name), kept_text(deployment, host::unit_name(name))),
          saved_name(context, context.layout.tmpfiles_in_root(name),
                     kept_text(deployment, host::tmpfiles_copy_name(name)))};
}

void drop_or_save(const Context& context, const std::string& secret, const std::string& path, const std::string& saved,
                  const std::string& checksum) {
  if (saved.empty()) {
    drop_backup(context, secret, path, checksum);
  } else {
    save_backup(context, secret, path, saved);
  }
}

bool misses_texts(const Context& context, const host::Deployment& deployment) {
  const auto& name = deployment.name;
  return !deployment.preinstalled && deployment.info.has_container_service &&
         (is_missing(context, context.layout.unit_in_root(name), kept_text(deployment, host::unit_name(name))) ||
          is_missing(context, context.layout.tmpfiles_in_root(name),
                     kept_text(deployment, host::tmpfiles_copy_name(name))));
}

bool restore_missing_texts(Context& context, const host::Deployment& deployment) {
  const auto& name = deployment.name;
  if (!misses_texts(context, deployment)) {
    return false;
  }
  const auto unit = kept_text(deployment, host::unit_name(name));
  const bool unit_missing = restore(context, context.layout.unit_in_root(name), unit);
  const bool lines_missing =
      restore(context, context.layout.tmpfiles_in_root(name), kept_text(deployment, host::tmpfiles_copy_name(name)));
  if (unit_missing) {
    context.systemd.reload();
    const auto unit_file = host::unit_name(name);
    if (!host::linked_units(open_root(context).get(), context.layout.units_in_root()).contains(unit_file)) {
      context.reporter.step(fmt::format("{} is not enabled; to start it at boot, run: {} enable {}", unit_file,
                                        context.layout.command("systemctl"), name));
    }
  }
  return unit_missing || lines_missing;
}

std::vector<std::string> settings_beside(const Context& context, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& directory : context.layout.unit_directories_in_root()) {
    if (directory == "/lib/systemd/system") {
      continue;  // the same directory as /usr/lib/systemd/system
    }
    add_files(context, fmt::format("{}/{}.d", directory, host::unit_name(name)), found);
    add_files(context, fmt::format("{}.control/{}.d", directory, host::unit_name(name)), found);
  }
  return found;
}

}  // namespace berth::ops
