#include "ops/aside.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <optional>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "host/host_file.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// Of fixed length, so that it always fits.
std::string aside_name(const std::string& path) {
  return ".berth-" + base::digest_of(path).short_hex();
}

/// Where a text is written before it gets its name.
std::string fresh_name(const std::string& path) {
  return aside_name(path) + ".new";
}

struct Place {
  base::Fd folder;
  std::string leaf;
};

/// nullopt when the folder does not exist.
std::optional<Place> find_place(const Session& session, const std::string& path) {
  const auto root = base::open_host_folder(session.layout.root());
  auto [parent, leaf] = base::split_path(path);
  try {
    return Place{base::open_in_root(root.get(), parent, O_RDONLY | O_DIRECTORY), std::move(leaf)};
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) {
      return std::nullopt;
    }
    throw;
  }
}

/// nothing happens when `from` does not exist.
void rename_to_free_name(int folder, const std::string& from, const std::string& to) {
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) != 0 && errno != ENOENT) {
    base::throw_errno(fmt::format("rename {} to {}", base::full_path(folder, from), to));
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

}  // namespace

void put_aside(const Session& session, const std::string& path) {
  if (const auto place = find_place(session, path)) {
    rename_to_free_name(place->folder.get(), place->leaf, aside_name(path));
    base::sync_at(place->folder.get(), ".");
  }
}

void put_back(const Session& session, const std::string& path) {
  if (const auto place = find_place(session, path)) {
    rename_to_free_name(place->folder.get(), aside_name(path), place->leaf);
    base::sync_at(place->folder.get(), ".");
  }
}

bool waits_aside(const Session& session, const std::string& path) {
  const auto place = find_place(session, path);
  return place && base::stat_at(place->folder.get(), aside_name(path));
}

void drop_aside(const Session& session, const std::string& path) {
  const auto place = find_place(session, path);
  if (place && base::unlink_at(place->folder.get(), aside_name(path))) {
    base::sync_at(place->folder.get(), ".");
  }
}

void save_aside(const Session& session, const std::string& path, const std::string& saved) {
  if (const auto place = find_place(session, path)) {
    rename_to_free_name(place->folder.get(), aside_name(path), base::split_path(saved).second);
    base::sync_at(place->folder.get(), ".");
  }
}

void put_text(const Session& session, const std::string& path, const std::string& text, bool replaces) {
  const auto root = base::open_host_folder(session.layout.root());
  base::make_folders_at(root.get(), base::split_path(path).first.substr(1), 0755);
  const auto place = find_place(session, path).value();
  const int folder = place.folder.get();
  const auto fresh = fresh_name(path);
  base::unlink_at(folder, fresh);
  base::create_file_at(folder, fresh, text, 0644);
  if (replaces) {
    link_aside(folder, place.leaf, aside_name(path));
  }
  const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
  base::check_errno(::renameat2(folder, fresh.c_str(), folder, place.leaf.c_str(), flags), "create " + path);
  base::sync_at(folder, ".");
}

void take_text_back(const Session& session, const std::string& path, bool replaced, const std::string& checksum) {
  const auto place = find_place(session, path);
  if (!place) {
    return;
  }
  const int folder = place->folder.get();
  base::unlink_at(folder, fresh_name(path));
  if (!replaced) {
    remove_own(session, path, checksum);
    return;
  }
  const auto waiting = base::stat_at(folder, aside_name(path));
  const auto present = base::stat_at(folder, place->leaf);
  if (waiting && present && same_file(*waiting, *present)) {
    base::unlink_at(folder, aside_name(path));  // rename(2) does nothing between two names of one file
  } else if (waiting) {
    base::check_errno(::renameat(folder, aside_name(path).c_str(), folder, place->leaf.c_str()), "put back " + path);
  }
  base::sync_at(folder, ".");
}

void remove_own(const Session& session, const std::string& path, const std::string& checksum) {
  const auto root = base::open_host_folder(session.layout.root());
  const auto outcome = host::remove_host_file(root.get(), path, checksum);
  if (outcome == host::RemoveOutcome::modified && !checksum.empty()) {
    session.reporter.warning(fmt::format("{} was changed by somebody else meanwhile and stays", path));
  }
}

}  // namespace berth::ops
