// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/adopted_places.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/root_directory.hpp"
#include "host/state/deployment.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr mode_t record_mode = 0600;

base::Fd open_in_root(const Context& context, const std::string& path) {
  const auto root = open_root(context);
  auto directory = host::find_trusted_directory(root.get(), path);
  if (!directory) {
    throw Error(ErrorKind::not_found, fmt::format("the directory {} does not exist", path),
                "name the directory of atomic with --from");
  }
  return std::move(*directory);
}

struct stat status_of(int directory, const std::string& path) {
  struct stat status {};
  base::check_errno(::fstat(directory, &status), "examine " + path);
  return status;
}

std::string remedy(const std::string& from) {
  return fmt::format("have berth work there instead: [paths] deployments = \"{}\" in /etc/berth/berth.conf", from);
}

}  // namespace

AdoptedPlaces::AdoptedPlaces(const Context& context, const std::string& from)
    : from_(from),
      to_(context.layout.deployments_in_root()),
      from_directory_(open_in_root(context, from)),
      to_directory_(open_deployments(context)) {}

bool AdoptedPlaces::same() const {
  const auto here = status_of(from_directory_.get(), from_);
  const auto there = status_of(to_directory_.get(), to_);
  return here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

void AdoptedPlaces::refuse_other_file_system() const {
  if (status_of(from_directory_.get(), from_).st_dev != status_of(to_directory_.get(), to_).st_dev) {
    throw Error(ErrorKind::failed,
                fmt::format("{} is on another file system than {}: files of running services cannot be moved "
                            "between them",
                            from_, to_),
                remedy(from_));
  }
}

/// Whether the entry in the directory of `atomic` is a link that an adoption left.
bool AdoptedPlaces::leads_to_berth(const std::string& entry) const {
  return base::read_link_at(from_directory_.get(), entry) == fmt::format("{}/{}", to_, entry);
}

std::vector<std::string> AdoptedPlaces::waiting() const {
  auto names = base::list_directory(from_directory_.get());
  std::erase_if(names, [this](const std::string& name) {
    return !host::is_container_name(name) || !base::read_link_at(from_directory_.get(), name) || leads_to_berth(name);
  });
  return names;
}

std::vector<std::string> AdoptedPlaces::adopted() const {
  auto names = base::list_directory(from_directory_.get());
  std::erase_if(names, [this](const std::string& name) {
    // The deployments are links of the same kind.
    const auto target = base::read_link_at(to_directory_.get(), name);
    return !host::is_container_name(name) || !leads_to_berth(name) || !target || !target->starts_with(name + ".");
  });
  return names;
}

std::vector<std::string> AdoptedPlaces::slots(int place, const std::string& name) const {
  std::vector<std::string> result;
  for (const int slot : {0, 1}) {
    if (auto directory = host::slot_name(name, slot); base::is_directory_at(place, directory)) {
      result.push_back(std::move(directory));
    }
  }
  return result;
}

/// The directory `name` moves from `here` to `there` and a link to `target` takes its place, at once.
void AdoptedPlaces::exchange(int here, int there, const std::string& name, const std::string& target) {
  if (base::is_directory_at(here, name)) {
    base::replace_link_at(there, name, target);
    if (::renameat2(here, name.c_str(), there, name.c_str(), RENAME_EXCHANGE) != 0) {
      const int code = errno;
      base::unlink_at(there, name);
      base::throw_errno(fmt::format("exchange {} and its link", name), code);
    }
    base::sync_at(there, ".");
    base::sync_at(here, ".");
  } else if (!base::is_directory_at(there, name) && base::read_link_at(there, name) == target) {
    base::unlink_at(there, name);  // interrupted before the exchange, and the directory was removed since
  }
}

void AdoptedPlaces::take(const std::string& name) const {
  const auto target = base::read_link_at(from_directory_.get(), name);
  for (const int slot : {0, 1}) {
    const auto directory = host::slot_name(name, slot);
    exchange(from_directory_.get(), to_directory_.get(), directory, fmt::format("{}/{}", to_, directory));
  }
  if (target && !leads_to_berth(name)) {
    base::replace_link_at(to_directory_.get(), name, base::split_path(*target).second);
    base::sync_at(to_directory_.get(), ".");
    base::replace_link_at(from_directory_.get(), name, fmt::format("{}/{}", to_, name));
    base::sync_at(from_directory_.get(), ".");
  }
}

void AdoptedPlaces::give_back(const std::string& name) const {
  if (const auto target = base::read_link_at(to_directory_.get(), name); target && leads_to_berth(name)) {
    base::replace_link_at(from_directory_.get(), name, fmt::format("{}/{}", from_, base::split_path(*target).second));
    base::sync_at(from_directory_.get(), ".");
  }
  base::unlink_at(to_directory_.get(), name);
  for (const int slot : {0, 1}) {
    const auto directory = host::slot_name(name, slot);
    if (leads_to_berth(directory)) {
      exchange(to_directory_.get(), from_directory_.get(), directory, fmt::format("{}/{}", to_, directory));
    }
    if (base::read_link_at(to_directory_.get(), directory)) {
      base::unlink_at(to_directory_.get(), directory);  // the link that stood in the other directory
    }
  }
  base::sync_at(to_directory_.get(), ".");
}

void AdoptedPlaces::remove_links(const std::string& name) const {
  for (const auto& entry : {name, host::slot_name(name, 0), host::slot_name(name, 1)}) {
    if (leads_to_berth(entry)) {
      base::unlink_at(from_directory_.get(), entry);
    }
  }
}

std::vector<Adoption> read_adoptions(const Context& context) {
  std::vector<Adoption> result;
  const auto path = fmt::format("{}/{}", context.layout.deployments(), adoptions_record);
  if (const auto text = base::read_file_at(AT_FDCWD, path, base::json_size_limit)) {
    const auto json = base::parse_json(*text, path);
    for (const auto& entry : base::JsonView(json, path).as_array()) {
      result.push_back({entry.at("from").as_string(), entry.at("repository").as_bool()});
    }
  }
  return result;
}

void write_adoptions(const Context& context, const std::vector<Adoption>& adoptions) {
  const auto directory = open_deployments(context);
  if (adoptions.empty()) {
    base::unlink_at(directory.get(), adoptions_record);
    return;
  }
  auto list = base::Json::array();
  for (const auto& adoption : adoptions) {
    list.push_back({{"from", adoption.from}, {"repository", adoption.repository}});
  }
  base::replace_file_at(directory.get(), adoptions_record, list.dump(2) + "\n", record_mode);
}

}  // namespace berth::ops
