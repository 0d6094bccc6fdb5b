// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/checkout/checkout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "store/checkout/linked_tree.hpp"
#include "store/ostree/libostree.hpp"

namespace berth::store {
namespace {

void remove_half_made(int directory, const std::string& name) noexcept {
  try {
    if (name != ".") {
      base::remove_tree_at(directory, name);
      return;
    }
    for (const auto& entry : base::list_directory(directory)) {
      base::remove_tree_at(directory, entry);
    }
  } catch (...) {
    return;  // the first failure is the one to report
  }
}

void refuse_present(int directory, const std::string& name) {
  if (name == "." ? !base::list_directory(directory).empty() : base::stat_at(directory, name).has_value()) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("cannot check out: {} exists already", name));
  }
}

/// Gives the group of all files the rights of the owner, and the owner all rights on directories. The import of layers
/// bounds the nesting of directories.
void share_with_group(int parent, const std::string& name) {
  const auto status = base::stat_at(parent, name);
  if (!status || S_ISLNK(status->st_mode)) {
    return;
  }
  constexpr unsigned owner = S_IRWXU;
  const bool is_directory = S_ISDIR(status->st_mode);
  const unsigned mode = (status->st_mode & 07777U) | (is_directory ? owner : 0U);
  if (const unsigned wanted = mode | ((mode & owner) >> 3U); wanted != (status->st_mode & 07777U)) {
    base::check_errno(::fchmodat(parent, name.c_str(), wanted, 0), "set the mode of " + name);
  }
  if (is_directory) {
    const base::Fd directory = base::open_directory_at(parent, name);
    for (const auto& entry : base::list_directory(directory.get())) {
      share_with_group(directory.get(), entry);
    }
  }
}

/// By libostree. Objects of bare-user repositories differ from the files (links are files there, and modes are
/// attributes), and copies need not be fast.
/// @param path of the directory in the tree
void let_libostree(const Repository& repository, const Checksum& commit, const std::string& path, int directory,
                   const std::string& name, CheckoutFiles files) {
  OstreeRepoCheckoutAtOptions options{};
  options.mode =
      repository.mode() == RepositoryMode::bare ? OSTREE_REPO_CHECKOUT_MODE_NONE : OSTREE_REPO_CHECKOUT_MODE_USER;
  // The second option permits an existing directory, which is empty.
  options.overwrite_mode = name == "." ? OSTREE_REPO_CHECKOUT_OVERWRITE_ADD_FILES : OSTREE_REPO_CHECKOUT_OVERWRITE_NONE;
  options.force_copy = files == CheckoutFiles::linked ? FALSE : TRUE;
  // Links are possible, as was checked. One can still fail when an inode has the most links that the file system allows
  // (65000 on ext4); that content is copied.
  options.no_copy_fallback = FALSE;
  options.subpath = path.c_str();
  Failure failure;
  if (libostree().repo_checkout_at(repository.handle(), &options, directory, name.c_str(), commit.hex().c_str(),
                                   nullptr, failure.out()) == 0) {
    failure.raise("check out into " + name);
  }
  if (repository.mode() == RepositoryMode::bare_user) {
    share_with_group(directory, name);
  }
}

}  // namespace

void check_linkable(const Repository& repository, int directory) {
  const std::string probe = ".link-probe";
  base::unlink_at(directory, probe);
  if (::linkat(repository.directory(), "config", directory, probe.c_str(), 0) == 0) {
    base::unlink_at(directory, probe);
    return;
  }
  if (errno == EXDEV) {
    throw base::Error(base::ErrorKind::failed,
                      "the repository of images is on another file system or mount than the deployments, which share "
                      "their files with it",
                      "put both on one file system; see [paths] in berth.conf(5)");
  }
  base::throw_errno("make a hard link from the repository");
}

void checkout_tree(const Repository& repository, const StoreOptions& options, const Checksum& commit, int directory,
                   const std::string& name, CheckoutFiles files) {
  refuse_present(directory, name);
  const bool linked = files == CheckoutFiles::linked;
  if (linked) {
    check_linkable(repository, directory);
  }
  base::ScopeExit undo([&]() noexcept { remove_half_made(directory, name); });
  if (repository.mode() == RepositoryMode::bare && linked && name != ".") {
    base::in_context([&] { return "checking out into " + name; },
                     [&] { link_tree(repository, options, repository.load_commit(commit).root, directory, name); });
  } else {
    let_libostree(repository, commit, "/", directory, name, files);
  }
  undo.dismiss();
}

void checkout_directory(const Repository& repository, const Checksum& commit, const std::string& path, int directory,
                        const std::string& name) {
  let_libostree(repository, commit, path, directory, name, CheckoutFiles::linked);
}

}  // namespace berth::store
