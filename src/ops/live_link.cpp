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
std::string aside_link(const std::string& name) {
  return ".link-" + name;
}

base::Fd deployments_folder(const Session& session) {
  return base::open_host_folder(session.layout.deployments());
}

void rename_link(int folder, const std::string& from, const std::string& to) {
  base::check_errno(::renameat(folder, from.c_str(), folder, to.c_str()),
                    fmt::format("rename {} to {}", base::full_path(folder, from), to));
}

}  // namespace

void point_link(const Session& session, const std::string& name, const std::string& target) {
  const auto folder = deployments_folder(session);
  const auto aside = aside_link(name);
  base::unlink_at(folder.get(), aside);
  base::check_errno(::symlinkat(target.c_str(), folder.get(), aside.c_str()), "create the link " + aside);
  const auto failure = fmt::format("make the link {} point to {}", name, target);
  if (::renameat2(folder.get(), aside.c_str(), folder.get(), name.c_str(), RENAME_EXCHANGE) != 0) {
    if (errno != ENOENT) {
      base::throw_errno(failure);
    }
    base::check_errno(::renameat2(folder.get(), aside.c_str(), folder.get(), name.c_str(), RENAME_NOREPLACE), failure);
  }
  base::sync_at(folder.get(), ".");
}

void take_link_back(const Session& session, const std::string& name, const std::string& target,
                    const std::string& before) {
  const auto folder = deployments_folder(session);
  const auto aside = aside_link(name);
  const auto waiting = base::read_link_at(folder.get(), aside);
  if (base::read_link_at(folder.get(), name) == target) {
    if (before.empty()) {
      base::unlink_at(folder.get(), name);
    } else if (waiting && waiting != target) {
      rename_link(folder.get(), aside, name);
    } else {
      point_link(session, name, before);  // an earlier berth made the change, which kept nothing
    }
  }
  base::unlink_at(folder.get(), aside);
  base::sync_at(folder.get(), ".");
}

void put_link_aside(const Session& session, const std::string& name) {
  const auto folder = deployments_folder(session);
  if (base::read_link_at(folder.get(), name)) {
    rename_link(folder.get(), name, aside_link(name));
    base::sync_at(folder.get(), ".");
  }
}

void put_link_back(const Session& session, const std::string& name) {
  const auto folder = deployments_folder(session);
  if (base::read_link_at(folder.get(), aside_link(name))) {
    rename_link(folder.get(), aside_link(name), name);
    base::sync_at(folder.get(), ".");
  }
}

void drop_link_aside(const Session& session, const std::string& name) {
  const auto folder = deployments_folder(session);
  if (base::unlink_at(folder.get(), aside_link(name))) {
    base::sync_at(folder.get(), ".");
  }
}

}  // namespace berth::ops
