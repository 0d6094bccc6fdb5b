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
  base::Fd directory;
  std::string leaf;
};

/// nullopt when the directory does not exist.
std::optional<Place> find_place(const Context& context, const std::string& path) {
  const auto root = open_root(context);
  auto [parent, leaf] = base::split_path(path);
  auto directory = host::find_trusted_directory(root.get(), parent);
  return directory ? std::optional(Place{std::move(*directory), std::move(leaf)}) : std::nullopt;
}

/// nothing happens when `from` does not exist.
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

/// A second name for the file at `leaf`, which thus is never absent.
void backed_up_link(int directory, const std::string& leaf, const std::string& aside) {
  base::unlink_at(directory, aside);  // nothing waits: an unfinished change would have been taken back before this one
  if (::linkat(directory, leaf.c_str(), directory, aside.c_str(), 0) != 0 && errno != ENOENT) {
    base::throw_errno("put aside " + base::full_path(directory, leaf));
  }
}

/// What somebody wrote over our text must not be lost when the earlier text comes back.
void keep_edit(const Context& context, int directory, const std::string& leaf, const std::string& path) {
  const auto kept = leaf + ".changed";
  base::unlink_at(directory, kept);
  base::check_errno(::linkat(directory, leaf.c_str(), directory, kept.c_str(), 0), "keep " + path);
  context.reporter.warning(
      fmt::format("{0} was changed by somebody else meanwhile; that text is kept as {0}.changed", path));
}

}  // namespace

void back_up(const Context& context, const std::string& secret, const std::string& path) {
  if (const auto place = find_place(context, path)) {
    rename_to_free_name(place->directory.get(), place->leaf, host::hidden_name(secret, path));
    base::sync_at(place->directory.get(), ".");
  }
}

void put_back(const Context& context, const std::string& secret, const std::string& path) {
  if (const auto place = find_place(context, path)) {
    rename_to_free_name(place->directory.get(), host::hidden_name(secret, path), place->leaf);
    base::sync_at(place->directory.get(), ".");
  }
}

bool is_backed_up(const Context& context, const std::string& secret, const std::string& path) {
  const auto place = find_place(context, path);
  return place && base::stat_at(place->directory.get(), host::hidden_name(secret, path));
}

void save_backup(const Context& context, const std::string& secret, const std::string& path, const std::string& saved) {
  if (const auto place = find_place(context, path)) {
    rename_to_free_name(place->directory.get(), host::hidden_name(secret, path), base::split_path(saved).second);
    base::sync_at(place->directory.get(), ".");
  }
}

void find_waiting(const Context& context, const std::string& path, const std::vector<std::string>& checksums,
                  const std::function<bool(const std::string& name)>& is_of_another) {
  constexpr std::string_view prefix = ".berth-";
  const auto place = find_place(context, path);
  if (!place) {
    return;
  }
  const auto root = open_root(context);
  const auto parent = base::split_path(path).first;
  const auto wanted = host::hidden_name("", path);
  for (const auto& name : base::list_directory(place->directory.get())) {
    if (name == wanted || !name.starts_with(prefix) || name.starts_with(base::temporary_prefix)) {
      continue;
    }
    const auto content = host::host_checksum(root.get(), fmt::format("{}/{}", parent, name));
    const bool fits = content && std::find(checksums.begin(), checksums.end(), *content) != checksums.end();
    if (fits && !is_of_another(name)) {
      rename_to_free_name(place->directory.get(), name, wanted);
      return;
    }
  }
}

void drop_backup(const Context& context, const std::string& secret, const std::string& path,
                 const std::string& checksum) {
  const auto place = find_place(context, path);
  if (!place) {
    return;
  }
  const int directory = place->directory.get();
  const auto name = host::hidden_name(secret, path);
  if (!checksum.empty()) {
    const auto found = host::checksum_in(directory, name);
    if (found && found != checksum) {
      context.reporter.warning(fmt::format("{} was changed while it was being removed; what it became is kept as {}/{}",
                                           path, base::split_path(path).first, name));
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
  const auto place = host::make_directory_in_root(root.get(), parent, created);
  const int directory = place.get();
  const auto fresh = fresh_name(secret, path);
  base::unlink_at(directory, fresh);
  base::in_context([&] { return "writing " + path; }, [&] { base::create_file_at(directory, fresh, text, 0644); });
  if (replaces) {
    backed_up_link(directory, leaf, host::hidden_name(secret, path));
  }
  const unsigned flags = replaces ? 0 : RENAME_NOREPLACE;
  base::check_errno(::renameat2(directory, fresh.c_str(), directory, leaf.c_str(), flags), "create " + path);
  base::sync_at(directory, ".");
}

void take_text_back(const Context& context, const std::string& secret, const std::string& path, bool replaced,
                    const std::string& checksum) {
  const auto place = find_place(context, path);
  if (!place) {
    return;
  }
  const int directory = place->directory.get();
  base::unlink_at(directory, fresh_name(secret, path));
  if (!replaced) {
    remove_own(context, secret, path, checksum);
    return;
  }
  const auto aside = host::hidden_name(secret, path);
  const auto waiting = base::stat_at(directory, aside);
  const auto present = base::stat_at(directory, place->leaf);
  if (waiting && present && same_file(*waiting, *present)) {
    base::unlink_at(directory, aside);  // rename(2) does nothing between two names of one file
  } else if (waiting) {
    if (present && host::checksum_in(directory, place->leaf) != checksum) {
      keep_edit(context, directory, place->leaf, path);
    }
    base::check_errno(::renameat(directory, aside.c_str(), directory, place->leaf.c_str()), "put back " + path);
  }
  base::sync_at(directory, ".");
}

bool remove_own(const Context& context, const std::string& secret, const std::string& path,
                const std::string& checksum) {
  const auto root = open_root(context);
  const auto outcome = host::remove_host_file(root.get(), path, checksum, secret);
  if (outcome == host::RemoveOutcome::modified && !checksum.empty()) {
    context.reporter.warning(fmt::format("{} was changed by somebody else meanwhile and stays", path));
  }
  return outcome != host::RemoveOutcome::modified;
}

}  // namespace berth::ops
