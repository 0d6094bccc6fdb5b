#include "store/checkout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "store/linked_tree.hpp"

namespace berth::store {
namespace {

void remove_half_made(int folder, const std::string& name) noexcept {
  try {
    base::remove_tree_at(folder, name);
  } catch (...) {
    return;  // the failure that brought us here is the one to tell
  }
}

/// Objects of bare-user repositories are not the files themselves: links are files there, and modes are attributes.
void let_libostree(const Repository& repository, const Checksum& commit, int folder, const std::string& name) {
  OstreeRepoCheckoutAtOptions options{};
  options.mode = OSTREE_REPO_CHECKOUT_MODE_USER;
  options.overwrite_mode = OSTREE_REPO_CHECKOUT_OVERWRITE_NONE;
  // Links are possible, as we know now. What may still stand against one is the file system's bound on links to one
  // inode (65000 on ext4); that content is copied.
  options.no_copy_fallback = FALSE;
  Failure failure;
  if (ostree_repo_checkout_at(repository.handle(), &options, folder, name.c_str(), commit.hex().c_str(), nullptr,
                              failure.out()) == 0) {
    failure.raise("check out into " + name);
  }
}

}  // namespace

void check_linkable(const Repository& repository, int folder) {
  const std::string probe = ".link-probe";
  base::unlink_at(folder, probe);
  if (::linkat(repository.folder(), "config", folder, probe.c_str(), 0) == 0) {
    base::unlink_at(folder, probe);
    return;
  }
  if (errno == EXDEV) {
    throw base::Error(base::ErrorKind::failed,
                      "the repository of images is on another file system or mount than the deployments, which share "
                      "their files with it",
                      "put both on one file system; [paths] in berth.conf(5) says where they are");
  }
  base::throw_errno("make a hard link from the repository");
}

void checkout_tree(const Repository& repository, const StoreOptions& options, const Checksum& commit, int folder,
                   const std::string& name) {
  if (base::stat_at(folder, name)) {
    throw base::Error(base::ErrorKind::conflict, fmt::format("cannot check out: {} exists already", name));
  }
  check_linkable(repository, folder);
  base::ScopeExit undo([&]() noexcept { remove_half_made(folder, name); });
  if (repository.mode() == RepositoryMode::bare) {
    base::in_context([&] { return "checking out into " + name; },
                     [&] { link_tree(repository, options, repository.load_commit(commit).root, folder, name); });
  } else {
    let_libostree(repository, commit, folder, name);
  }
  undo.dismiss();
}

}  // namespace berth::store
