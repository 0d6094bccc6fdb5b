#include "ops/live_link.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::ops {

namespace {

/// No container is called so.
std::string backup_link(const std::string& name) {
  return ".link-" + name;
}

base::Fd deployments_directory(const Context& context) {
  return base::open_host_directory(context.layout.deployments());
}

void rename_link(int directory, const std::string& from, const std::string& to) {
  base::check_errno(::renameat(directory, from.c_str(), directory, to.c_str()),
                    fmt::format("rename {} to {}", base::full_path(directory, from), to));
}

}  // namespace

void point_link(const Context& context, const std::string& name, const std::string& target) {
  const auto directory = deployments_directory(context);
  const auto aside = backup_link(name);
  base::unlink_at(directory.get(), aside);
  base::check_errno(::symlinkat(target.c_str(), directory.get(), aside.c_str()), "create the link " + aside);
  const auto failure = fmt::format("make the link {} point to {}", name, target);
  if (::renameat2(directory.get(), aside.c_str(), directory.get(), name.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != ENOENT) {
      base::throw_errno(failure);
    }
    base::check_errno(::renameat2(directory.get(), aside.c_str(), directory.get(), name.c_str(), RENAME_NOREPLACE),
                      failure);
  }
  base::sync_at(directory.get(), ".");
}

void take_link_back(const Context& context, const std::string& name, const std::string& target,
                    const std::string& before) {
  const auto directory = deployments_directory(context);
  const auto aside = backup_link(name);
  const auto waiting = base::read_link_at(directory.get(), aside);
  if (base::read_link_at(directory.get(), name) == target) {
    if (before.empty()) {
      base::unlink_at(directory.get(), name);
    } else if (waiting && waiting != target) {
      rename_link(directory.get(), aside, name);
    } else {
      point_link(context, name, before);  // an earlier berth made the change, which kept nothing
    }
  }
  base::unlink_at(directory.get(), aside);
  base::sync_at(directory.get(), ".");
}

void back_up_link(const Context& context, const std::string& name) {
  const auto directory = deployments_directory(context);
  if (base::read_link_at(directory.get(), name)) {
    rename_link(directory.get(), name, backup_link(name));
    base::sync_at(directory.get(), ".");
  }
}

void put_link_back(const Context& context, const std::string& name) {
  const auto directory = deployments_directory(context);
  if (base::read_link_at(directory.get(), backup_link(name))) {
    rename_link(directory.get(), backup_link(name), name);
    base::sync_at(directory.get(), ".");
  }
}

void drop_link_backup(const Context& context, const std::string& name) {
  const auto directory = deployments_directory(context);
  if (base::unlink_at(directory.get(), backup_link(name))) {
    base::sync_at(directory.get(), ".");
  }
}

}  // namespace berth::ops
