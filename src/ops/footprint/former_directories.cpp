// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/former_directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/files/root_directory.hpp"
#include "host/state/lock.hpp"
#include "host/state/transaction_journal.hpp"
#include "render/exports/writable_paths.hpp"
#include "render/spec/rootfs.hpp"

namespace berth::ops {

namespace {

constexpr mode_t text_mode = 0644;

/// The tmpfiles.d lines of a deployment that leave directories open.
struct OpenLines {
  std::string directory;  ///< of the deployment
  std::string text;
  std::string closed;  ///< the lines without access for other users
};

/// Lines that berth generates create volumes only, whose parent directory is closed.
bool has_lines_of_image(const std::string& deployment) {
  const auto rootfs = deployment + "/rootfs";
  return base::is_directory_at(AT_FDCWD, rootfs) &&
         render::stat_in_root(base::open_directory_at(AT_FDCWD, rootfs).get(), "exports/tmpfiles.template");
}

std::optional<OpenLines> open_lines(const Context& context, const std::string& name, int slot) {
  OpenLines found;
  found.directory = fmt::format("{}/{}", context.layout.deployments(), host::slot_name(name, slot));
  const auto text =
      base::read_file_at(AT_FDCWD, found.directory + "/" + host::tmpfiles_copy_name(name), host::deployment_text_limit);
  const auto config = base::read_file_at(AT_FDCWD, found.directory + "/config.json", host::deployment_text_limit);
  if (!text || !config || !has_lines_of_image(found.directory)) {
    return std::nullopt;
  }
  const auto places = render::writable_host_paths(base::parse_json(*config, found.directory + "/config.json"));
  auto closed = render::close_tmpfiles(*text, places);
  if (closed.text == *text) {
    return std::nullopt;
  }
  found.text = *text;
  found.closed = std::move(closed.text);
  return found;
}

/// Removes the access that `lines.closed` does not grant. @return the directories that were open
std::vector<std::string> close_directories(int root, const OpenLines& lines) {
  std::vector<std::string> closed;
  const auto before = render::made_directories(lines.text);
  const auto after = render::made_directories(lines.closed);
  for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
    const mode_t taken = before[i].mode & ~after[i].mode;
    const auto directory = taken == 0 ? std::nullopt : host::find_trusted_directory(root, before[i].path);
    struct stat status {};
    if (directory && ::fstat(directory->get(), &status) == 0 && (status.st_mode & taken) != 0) {
      base::check_errno(::fchmod(directory->get(), status.st_mode & 07777U & ~taken),
                        "set the mode of " + before[i].path);
      closed.push_back(before[i].path);
    }
  }
  return closed;
}

/// @return whether the lines on the host are closed
bool close_host_lines(const Context& context, int root, const std::string& name, const OpenLines& lines) {
  const auto [parent, leaf] = base::split_path(context.layout.tmpfiles_in_root(name));
  const auto directory = host::find_trusted_directory(root, parent);
  const auto now = directory ? base::read_file_at(directory->get(), leaf, host::deployment_text_limit) : std::nullopt;
  if (now == lines.text) {
    base::replace_file_at(directory->get(), leaf, lines.closed, text_mode);
  }
  return !now || now == lines.text || now == lines.closed;
}

std::optional<host::ContainerLock> lock_now(const Context& context, const std::string& name) {
  try {
    return host::ContainerLock::take(context.layout, name, context.command, std::chrono::seconds(0), context.reporter,
                                     context.stop);
  } catch (const base::Error&) {
    return std::nullopt;  // a change is in progress; the next command tries again
  }
}

}  // namespace

void close_former_directories(const Context& context, const host::Deployment& deployment) {
  const auto& name = deployment.name;
  const auto live = open_lines(context, name, deployment.slot);
  const auto other = open_lines(context, name, 1 - deployment.slot);
  if ((!live && !other) || host::is_preinstalled(context.layout, name)) {
    return;
  }
  const auto lock = lock_now(context, name);
  if (!lock || host::read_journal(context.layout, name) ||
      host::current_slot(context.layout, name) != deployment.slot) {
    return;
  }
  const auto root = open_root(context);
  if (live) {
    const auto closed = close_directories(root.get(), *live);
    if (!closed.empty()) {
      context.reporter.warning(fmt::format("other users could enter {}, where {} writes; it is closed now",
                                           fmt::join(closed, " and "), name));
    }
    if (!close_host_lines(context, root.get(), name, *live)) {
      context.reporter.warning(fmt::format("{} was edited and stays; it opens directories that {} writes to",
                                           context.layout.tmpfiles_in_root(name), name));
    }
  }
  for (const auto& lines : {live, other}) {  // last, because they show what is still to be done
    if (lines) {
      base::replace_file_at(base::open_host_directory(lines->directory).get(), host::tmpfiles_copy_name(name),
                            lines->closed, text_mode);
    }
  }
}

}  // namespace berth::ops
