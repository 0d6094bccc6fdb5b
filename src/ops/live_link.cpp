// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/live_link.hpp"

#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::ops {

namespace {

/// Not a valid container name.
std::string backup_link(const std::string& name) {
  return ".link-" + name;
}

void rename_link(int directory, const std::string& from, const std::string& to) {
  base::check_errno(::renameat(directory, from.c_str(), directory, to.c_str()),
                    fmt::format("rename {} to {}", base::full_path(directory, from), to));
}

}  // namespace

void point_link(const Context& context, const std::string& name, const std::string& target) {
  const auto directory = open_deployments(context);
  const auto backup = backup_link(name);
  base::unlink_at(directory.get(), backup);
  base::check_errno(::symlinkat(target.c_str(), directory.get(), backup.c_str()), "create the link " + backup);
  const auto failure = fmt::format("make the link {} point to {}", name, target);
  if (::renameat2(directory.get(), backup.c_str(), directory.get(), name.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != ENOENT) {
      base::throw_errno(failure);
    }
    base::check_errno(::renameat2(directory.get(), backup.c_str(), directory.get(), name.c_str(), RENAME_NOREPLACE),
                      failure);
  }
  base::sync_at(directory.get(), ".");
}

void take_link_back(const Context& context, const std::string& name, const std::string& target,
                    const std::string& before) {
  const auto directory = open_deployments(context);
  const auto backup = backup_link(name);
  const auto kept = base::read_link_at(directory.get(), backup);
  if (base::read_link_at(directory.get(), name) == target) {
    if (before.empty()) {
      base::unlink_at(directory.get(), name);
    } else if (kept && kept != target) {
      rename_link(directory.get(), backup, name);
    } else {
      point_link(context, name, before);  // an early version made the change and kept no backup
    }
  }
  base::unlink_at(directory.get(), backup);
  base::sync_at(directory.get(), ".");
}

void back_up_link(const Context& context, const std::string& name) {
  const auto directory = open_deployments(context);
  if (base::read_link_at(directory.get(), name)) {
    rename_link(directory.get(), name, backup_link(name));
    base::sync_at(directory.get(), ".");
  }
}

void put_link_back(const Context& context, const std::string& name) {
  const auto directory = open_deployments(context);
  if (base::read_link_at(directory.get(), backup_link(name))) {
    rename_link(directory.get(), backup_link(name), name);
    base::sync_at(directory.get(), ".");
  }
}

void drop_link_backup(const Context& context, const std::string& name) {
  const auto directory = open_deployments(context);
  if (base::unlink_at(directory.get(), backup_link(name))) {
    base::sync_at(directory.get(), ".");
  }
}

}  // namespace berth::ops
