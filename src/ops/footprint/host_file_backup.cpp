// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/host_file_backup.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"

namespace berth::ops {

namespace {

/// Temporary name of a new text.
std::string fresh_name(const std::string& secret, const std::string& path) {
  return host::hidden_name(secret, path) + ".new";
}

/// A file and its directory.
struct Entry {
  base::Fd directory;
  std::string leaf;
};

/// nullopt when the directory does not exist.
std::optional<Entry> find_entry(const Context& context, const std::string& path) {
  const auto root = open_root(context);
  auto [parent, leaf] = base::split_path(path);
  auto directory = host::find_trusted_directory(root.get(), parent);
  return directory ? std::optional(Entry{std::move(*directory), std::move(leaf)}) : std::nullopt;
}

/// Does nothing when `from` does not exist.
void rename_to_free_name(int directory, const std::string& from, const std::string& to) {
  if (::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) == 0) {
    return;
  }
  const int code = errno;
  if (code != ENOENT && (code != EROFS || base::stat_at(directory, from))) {
    base::throw_errno(fmt::format("rename {} to {}", base::full_path(directory, from), to), code);
  }
}

bool same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Backs the file at `leaf` up by a second hard link, so that the file exists at every moment.
void link_backup(int directory, const std::string& leaf, const std::string& backup) {
  base::unlink_at(directory, backup);  // of no unfinished change: that would have been reverted before this one
  if (::linkat(directory, leaf.c_str(), directory, backup.c_str(), 0) != 0 && errno != ENOENT) {
    base::throw_errno("back up " + base::full_path(directory, leaf));
  }
}

/// Keeps a text that was changed during the change, before the earlier text is restored.
void keep_edit(const Context& context, int directory, const std::string& leaf, const std::string& path) {
  const auto kept = leaf + ".changed";
  base::unlink_at(directory, kept);
  base::check_errno(::linkat(directory, leaf.c_str(), directory, kept.c_str(), 0), "keep " + path);
  context.reporter.warning(
      fmt::format("{0} was changed during the operation; the changed file is kept as {0}.changed", path));
}

}  // namespace

void back_up(const Context& context, const std::string& secret, const std::string& path) {
  if (const auto entry = find_entry(context, path)) {
    rename_to_free_name(entry->directory.get(), entry->leaf, host::hidden_name(secret, path));
    base::sync_at(entry->directory.get(), ".");
  }
}

void put_back(const Context& context, const std::string& secret, const std::string& path) {
  if (const auto entry = find_entry(context, path)) {
    rename_to_free_name(entry->directory.get(), host::hidden_name(secret, path), entry->leaf);
    base::sync_at(entry->directory.get(), ".");
  }
}

bool is_backed_up(const Context& context, const std::string& secret, const std::string& path) {
  const auto entry = find_entry(context, path);
  return entry && base::stat_at(entry->directory.get(), host::hidden_name(secret, path));
}

void save_backup(const Context& context, const std::string& secret, const std::string& path, const std::string& saved) {
  if (const auto entry = find_entry(context, path)) {
    rename_to_free_name(entry->directory.get(), host::hidden_name(secret, path), base::split_path(saved).second);
    base::sync_at(entry->directory.get(), ".");
  }
}

void find_lost_backup(const Context& context, const std::string& path, const std::vector<std::string>& checksums,
                      const std::function<bool(const std::string& name)>& is_of_another) {
  constexpr std::string_view prefix = ".berth-";
  const auto entry = find_entry(context, path);
  if (!entry) {
    return;
  }
  const auto root = open_root(context);
  const auto parent = base::split_path(path).first;
  const auto wanted = host::hidden_name("", path);
  for (const auto& name : base::list_directory(entry->directory.get())) {
    if (name == wanted || !name.starts_with(prefix) || name.starts_with(base::temporary_prefix)) {
      continue;
    }
    const auto content = host::host_checksum(root.get(), fmt::format("{}/{}", parent, name));
    const bool fits = content && std::find(checksums.begin(), checksums.end(), *content) != checksums.end();
    if (fits && !is_of_another(name)) {
      rename_to_free_name(entry->directory.get(), name, wanted);
      return;
    }
  }
}

void drop_backup(const Context& context, const std::string& secret, const std::string& path,
                 const std::string& checksum) {
  const auto entry = find_entry(context, path);
  if (!entry) {
    return;
  }
  const int directory = entry->directory.get();
  const auto name = host::hidden_name(secret, path);
  if (!checksum.empty()) {
    const auto found = host::checksum_in(directory, name);
    if (found && found != checksum) {
      context.reporter.warning(
          fmt::format("{} was changed while it was being removed; the changed file is kept as {}/{}", path,
                      base::split_path(path).first, name));
      return;
    }
  }
  if (base::unlink_at(directory, name)) {
    base::sync_at(directory, ".");
  }
}

void put_text(const Context& context, const std::string& secret, const std::string& path, const std::string& text,
              bool replaces) {
  const auto root = open_root(context);
  const auto [parent, leaf] = base::split_path(path);
  std::vector<std::string> created;
  const auto opened = host::make_directory_in_root(root.get(), parent, created);
  const int directory = opened.get();
  const auto fresh = fresh_name(secret, path);
  base::unlink_at(directory, fresh);
  base::in_context([&] { return "writing " + path; }, [&] { base::create_file_at(directory, fresh, text, 0644); });
  if (replaces) {
    link_backup(directory, leaf, host::hidden_name(secret, path));
  }
  const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
  base::check_errno(::renameat2(directory, fresh.c_str(), directory, leaf.c_str(), flags), "create " + path);
  base::sync_at(directory, ".");
}

void take_text_back(const Context& context, const std::string& secret, const std::string& path, bool replaced,
                    const std::string& checksum) {
  const auto entry = find_entry(context, path);
  if (!entry) {
    return;
  }
  const int directory = entry->directory.get();
  base::unlink_at(directory, fresh_name(secret, path));
  if (!replaced) {
    remove_own(context, secret, path, checksum);
    return;
  }
  const auto backup = host::hidden_name(secret, path);
  const auto backed_up = base::stat_at(directory, backup);
  const auto present = base::stat_at(directory, entry->leaf);
  if (backed_up && present && same_file(*backed_up, *present)) {
    base::unlink_at(directory, backup);  // rename(2) does nothing between two names of one file
  } else if (backed_up) {
    if (present && host::checksum_in(directory, entry->leaf) != checksum) {
      keep_edit(context, directory, entry->leaf, path);
    }
    base::check_errno(::renameat(directory, backup.c_str(), directory, entry->leaf.c_str()), "restore " + path);
  }
  base::sync_at(directory, ".");
}

bool remove_own(const Context& context, const std::string& secret, const std::string& path,
                const std::string& checksum) {
  const auto root = open_root(context);
  const auto outcome = host::remove_host_file(root.get(), path, checksum, secret);
  if (outcome == host::RemoveOutcome::modified && !checksum.empty()) {
    context.reporter.warning(fmt::format("{} was changed during the operation and is kept", path));
  }
  return outcome != host::RemoveOutcome::modified;
}

}  // namespace berth::ops
