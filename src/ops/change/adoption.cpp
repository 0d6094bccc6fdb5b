#include "ops/change/adoption.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/private_deployment.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* operation_name = "adopt";
constexpr const char* lock_name = ".adoption";  // no container is called so

/// Whether berth made a deployment: the older tool finds nothing at the paths that it names.
bool is_ours(const Session& session, const AdoptedPlaces& places, const std::string& folder) {
  const auto path = fmt::format("{}/{}/info", session.layout.deployments(), folder);
  const auto text = base::read_file_at(AT_FDCWD, path, base::json_size_limit);
  const auto info = text ? host::parse_info(*text, path) : host::DeploymentInfo{};
  const auto found = info.values.find("DESTDIR");
  return found != info.values.end() && found->second.starts_with(places.to() + "/");
}

bool is_folder(const std::string& path) {
  const auto status = base::stat_at(AT_FDCWD, path);
  return status && S_ISDIR(status->st_mode);
}

std::string older_repository(const host::Layout& layout, const std::string& from) {
  return (layout.root() == "/" ? "" : layout.root()) + from + "/.storage/ostree";
}

void remove_temporaries(const std::string& path) {
  if (!is_folder(path)) {
    return;
  }
  const auto folder = base::open_folder_at(AT_FDCWD, path);
  for (const auto& entry : base::list_folder(folder.get())) {
    if (entry.starts_with(base::temporary_prefix)) {
      base::remove_tree_at(folder.get(), entry);
    }
  }
}

/// @return whether anything of the adoption is left to be recorded
bool tidy_adoption(const Session& session, const Adoption& adoption) {
  const auto theirs = older_repository(session.layout, adoption.from);
  const auto storage = base::split_path(theirs).first;
  const auto older = base::split_path(storage).first;
  const auto ours = session.layout.repository();
  remove_temporaries(older);
  remove_temporaries(storage);
  if (!adoption.repository) {
    return true;
  }
  if (is_repository(ours)) {
    if (is_folder(storage) && !base::stat_at(AT_FDCWD, theirs)) {
      base::replace_link_at(AT_FDCWD, theirs, path_inside(session, ours));  // the move was killed before it
    }
    return true;
  }
  return !is_folder(theirs) || !AdoptedPlaces(session, adoption.from).adopted().empty();
}

}  // namespace

base::Json to_json(const AdoptNote& note) {
  return {{"operation", operation_name}, {"name", note.name}, {"from", note.from}, {"undo", note.undo}};
}

std::optional<AdoptNote> adopt_note(const base::Json& json) {
  const base::JsonView view(json, "journal note");
  if (view.at("operation").as_string() != operation_name) {
    return std::nullopt;
  }
  return AdoptNote{view.at("name").as_string(), view.at("from").as_string(), view.at("undo").as_bool()};
}

host::ContainerLock lock_adoptions(const Session& session, std::chrono::seconds timeout) {
  return host::ContainerLock::take(session.layout, lock_name, session.command, timeout, session.reporter, session.stop);
}

bool is_repository(const std::string& path) {
  return base::stat_at(AT_FDCWD, path + "/objects").has_value();
}

std::string path_inside(const Session& session, const std::string& path) {
  return session.layout.root() == "/" ? path : path.substr(session.layout.root().size());
}

std::vector<std::string> own_slots(const Session& session, const AdoptedPlaces& places, const std::string& name) {
  auto folders = places.slots(places.to_folder(), name);
  std::erase_if(folders, [&](const std::string& folder) { return !is_ours(session, places, folder); });
  return folders;
}

void drop_own_slots(const Session& session, const AdoptedPlaces& places, const std::string& name) {
  for (const auto& folder : own_slots(session, places, name)) {
    base::unlink_at(places.from_folder(), folder);
    base::remove_tree_at(places.to_folder(), folder);
  }
}

void close_slots(const Session& session, const AdoptedPlaces& places, const std::string& name) {
  for (const auto& folder : places.slots(places.to_folder(), name)) {
    close_deployment(session, places.to_folder(), folder);
  }
}

void complete_adoption(Session& session, const AdoptNote& note) {
  const auto lock = lock_adoptions(session, std::chrono::seconds(0));
  const AdoptedPlaces places(session, note.from);
  if (note.undo) {
    drop_own_slots(session, places, note.name);
    places.give_back(note.name);
  } else {
    places.take(note.name);
    close_slots(session, places, note.name);
  }
  host::remove_journal(session.layout, note.name);
}

void tidy_adoptions(Session& session) {
  const auto folder = base::open_host_folder(session.layout.deployments());
  const auto names = base::list_folder(folder.get());
  const bool untidy = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name.starts_with(base::temporary_prefix) || name == adoptions_record;
  });
  if (!untidy) {
    return;
  }
  try {
    const auto lock = lock_adoptions(session, std::chrono::seconds(0));
    remove_temporaries(session.layout.deployments());
    auto adoptions = read_adoptions(session);
    const auto before = adoptions.size();
    std::erase_if(adoptions, [&](const Adoption& adoption) { return !tidy_adoption(session, adoption); });
    if (adoptions.size() != before) {
      write_adoptions(session, adoptions);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::conflict) {  // another command is at it
      session.reporter.warning(error.what());
    }
  }
}

void remove_adopted_links(const Session& session, const std::string& name) {
  for (const auto& adoption : read_adoptions(session)) {
    const auto root = open_root(session);
    if (base::stat_at(root.get(), adoption.from.substr(1))) {
      AdoptedPlaces(session, adoption.from).remove_links(name);
    }
  }
}

}  // namespace berth::ops
