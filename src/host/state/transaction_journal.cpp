// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/transaction_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/scope_exit.hpp"
#include "host/state/deployment.hpp"

namespace berth::host {

namespace {

constexpr mode_t directory_mode = 0700;  // records hold values, which may be secrets
constexpr mode_t record_mode = 0600;
constexpr int write_attempts = 100;
constexpr const char* checksum_key = "checksum";    // sha256 hex of the rest
constexpr std::string_view fresh_prefix = ".new-";  // a record that is being written; a kill leaves it

std::string fresh_name(const std::string& name) {
  return std::string(fresh_prefix) + name;
}

/// @return nullopt when it does not exist. @throws Error(conflict) when the path is not a directory
std::optional<base::Fd> open_directory(const std::string& path) {
  base::Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory && errno == ENOENT) {
    return std::nullopt;
  }
  if (!directory && (errno == ENOTDIR || errno == ELOOP) && base::stat_at(AT_FDCWD, path)) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("{} is in the way of the transaction journal", path),
                      fmt::format("berth did not create it; inspect it and remove it: rm {}", path));
  }
  if (!directory && errno == ENOTDIR) {
    return std::nullopt;
  }
  base::check_errno(directory.get(), "open " + path);
  return directory;
}

/// Removes the directory of the journal if it is empty. It may hold the record of another command.
void remove_if_empty(const std::string& path) {
  if (::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR) == 0) {
    base::sync_at(AT_FDCWD, base::split_path(path).first);
  }
}

/// Exchanges the new record with the earlier one, and back again when the exchange cannot be synced.
void place_record(int directory, const std::string& fresh, const std::string& name) {
  const bool replaces = base::stat_at(directory, name).has_value();
  const unsigned flags = replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  base::check_errno(::renameat2(directory, fresh.c_str(), directory, name.c_str(), flags),
                    "write the journal record " + name);
  base::ScopeExit take_back([&]() noexcept {
    if (replaces) {
      ::renameat2(directory, fresh.c_str(), directory, name.c_str(), RENAME_EXCHANGE);
    } else {
      ::unlinkat(directory, name.c_str(), 0);
    }
    ::fsync(directory);
  });
  base::sync_at(directory, ".");
  take_back.dismiss();
}

void write_record(const Layout& layout, const std::string& name, const std::string& text) {
  if (!open_directory(layout.journals())) {
    make_deployments_directory(layout);
    base::make_directories_at(AT_FDCWD, layout.journals(), directory_mode);
  }
  const base::ScopeExit tidy([&]() noexcept { ::unlinkat(AT_FDCWD, layout.journals().c_str(), AT_REMOVEDIR); });
  const base::Fd directory = base::open_directory_at(AT_FDCWD, layout.journals());
  const auto fresh = fresh_name(name);
  base::unlink_at(directory.get(), fresh);
  base::create_file_at(directory.get(), fresh, text, record_mode);
  const base::ScopeExit discard([&]() noexcept { ::unlinkat(directory.get(), fresh.c_str(), 0); });
  place_record(directory.get(), fresh, name);
}

/// The checksum, which does not depend on the order of keys and on white space.
std::string checksum_of(const base::Json& record) {
  return base::digest_of(nlohmann::json(record).dump()).hex();
}

}  // namespace

void write_journal(const Layout& layout, const std::string& name, const base::Json& record) {
  auto document = record;
  document[checksum_key] = checksum_of(record);
  const std::string text = document.dump(2) + "\n";
  for (int attempt = 1;; ++attempt) {
    try {
      return write_record(layout, name, text);
    } catch (const base::Error& error) {
      // Another command may have removed the directory while it was empty.
      if (error.kind() != base::ErrorKind::not_found || attempt == write_attempts) {
        throw;
      }
    }
  }
}

std::optional<base::Json> read_journal(const Layout& layout, const std::string& name) {
  const auto directory = open_directory(layout.journals());
  if (!directory) {
    return std::nullopt;
  }
  const auto path = layout.journals() + "/" + name;
  const auto status = base::stat_at(directory->get(), name);
  if (status && !S_ISREG(status->st_mode)) {
    throw base::Error(base::ErrorKind::verification, path + " is not a regular file");
  }
  const auto text = base::read_file_at(directory->get(), name, base::json_size_limit);
  if (!text) {
    return std::nullopt;
  }
  auto record = base::parse_json(*text, path);
  const base::JsonView view(record, path);
  if (const auto expected = view.find(checksum_key)) {  // earlier versions wrote no checksum
    const auto checksum = expected->as_string();
    record.erase(checksum_key);
    if (checksum_of(record) != checksum) {
      view.fail("it does not match its checksum");
    }
  }
  return record;
}

void remove_journal(const Layout& layout, const std::string& name) {
  const auto directory = open_directory(layout.journals());
  if (!directory) {
    return;
  }
  bool found = false;
  for (const auto& entry : {fresh_name(name), name}) {
    const auto status = base::stat_at(directory->get(), entry);
    found = found || status.has_value();
    if (status && S_ISDIR(status->st_mode)) {
      base::remove_tree_at(directory->get(), entry);  // not a record of berth
    } else {
      base::unlink_at(directory->get(), entry);
    }
  }
  if (found) {
    base::sync_at(directory->get(), ".");
    remove_if_empty(layout.journals());
  }
}

void remove_empty_journals(const Layout& layout) {
  remove_if_empty(layout.journals());
}

std::vector<std::string> list_journals(const Layout& layout) {
  const auto directory = open_directory(layout.journals());
  if (!directory) {
    return {};
  }
  std::set<std::string> names;
  for (const auto& entry : base::list_directory(directory->get())) {
    const auto name = entry.starts_with(fresh_prefix) ? entry.substr(fresh_prefix.size()) : entry;
    if (is_container_name(name)) {
      names.insert(name);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace berth::host
