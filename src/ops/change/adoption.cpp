// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/adoption.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/private_deployment.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* operation_name = "adopt";
constexpr const char* lock_name = ".adoption";  // not a valid container name

/// Whether berth created a deployment: its paths lead to the directory of berth.
bool is_ours(const Context& context, const AdoptedPlaces& places, const std::string& directory) {
  const auto path = fmt::format("{}/{}/info", context.layout.deployments(), directory);
  const auto text = base::read_file_at(AT_FDCWD, path, base::json_size_limit);
  const auto info = text ? host::parse_info(*text, path) : host::DeploymentInfo{};
  const auto found = info.values.find("DESTDIR");
  return found != info.values.end() && found->second.starts_with(places.to() + "/");
}

std::string atomic_repository(const host::Layout& layout, const std::string& from) {
  return (layout.root() == "/" ? "" : layout.root()) + from + "/.storage/ostree";
}

void remove_temporaries(const std::string& path) {
  if (!base::is_directory_at(AT_FDCWD, path)) {
    return;
  }
  const auto directory = base::open_directory_at(AT_FDCWD, path);
  for (const auto& entry : base::list_directory(directory.get())) {
    if (entry.starts_with(base::temporary_prefix)) {
      base::remove_tree_at(directory.get(), entry);
    }
  }
}

/// @return whether the entry is still needed
bool tidy_adoption(const Context& context, const Adoption& adoption) {
  const auto theirs = atomic_repository(context.layout, adoption.from);
  const auto storage = base::split_path(theirs).first;
  const auto older = base::split_path(storage).first;
  const auto ours = context.layout.repository();
  remove_temporaries(older);
  remove_temporaries(storage);
  if (!adoption.repository) {
    return true;
  }
  if (is_repository(ours)) {
    if (base::is_directory_at(AT_FDCWD, storage) && !base::stat_at(AT_FDCWD, theirs)) {
      base::replace_link_at(AT_FDCWD, theirs,
                            path_in_root(context, ours));  // the move was killed before it created the link
    }
    return true;
  }
  return !base::is_directory_at(AT_FDCWD, theirs) || !AdoptedPlaces(context, adoption.from).adopted().empty();
}

}  // namespace

base::Json to_json(const AdoptionRecord& record) {
  return {{"operation", operation_name}, {"name", record.name}, {"from", record.from}, {"undo", record.undo}};
}

std::optional<AdoptionRecord> parse_adoption_record(const base::Json& json) {
  const base::JsonView view(json, "journal record");
  if (view.at("operation").as_string() != operation_name) {
    return std::nullopt;
  }
  return AdoptionRecord{view.at("name").as_string(), view.at("from").as_string(), view.at("undo").as_bool()};
}

host::ContainerLock lock_adoptions(const Context& context, std::chrono::seconds timeout) {
  return host::ContainerLock::take(context.layout, lock_name, context.command, timeout, context.reporter, context.stop);
}

bool is_repository(const std::string& path) {
  return base::stat_at(AT_FDCWD, path + "/objects").has_value();
}

std::string path_in_root(const Context& context, const std::string& path) {
  return context.layout.root() == "/" ? path : path.substr(context.layout.root().size());
}

std::vector<std::string> own_slots(const Context& context, const AdoptedPlaces& places, const std::string& name) {
  auto directories = places.slots(places.to_directory(), name);
  std::erase_if(directories, [&](const std::string& directory) { return !is_ours(context, places, directory); });
  return directories;
}

void drop_own_slots(const Context& context, const AdoptedPlaces& places, const std::string& name) {
  for (const auto& directory : own_slots(context, places, name)) {
    base::unlink_at(places.from_directory(), directory);
    base::remove_tree_at(places.to_directory(), directory);
  }
}

void close_slots(const Context& context, const AdoptedPlaces& places, const std::string& name) {
  for (const auto& directory : places.slots(places.to_directory(), name)) {
    close_deployment(context, places.to_directory(), directory);
  }
}

void complete_adoption(Context& context, const AdoptionRecord& record) {
  const auto lock = lock_adoptions(context, std::chrono::seconds(0));
  const AdoptedPlaces places(context, record.from);
  if (record.undo) {
    drop_own_slots(context, places, record.name);
    places.give_back(record.name);
  } else {
    places.take(record.name);
    close_slots(context, places, record.name);
  }
  host::remove_journal(context.layout, record.name);
}

void tidy_adoptions(Context& context) {
  const auto directory = open_deployments(context);
  const auto names = base::list_directory(directory.get());
  const bool untidy = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.starts_with(base::temporary_prefix) || name == adoptions_record;
  });
  if (!untidy) {
    return;
  }
  try {
    const auto lock = lock_adoptions(context, std::chrono::seconds(0));
    remove_temporaries(context.layout.deployments());
    auto adoptions = read_adoptions(context);
    const auto before = adoptions.size();
    std::erase_if(adoptions, [&](const Adoption& adoption) { return !tidy_adoption(context, adoption); });
    if (adoptions.size() != before) {
      write_adoptions(context, adoptions);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict) {  // another command adopts
      context.reporter.warning(error.what());
    }
  }
}

void remove_adopted_links(const Context& context, const std::string& name) {
  for (const auto& adoption : read_adoptions(context)) {
    const auto root = open_root(context);
    if (base::stat_at(root.get(), adoption.from.substr(1))) {
      AdoptedPlaces(context, adoption.from).remove_links(name);
    }
  }
}

}  // namespace berth::ops
