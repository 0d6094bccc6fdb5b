// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/change/damaged_record.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/footprint/host_file_backup.hpp"
#include "ops/live_link.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// The unit, tmpfiles.d lines and info of one deployment. Empty when it does not exist or cannot be read.
struct Texts {
  std::optional<std::string> unit;
  std::optional<std::string> tmpfiles;
  host::DeploymentInfo info;
};

Texts texts_of(int deployments, const std::string& name, int slot) {
  const auto directory = host::slot_name(name, slot) + "/";
  Texts texts;
  try {
    texts.unit = base::read_file_at(deployments, directory + host::unit_name(name), host::deployment_text_limit);
    texts.tmpfiles =
        base::read_file_at(deployments, directory + host::tmpfiles_copy_name(name), host::deployment_text_limit);
    if (const auto info = base::read_file_at(deployments, directory + "info", base::json_size_limit)) {
      texts.info = host::parse_info(*info, directory + "info");
    }
  } catch (const Error&) {
    texts.info = {};  // the caller has read the live one; the other one is not needed
  }
  return texts;
}

std::string checksum_of(const std::optional<std::string>& text) {
  return text ? base::digest_of(*text).hex() : "";
}

/// The secret from which the names of backups are derived (host::hidden_name), as far as the damaged record still has
/// it; empty otherwise.
std::string recorded_secret(const Context& context, const std::string& name) {
  constexpr std::string_view key = "\"secret\": \"";
  const auto path = fmt::format("{}/{}", context.layout.journals(), name);
  const auto status = base::stat_at(AT_FDCWD, path);
  const auto text =
      status && S_ISREG(status->st_mode) ? base::read_file_at(AT_FDCWD, path, base::json_size_limit) : std::nullopt;
  const auto at = text ? text->find(key) : std::string::npos;
  if (at == std::string::npos) {
    return "";
  }
  const auto begin = at + key.size();
  return text->substr(begin, text->find('"', begin) - begin);
}

/// All paths in a record.
std::set<std::string> paths_in(const Context& context, const std::string& name, const base::Json& record) {
  std::set<std::string> paths = {context.layout.unit_in_root(name), context.layout.tmpfiles_in_root(name)};
  const auto flat = record.flatten();
  for (const auto& value : flat) {
    if (value.is_string() && value.get<std::string>().starts_with('/')) {
      paths.insert(value.get<std::string>());
    }
  }
  return paths;
}

/// Whether `found` is the name of a backup, or of an unfinished file, of a change of another container. True when the
/// record of another container cannot be read.
bool is_of_another(const Context& context, const std::string& name, std::string found) {
  constexpr std::string_view being_written = ".new";
  if (found.ends_with(being_written)) {
    found.resize(found.size() - being_written.size());
  }
  for (const auto& other : host::list_journals(context.layout)) {
    if (other == name) {
      continue;
    }
    try {
      const auto record = host::read_journal(context.layout, other).value_or(base::Json::object());
      const auto secret = record.value("secret", "");
      const auto paths = paths_in(context, other, record);
      if (std::any_of(paths.begin(), paths.end(),
                      [&](const std::string& path) { return host::hidden_name(secret, path) == found; })) {
        return true;
      }
    } catch (const std::exception&) {
      context.reporter.warning(
          fmt::format("{} may belong to {}, whose record cannot be read; it is left in place", found, other));
      return true;
    }
  }
  return false;
}

/// Makes the host file at `path` that of the live deployment, and removes its backup.
/// @param wanted checksum of the file in the live deployment; empty: it has none
/// @param other the same of the other deployment
void settle_file(const Context& context, const std::string& name, const std::string& secret, const std::string& path,
                 const std::string& wanted, const std::string& other) {
  const auto now = [&] { return host::host_checksum(open_root(context).get(), path).value_or(""); };
  if (secret.empty()) {
    find_lost_backup(context, path, {wanted, other},
                     [&](const std::string& found) { return is_of_another(context, name, found); });
  }
  const bool waits = is_backed_up(context, secret, path);
  if (now() != wanted && !other.empty() && now() == other && (waits || wanted.empty())) {
    remove_own(context, secret, path, other);
  }
  if (waits && !wanted.empty() && now().empty()) {
    put_back(context, secret, path);
  }
  drop_backup(context, secret, path);
  if (!wanted.empty() && now().empty()) {
    context.reporter.warning(fmt::format("{} is missing", path));
  }
}

/// As settle_file, for the unit or the tmpfiles.d lines, of which the deployment has a copy.
void settle_text(const Context& context, const std::string& name, const std::string& secret, const std::string& path,
                 const std::optional<std::string>& wanted, const std::optional<std::string>& other) {
  settle_file(context, name, secret, path, checksum_of(wanted), checksum_of(other));
  const auto root = open_root(context);
  const auto now = host::host_checksum(root.get(), path);
  if (wanted && (!now || (other && now == checksum_of(other) && other != wanted))) {
    put_text(context, secret, path, *wanted, now.has_value());
    drop_backup(context, secret, path);
  }
}

void settle_host_files(const Context& context, const std::string& name, const std::string& secret, const Texts& live,
                       const Texts& other) {
  std::set<std::string> paths(live.info.installed_files.begin(), live.info.installed_files.end());
  paths.insert(other.info.installed_files.begin(), other.info.installed_files.end());
  for (const auto& path : paths) {
    settle_file(context, name, secret, path, host::recorded_checksum(live.info, path),
                host::recorded_checksum(other.info, path));
  }
}

/// Renames the displaced deployment back to its slot when that is free; removes it otherwise.
void settle_waiting(int deployments, const std::string& name, int other_slot) {
  const auto waiting = waiting_name(name);
  const auto slot = host::slot_name(name, other_slot);
  if (base::stat_at(deployments, waiting) && !base::stat_at(deployments, slot)) {
    base::check_errno(::renameat2(deployments, waiting.c_str(), deployments, slot.c_str(), RENAME_NOREPLACE),
                      fmt::format("rename {} to {}", waiting, slot));
  }
  base::remove_tree_at(deployments, waiting);
  base::sync_at(deployments, ".");
}

}  // namespace

void settle_damaged_record(Context& context, const std::string& name) {
  const auto directory = open_deployments(context);
  if (!base::read_link_at(directory.get(), name)) {
    put_link_back(context, name);
  }
  const auto slot = host::current_slot(context.layout, name);
  if (!slot) {
    if (base::is_directory_at(directory.get(), name + ".0") || base::is_directory_at(directory.get(), name + ".1")) {
      throw Error(
          ErrorKind::verification,
          fmt::format("the record of an unfinished change of {} is damaged, and no deployment of it is live", name),
          fmt::format("remove the rest of it: rm {}/{} && berth uninstall {}", context.layout.journals(), name, name));
    }
    host::remove_journal(context.layout, name);
    return;
  }
  host::installed_deployment(context.layout, name);  // throws when it cannot be read
  const auto live = texts_of(directory.get(), name, *slot);
  const auto other = texts_of(directory.get(), name, 1 - *slot);
  const auto secret = recorded_secret(context, name);
  settle_host_files(context, name, secret, live, other);
  settle_text(context, name, secret, context.layout.tmpfiles_in_root(name), live.tmpfiles, other.tmpfiles);
  settle_text(context, name, secret, context.layout.unit_in_root(name), live.unit, other.unit);
  context.systemd.reload();
  settle_waiting(directory.get(), name, 1 - *slot);
  drop_link_backup(context, name);
  host::remove_journal(context.layout, name);
  context.reporter.warning(
      fmt::format("the damaged record of {} was removed; the container is restored as {} describes it", name,
                  host::slot_name(name, *slot)));
}

}  // namespace berth::ops
