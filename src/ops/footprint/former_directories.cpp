#include "ops/footprint/former_directories.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <algorithm>
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
#include "render/exports/reach.hpp"
#include "render/spec/rootfs.hpp"

namespace berth::ops {

namespace {

constexpr mode_t text_mode = 0644;

/// The tmpfiles.d lines of one deployment that leave something open.
struct OpenLines {
  std::string folder;  ///< of the deployment
  std::string text;
  std::string closed;
};

std::string lines_name(const std::string& name) {
  return fmt::format("tmpfiles-{}.conf", name);
}

/// Lines of berth's own make volumes, around which another directory is closed.
bool has_lines_of_image(const std::string& deployment) {
  const auto rootfs = deployment + "/rootfs";
  const auto status = base::stat_at(AT_FDCWD, rootfs);
  return status && S_ISDIR(status->st_mode) &&
         render::stat_inside(base::open_folder_at(AT_FDCWD, rootfs).get(), "exports/tmpfiles.template");
}

std::optional<OpenLines> open_lines(const Session& session, const std::string& name, int slot) {
  OpenLines found;
  found.folder = fmt::format("{}/{}", session.layout.deployments(), host::slot_name(name, slot));
  const auto text = base::read_file_at(AT_FDCWD, found.folder + "/" + lines_name(name), host::deployment_text_limit);
  const auto config = base::read_file_at(AT_FDCWD, found.folder + "/config.json", host::deployment_text_limit);
  if (!text || !config || !has_lines_of_image(found.folder)) {
    return std::nullopt;
  }
  const auto places = render::written_places(base::parse_json(*config, found.folder + "/config.json"));
  auto closed = render::close_tmpfiles(*text, places);
  if (closed.text == *text) {
    return std::nullopt;
  }
  found.text = *text;
  found.closed = std::move(closed.text);
  return found;
}

/// Takes what `lines` no longer gives to others. @return the directories that were open
std::vector<std::string> close_folders(int root, const OpenLines& lines) {
  std::vector<std::string> closed;
  const auto before = render::made_folders(lines.text);
  const auto after = render::made_folders(lines.closed);
  for (std::size_t i = 0; i < before.size() && i < after.size(); ++i) {
    const mode_t taken = before[i].mode & ~after[i].mode;
    const auto folder = taken == 0 ? std::nullopt : host::find_trusted_folder(root, before[i].path);
    struct stat status {};
    if (folder && ::fstat(folder->get(), &status) == 0 && (status.st_mode & taken) != 0) {
      base::check_errno(::fchmod(folder->get(), status.st_mode & 07777U & ~taken), "set the mode of " + before[i].path);
      closed.push_back(before[i].path);
    }
  }
  return closed;
}

/// @return whether the lines on the host are closed
bool close_host_lines(const Session& session, int root, const std::string& name, const OpenLines& lines) {
  const auto [parent, leaf] = base::split_path(session.layout.tmpfiles_inside(name));
  const auto folder = host::find_trusted_folder(root, parent);
  const auto now = folder ? base::read_file_at(folder->get(), leaf, host::deployment_text_limit) : std::nullopt;
  if (now == lines.text) {
    base::replace_file_at(folder->get(), leaf, lines.closed, text_mode);
  }
  return !now || now == lines.text || now == lines.closed;
}

std::optional<host::ContainerLock> lock_now(const Session& session, const std::string& name) {
  try {
    return host::ContainerLock::take(session.layout, name, session.command, std::chrono::seconds(0), session.reporter,
                                     session.stop);
  } catch (const base::Error& error) {
    if (error.kind() == base::ErrorKind::interrupted) {
      throw;
    }
    return std::nullopt;  // a change is under way, and the next command comes
  }
}

}  // namespace

void close_former_directories(const Session& session, const host::Deployment& deployment) {
  const auto& name = deployment.name;
  const auto live = open_lines(session, name, deployment.slot);
  const auto other = open_lines(session, name, 1 - deployment.slot);
  if ((!live && !other) || host::is_preinstalled(session.layout, name)) {
    return;
  }
  const auto lock = lock_now(session, name);
  if (!lock || host::read_journal(session.layout, name) ||
      host::current_slot(session.layout, name) != deployment.slot) {
    return;
  }
  const auto root = open_root(session);
  if (live) {
    const auto closed = close_folders(root.get(), *live);
    if (!closed.empty()) {
      session.reporter.warning(fmt::format("other users could enter {}, where {} writes; it is closed now",
                                           fmt::join(closed, " and "), name));
    }
    if (!close_host_lines(session, root.get(), name, *live)) {
      session.reporter.warning(fmt::format("{} was edited and stays; it opens directories that {} writes to",
                                           session.layout.tmpfiles_inside(name), name));
    }
  }
  for (const auto& lines : {live, other}) {  // last, for by them it is known what is still to be done
    if (lines) {
      base::replace_file_at(base::open_host_folder(lines->folder).get(), lines_name(name), lines->closed, text_mode);
    }
  }
}

}  // namespace berth::ops
