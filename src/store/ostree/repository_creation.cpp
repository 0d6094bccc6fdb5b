// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository_creation.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "store/ostree/private_mark.hpp"
#include "store/ostree/repository_config.hpp"
#include "store/ostree/repository_lock.hpp"

namespace berth::store {
namespace {

constexpr const char* config_name = "config";
constexpr const char* damaged_name = "config.damaged";
constexpr mode_t directory_mode = 0755;  // the repository itself is 0700

/// Parents first. Like libostree, `objects` is created last: a directory that has it counts as a repository.
constexpr std::array<const char*, 9> directories = {"tmp",        "tmp/cache",    "extensions",   "state",  "refs",
                                                    "refs/heads", "refs/mirrors", "refs/remotes", "objects"};

/// The repository is in the directory of deployments by default, which is created here if necessary.
constexpr std::string_view storage_directory = ".storage";

void make_directory(const std::string& path) {
  const auto root = base::open_host_directory("/");
  const auto [parent, name] = base::split_path(path.starts_with('/') ? std::string_view(path).substr(1) : path);
  if (const auto [above, last] = base::split_path(parent); last == storage_directory) {
    base::make_directories_at(root.get(), base::split_path(above).first, 0755);
    base::make_directories_at(root.get(), parent, 0700);  // the directory of deployments is private as well
  } else if (parent != ".") {
    base::make_directories_at(root.get(), parent, 0755);
  }
  // Other users must not enter it, since objects of images may be setuid programs.
  if (::mkdirat(root.get(), (parent + "/" + name).c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("create the repository " + path);
  }
}

/// Whether the file `config` has any content. Anything but a regular file counts: reading it reports the error.
bool has_config(int repository) {
  const auto status = base::stat_at(repository, config_name);
  if (!status || !S_ISREG(status->st_mode)) {
    return status.has_value();
  }
  const auto text = base::read_file_at(repository, config_name, repository_config_limit).value_or("");
  return std::any_of(text.begin(), text.end(), [](char byte) { return byte != '\0'; });
}

/// Whether anything but directories exists below `directory`. Names that begin with a dot are temporary files, not
/// refs.
bool has_files(const base::Fd& directory) {
  const auto names = base::list_directory(directory.get());
  return std::any_of(names.begin(), names.end(), [&directory](const std::string& name) {
    const auto status = name.starts_with('.') ? std::nullopt : base::stat_at(directory.get(), name);
    return status && (!S_ISDIR(status->st_mode) || has_files(base::open_directory_at(directory.get(), name)));
  });
}

bool has_refs(int repository) {
  return base::stat_at(repository, "refs") && has_files(base::open_directory_at(repository, "refs"));
}

bool is_made(int repository) {
  return base::stat_at(repository, "objects") && (has_config(repository) || has_refs(repository));
}

/// Whether an object file is of a bare or a bare-user repository; nullopt for other files.
std::optional<bool> fits(int directory, const std::string& name, RepositoryMode mode) {
  if (name.ends_with(".filez")) {
    return false;
  }
  const auto status = name.ends_with(".file") ? base::stat_at(directory, name) : std::nullopt;
  if (!status || !S_ISREG(status->st_mode)) {
    return std::nullopt;
  }
  const auto place = fmt::format("/proc/self/fd/{}/{}", directory, name);
  const bool described = ::getxattr(place.c_str(), "user.ostreemeta", nullptr, 0) > 0;
  return described == (mode == RepositoryMode::bare_user);
}

/// Whether the objects of a repository are of a mode, judging by the first one.
bool objects_fit(int repository, RepositoryMode mode) {
  const auto objects = base::open_directory_at(repository, "objects");
  for (const auto& part : base::list_directory(objects.get())) {
    const auto status = base::stat_at(objects.get(), part);
    if (!status || !S_ISDIR(status->st_mode)) {
      continue;
    }
    const auto directory = base::open_directory_at(objects.get(), part);
    for (const auto& name : base::list_directory(directory.get())) {
      if (const auto fit = fits(directory.get(), name, mode)) {
        return *fit;
      }
    }
  }
  return true;
}

std::string fresh_config(RepositoryMode mode) {
  return fmt::format("[core]\nrepo_version=1\nmode={}\n", name_of(mode));
}

/// @throws Error(verification) when it is damaged
RepositoryConfig parse_config(int directory, const StoreOptions& options) {
  const auto status = base::stat_at(directory, config_name);
  if (status && !S_ISREG(status->st_mode)) {
    throw damaged_config(options.repository, "it is not a regular file");
  }
  const auto text =
      has_config(directory) ? base::read_file_at(directory, config_name, repository_config_limit) : std::nullopt;
  if (!text) {
    throw damaged_config(options.repository, "it is absent, empty or zeroed");
  }
  return parse_repository_config(*text, options.mode, options.repository);
}

std::string remedy(const StoreOptions& options, bool fit) {
  if (!fit) {
    return "its objects are of another mode than is needed here; write the file again as ostree.repo-config(5) "
           "describes";
  }
  if (options.recovered) {
    return fmt::format("`berth recover` writes it again, and keeps the old file as {}", damaged_name);
  }
  return fmt::format("replace it by a file with the lines `[core]`, `repo_version=1` and `mode={}`",
                     name_of(options.mode));
}

/// An unused name for the damaged file.
std::string free_name(int repository) {
  std::string name = damaged_name;
  for (unsigned number = 2; base::stat_at(repository, name); ++number) {
    name = fmt::format("{}.{}", damaged_name, number);
  }
  return name;
}

/// Another mode, or an unknown value, is a matter of configuration, and is reported by commands that need images.
bool is_damaged(int repository, const StoreOptions& options) {
  try {
    const auto damage = read_config(repository, options).damage;
    return damage && damage->kind() == base::ErrorKind::verification;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::conflict) {
      throw;
    }
    return false;
  }
}

}  // namespace

void refuse_links(int directory, const std::string& repository) {
  for (const char* part : {"objects", "refs", "refs/heads", "refs/heads/ociimage", "tmp", "state"}) {
    const auto status = base::stat_at(directory, part);
    if (status && S_ISLNK(status->st_mode)) {
      throw base::Error(base::ErrorKind::verification,
                        fmt::format("the repository {} has a symbolic link as {}", repository, part),
                        "replace the link by the directory that it points to");
    }
  }
}

bool is_repository(const std::string& path) {
  return base::stat_at(AT_FDCWD, path + "/objects") && is_made(base::open_host_directory(path).get());
}

StoredConfig read_config(int directory, const StoreOptions& options) {
  try {
    return {parse_config(directory, options), std::nullopt};
  } catch (const base::Error& error) {
    const bool damaged = error.kind() == base::ErrorKind::verification;
    if (!damaged && error.kind() != base::ErrorKind::failed) {
      throw;
    }
    const bool fit = objects_fit(directory, options.mode);
    base::Error damage(error.kind(), error.message(), damaged ? remedy(options, fit) : error.hint());
    if (!fit) {
      throw damage;
    }
    RepositoryConfig config;
    config.mode = options.mode;
    return {config, std::move(damage)};
  }
}

std::optional<std::string> repair_config(const StoreOptions& options) {
  if (!is_repository(options.repository)) {
    return std::nullopt;
  }
  const auto repository = base::open_host_directory(options.repository);
  refuse_links(repository.get(), options.repository);
  if (!is_damaged(repository.get(), options)) {
    return std::nullopt;
  }
  const auto lock = RepositoryLock::take(repository.get(), RepositoryLock::Kind::exclusive, options);
  if (!is_damaged(repository.get(), options)) {
    return std::nullopt;  // another process was faster
  }
  std::string kept;
  if (base::stat_at(repository.get(), config_name)) {
    kept = free_name(repository.get());
    base::check_errno(::renameat(repository.get(), config_name, repository.get(), kept.c_str()),
                      fmt::format("rename {}/{}", options.repository, config_name));
  }
  base::replace_file_at(repository.get(), config_name, fresh_config(options.mode), 0644);
  return kept.empty() ? kept : fmt::format("{}/{}", options.repository, kept);
}

void make_repository(const StoreOptions& options) {
  make_directory(options.repository);
  const auto repository = base::open_host_directory(options.repository);
  refuse_links(repository.get(), options.repository);
  const auto lock = RepositoryLock::take(repository.get(), RepositoryLock::Kind::exclusive, options);
  if (is_made(repository.get())) {
    return;  // by another process
  }
  for (const auto* name : directories) {
    if (::mkdirat(repository.get(), name, directory_mode) != 0 && errno != EEXIST) {
      base::throw_errno(fmt::format("create {}/{}", options.repository, name));
    }
  }
  if (base::list_directory(base::open_directory_at(repository.get(), "objects").get()).empty()) {
    mark_private(repository.get());
  }
  base::check_errno(::syncfs(repository.get()), "write the repository to the disk");
  if (!has_config(repository.get())) {
    base::replace_file_at(repository.get(), config_name, fresh_config(options.mode), 0644);
  }
}

}  // namespace berth::store
