#include "store/repository_creation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "store/private_mark.hpp"
#include "store/repository_config.hpp"
#include "store/repository_lock.hpp"

namespace berth::store {
namespace {

constexpr const char* config_name = "config";
constexpr mode_t folder_mode = 0755;  // what is below the repository's 0700 is of no concern to others

/// Parents first. libostree, too, makes `objects` last and takes a folder that has it for a repository.
constexpr std::array<const char*, 9> folders = {"tmp",        "tmp/cache",    "extensions",   "state",  "refs",
                                                "refs/heads", "refs/mirrors", "refs/remotes", "objects"};

/// Below the folder of deployments, where the repository is unless somebody says otherwise.
constexpr std::string_view storage_folder = ".storage";

void make_folder(const std::string& path) {
  const auto root = base::open_host_folder("/");
  const auto [parent, name] = base::split_path(path.starts_with('/') ? std::string_view(path).substr(1) : path);
  if (const auto [above, last] = base::split_path(parent); last == storage_folder) {
    base::make_folders_at(root.get(), base::split_path(above).first, 0755);
    base::make_folders_at(root.get(), parent, 0700);  // the folder of deployments is as private as what is in it
  } else if (parent != ".") {
    base::make_folders_at(root.get(), parent, 0755);
  }
  // Nobody else may go through, for objects of images may be setuid programs.
  if (::mkdirat(root.get(), (parent + "/" + name).c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("create the repository " + path);
  }
}

/// Whether the file `config` says anything. What is no regular file is left to the reader of it.
bool has_config(int repository) {
  const auto status = base::stat_at(repository, config_name);
  if (!status || !S_ISREG(status->st_mode)) {
    return status.has_value();
  }
  const auto text = base::read_file_at(repository, config_name, repository_config_limit).value_or("");
  return std::any_of(text.begin(), text.end(), [](char byte) { return byte != '\0'; });
}

/// Whether there is anything but folders below `folder`. A name that begins with a dot is no ref: somebody wrote it.
bool has_files(const base::Fd& folder) {
  const auto names = base::list_folder(folder.get());
  return std::any_of(names.begin(), names.end(), [&folder](const std::string& name) {
    const auto status = name.starts_with('.') ? std::nullopt : base::stat_at(folder.get(), name);
    return status && (!S_ISDIR(status->st_mode) || has_files(base::open_folder_at(folder.get(), name)));
  });
}

bool has_refs(int repository) {
  return base::stat_at(repository, "refs") && has_files(base::open_folder_at(repository, "refs"));
}

bool is_made(int repository, const std::string& path) {
  if (!base::stat_at(repository, "objects")) {
    return false;
  }
  if (has_config(repository)) {
    return true;
  }
  if (has_refs(repository)) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("the configuration of the repository, {}/{}, is lost: it is absent, empty or zeroed",
                                  path, config_name),
                      "write it again, with the lines `[core]`, `repo_version=1` and `mode=bare` (of a user: "
                      "`mode=bare-user`)");
  }
  return false;
}

}  // namespace

void refuse_links(int folder, const std::string& repository) {
  for (const char* part : {"objects", "refs", "refs/heads", "refs/heads/ociimage", "tmp", "state"}) {
    const auto status = base::stat_at(folder, part);
    if (status && S_ISLNK(status->st_mode)) {
      throw base::Error(base::ErrorKind::verification,
                        fmt::format("the repository {} has a symbolic link as {}", repository, part),
                        "put the folder that it points to in its place");
    }
  }
}

bool is_repository(const std::string& path) {
  return base::stat_at(AT_FDCWD, path + "/objects") && is_made(base::open_host_folder(path).get(), path);
}

void make_repository(const StoreOptions& options) {
  make_folder(options.repository);
  const auto repository = base::open_host_folder(options.repository);
  refuse_links(repository.get(), options.repository);
  const auto lock = RepositoryLock::take(repository.get(), RepositoryLock::Kind::exclusive, options);
  if (is_made(repository.get(), options.repository)) {
    return;  // by somebody who was faster
  }
  for (const auto* name : folders) {
    if (::mkdirat(repository.get(), name, folder_mode) != 0 && errno != EEXIST) {
      base::throw_errno(fmt::format("create {}/{}", options.repository, name));
    }
  }
  if (base::list_folder(base::open_folder_at(repository.get(), "objects").get()).empty()) {
    mark_private(repository.get());
  }
  base::check_errno(::syncfs(repository.get()), "write the repository to the disk");
  if (!has_config(repository.get())) {
    const auto text = fmt::format("[core]\nrepo_version=1\nmode={}\n", name_of(options.mode));
    base::replace_file_at(repository.get(), config_name, text, 0644);
  }
}

}  // namespace berth::store
