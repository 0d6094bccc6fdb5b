#include "ops/footprint/host_file_backup.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"

namespace berth::ops {

namespace {

/// Where a text is written before it gets its name.
std::string fresh_name(const std::string& secret, const std::string& path) {
  return host::hidden_name(secret, path) + ".new";
}

struct Place {
  base::Fd folder;
  std::string leaf;
};

/// nullopt when the folder does not exist.
std::optional<Place> find_place(const Session& session, const std::string& path) {
  const auto root = open_root(session);
  auto [parent, leaf] = base::split_path(path);
  auto folder = host::find_trusted_folder(root.get(), parent);
  return folder ? std::optional(Place{std::move(*folder), std::move(leaf)}) : std::nullopt;
}

/// nothing happens when `from` does not exist.
void rename_to_free_name(int folder, const std::string& from, const std::string& to) {
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) {
    return;
  }
  const int code = errno;
  if (code != ENOENT && (code != EROFS || base::stat_at(folder, from))) {
    base::throw_errno(fmt::format("rename {} to {}", base::full_path(folder, from), to), code);
  }
}

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// A second name for the file at `leaf`, which thus is never absent.
void link_aside(int folder, const std::string& leaf, const std::string& aside) {
  base::unlink_at(folder, aside);  // nothing waits: an unfinished change would have been taken back before this one
  if (::linkat(folder, leaf.c_str(), folder, aside.c_str(), 0) != 0 && errno != ENOENT) {
    base::throw_errno("put aside " + base::full_path(folder, leaf));
  }
}

/// What somebody wrote over our text must not be lost when the earlier text comes back.
void keep_edit(const Session& session, int folder, const std::string& leaf, const std::string& path) {
  const auto kept = leaf + ".changed";
  base::unlink_at(folder, kept);
  base::check_errno(::linkat(folder, leaf.c_str(), folder, kept.c_str(), 0), "keep " + path);
  session.reporter.warning(
      fmt::format("{0} was changed by somebody else meanwhile; that text is kept as {0}.changed", path));
}

}  // namespace

void put_aside(const Session& session, const std::string& secret, const std::string& path) {
  if (const auto place = find_place(session, path)) {
    rename_to_free_name(place->folder.get(), place->leaf, host::hidden_name(secret, path));
    base::sync_at(place->folder.get(), ".");
  }
}

void put_back(const Session& session, const std::string& secret, const std::string& path) {
  if (const auto place = find_place(session, path)) {
    rename_to_free_name(place->folder.get(), host::hidden_name(secret, path), place->leaf);
    base::sync_at(place->folder.get(), ".");
  }
}

bool waits_aside(const Session& session, const std::string& secret, const std::string& path) {
  const auto place = find_place(session, path);
  return place && base::stat_at(place->folder.get(), host::hidden_name(secret, path));
}

void save_aside(const Session& session, const std::string& secret, const std::string& path, const std::string& saved) {
  if (const auto place = find_place(session, path)) {
    rename_to_free_name(place->folder.get(), host::hidden_name(secret, path), base::split_path(saved).second);
    base::sync_at(place->folder.get(), ".");
  }
}

void find_waiting(const Session& session, const std::string& path, const std::vector<std::string>& checksums,
                  const std::function<bool(const std::string& name)>& is_of_another) {
  constexpr std::string_view prefix = ".berth-";
  const auto place = find_place(session, path);
  if (!place) {
    return;
  }
  const auto root = open_root(session);
  const auto parent = base::split_path(path).first;
  const auto wanted = host::hidden_name("", path);
  for (const auto& name : base::list_folder(place->folder.get())) {
    if (name == wanted || !name.starts_with(prefix) || name.starts_with(base::temporary_prefix)) {
      continue;
    }
    const auto content = host::host_checksum(root.get(), fmt::format("{}/{}", parent, name));
    const bool fits = content && std::find(checksums.begin(), checksums.end(), *content) != checksums.end();
    if (fits && !is_of_another(name)) {
      rename_to_free_name(place->folder.get(), name, wanted);
      return;
    }
  }
}

void drop_aside(const Session& session, const std::string& secret, const std::string& path,
                const std::string& checksum) {
  const auto place = find_place(session, path);
  if (!place) {
    return;
  }
  const int folder = place->folder.get();
  const auto name = host::hidden_name(secret, path);
  if (!checksum.empty()) {
    const auto found = host::checksum_in(folder, name);
    if (found && found != checksum) {
      session.reporter.warning(fmt::format("{} was changed while it was being removed; what it became is kept as {}/{}",
                                           path, base::split_path(path).first, name));
      return;
    }
  }
  if (base::unlink_at(folder, name)) {
    base::sync_at(folder, ".");
  }
}

void put_text(const Session& session, const std::string& secret, const std::string& path, const std::string& text,
              bool replaces) {
  const auto root = open_root(session);
  const auto [parent, leaf] = base::split_path(path);
  std::vector<std::string> created;
  const auto place = host::make_folder_in_root(root.get(), parent, created);
  const int folder = place.get();
  const auto fresh = fresh_name(secret, path);
  base::unlink_at(folder, fresh);
  base::in_context([&] { return "writing " + path; }, [&] { base::create_file_at(folder, fresh, text, 0644); });
  if (replaces) {
    link_aside(folder, leaf, host::hidden_name(secret, path));
  }
  const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
  base::check_errno(::renameat2(folder, fresh.c_str(), folder, leaf.c_str(), flags), "create " + path);
  base::sync_at(folder, ".");
}

void take_text_back(const Session& session, const std::string& secret, const std::string& path, bool replaced,
                    const std::string& checksum) {
  const auto place = find_place(session, path);
  if (!place) {
    return;
  }
  const int folder = place->folder.get();
  base::unlink_at(folder, fresh_name(secret, path));
  if (!replaced) {
    remove_own(session, secret, path, checksum);
    return;
  }
  const auto aside = host::hidden_name(secret, path);
  const auto waiting = base::stat_at(folder, aside);
  const auto present = base::stat_at(folder, place->leaf);
  if (waiting && present && same_file(*waiting, *present)) {
    base::unlink_at(folder, aside);  // rename(2) does nothing between two names of one file
  } else if (waiting) {
    if (present && host::checksum_in(folder, place->leaf) != checksum) {
      keep_edit(session, folder, place->leaf, path);
    }
    base::check_errno(::renameat(folder, aside.c_str(), folder, place->leaf.c_str()), "put back " + path);
  }
  base::sync_at(folder, ".");
}

bool remove_own(const Session& session, const std::string& secret, const std::string& path,
                const std::string& checksum) {
  const auto root = open_root(session);
  const auto outcome = host::remove_host_file(root.get(), path, checksum, secret);
  if (outcome == host::RemoveOutcome::modified && !checksum.empty()) {
    session.reporter.warning(fmt::format("{} was changed by somebody else meanwhile and stays", path));
  }
  return outcome != host::RemoveOutcome::modified;
}

}  // namespace berth::ops
