// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/checkout/checkout_verifier.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/checkout/checkout.hpp"
#include "store/ostree/libostree.hpp"

namespace berth::store {
namespace {

Inode inode_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

/// nullopt when the directory does not exist, as in a checkout that is being removed. Links are not followed.
base::Fd find_directory(int directory, const std::string& name) {
  base::Fd found(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!found && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
    base::throw_errno("open the directory " + base::full_path(directory, name));
  }
  return found;
}

/// nullopt for a directory that is damaged.
std::optional<DirectoryListing> readable(const Repository& repository, const StoredDirectory& directory) {
  try {
    return repository.load_directory(directory.tree);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

struct StoredLink {
  bool link = false;
  std::string target;
};

/// The content of an object in a repository that is not bare, in which links are files that contain the target.
StoredLink stored_link(const Repository& repository, const ObjectName& name) {
  if (!S_ISLNK(repository.type_of(name.checksum))) {
    return {};
  }
  const auto text = base::read_file_at(repository.directory(), object_path(name), PATH_MAX).value_or("");
  return {true, text.c_str()};  // some programs write a NUL at its end
}

}  // namespace

CheckoutVerifier::CheckoutVerifier(const Repository& repository, std::stop_token stop, base::Reporter& reporter)
    : repository_(repository),
      stop_(std::move(stop)),
      activity_(reporter, "deployments", base::ProgressTask::comparing, base::ProgressUnit::files) {}

std::vector<CheckoutFault> CheckoutVerifier::compare(const CheckedOut& checkout) {
  replaced_ = nullptr;
  return walk(checkout);
}

std::vector<CheckoutFault> CheckoutVerifier::compare(const CheckedOut& checkout,
                                                     const std::map<Inode, ObjectName>& replaced) {
  replaced_ = &replaced;
  return replaced.empty() ? std::vector<CheckoutFault>() : walk(checkout);
}

std::vector<CheckoutFault> CheckoutVerifier::walk(const CheckedOut& checkout) {
  const auto commit = Checksum::from_hex(checkout.commit);
  faults_.clear();
  const auto root = find_directory(AT_FDCWD, checkout.path);
  if (root && !repository_.verify({OSTREE_OBJECT_TYPE_COMMIT, commit})) {
    compare_directory(root.get(), repository_.load_commit(commit).root, "");
  }
  return std::move(faults_);
}

void CheckoutVerifier::compare_directory(int directory, const StoredDirectory& stored, const std::string& path) {
  if (stop_.stop_requested()) {
    base::throw_interrupted();
  }
  const auto listing = readable(repository_, stored);
  if (!listing) {
    return;
  }
  for (const auto& [leaf, content] : listing->files) {
    compare_file(directory, leaf, fmt::format("{}/{}", path, leaf), {OSTREE_OBJECT_TYPE_FILE, content});
  }
  for (const auto& [leaf, inner] : listing->directories) {
    enter_directory(directory, leaf, fmt::format("{}/{}", path, leaf), inner);
  }
  activity_.advance(listing->files.size());
}

void CheckoutVerifier::enter_directory(int directory, const std::string& leaf, const std::string& path,
                                       const StoredDirectory& stored) {
  if (const auto found = find_directory(directory, leaf)) {
    compare_directory(found.get(), stored, path);
  } else if (replaced_ == nullptr) {
    faults_.push_back({path, {OSTREE_OBJECT_TYPE_DIR_TREE, stored.tree}, !base::stat_at(directory, leaf)});
  }
}

bool CheckoutVerifier::is_asked_for(const std::optional<struct stat>& there, const ObjectName& name) const {
  if (replaced_ == nullptr) {
    return true;
  }
  const auto found = there ? replaced_->find(inode_of(*there)) : replaced_->end();
  return found != replaced_->end() && found->second == name;
}

void CheckoutVerifier::compare_file(int directory, const std::string& leaf, const std::string& path,
                                    const ObjectName& name) {
  const auto there = base::stat_at(directory, leaf);
  if (is_asked_for(there, name) && (!there || (!is_object(*there, name) && !is_right(directory, leaf, *there, name)))) {
    faults_.push_back({path, name, !there});
  }
}

bool CheckoutVerifier::is_object(const struct stat& there, const ObjectName& name) {
  const auto [found, fresh] = objects_.try_emplace(name);
  if (fresh) {
    if (const auto status = base::stat_at(repository_.directory(), object_path(name))) {
      found->second = inode_of(*status);
    }
  }
  return found->second == inode_of(there);
}

/// Whether a file of a rootless checkout has the bytes of the object, which is a plain file in such a repository.
bool CheckoutVerifier::has_content(int directory, const std::string& leaf, const ObjectName& name) const {
  const base::Fd file = base::open_at(directory, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  const base::Fd object = base::open_at(repository_.directory(), object_path(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  std::array<char, 65536> own{};
  std::array<char, 65536> stored{};
  while (true) {
    const auto count = ::read(file.get(), own.data(), own.size());
    const auto expected = ::read(object.get(), stored.data(), stored.size());
    if (count < 0 || count != expected || !std::equal(own.begin(), own.begin() + count, stored.begin())) {
      return false;
    }
    if (count == 0) {
      return true;
    }
  }
}

/// Whether a file is a copy of the object. Checkouts have copies of empty files and of objects with the most links
/// possible.
bool CheckoutVerifier::is_right(int directory, const std::string& leaf, const struct stat& there,
                                const ObjectName& name) {
  if (repository_.mode() != RepositoryMode::bare && S_ISLNK(there.st_mode)) {
    const auto stored = stored_link(repository_, name);
    return stored.link && base::read_link_at(directory, leaf) == stored.target;
  }
  if (repository_.mode() != RepositoryMode::bare) {
    return S_ISREG(there.st_mode) &&
           has_content(directory, leaf, name);  // owners and modes differ from those of the image
  }
  const auto [found, fresh] = hashed_.try_emplace(inode_of(there));
  // libostree aborts the process when it has to hash anything else.
  if (fresh && (S_ISREG(there.st_mode) || S_ISLNK(there.st_mode))) {
    Failure failure;
    char* hex = nullptr;
    if (libostree().checksum_file_at(directory, leaf.c_str(), nullptr, OSTREE_OBJECT_TYPE_FILE,
                                     OSTREE_CHECKSUM_FLAGS_NONE, &hex, nullptr, failure.out()) != 0) {
      found->second = CharsPtr(hex).get();
    }
  }
  return found->second == name.checksum.hex();
}

void CheckoutVerifier::repair(const CheckedOut& checkout, const std::vector<CheckoutFault>& faults) const {
  const auto root = base::open_directory_at(AT_FDCWD, checkout.path);
  for (const auto& fault : faults) {
    const auto [parent, leaf] = base::split_path(fault.path);
    const auto directory = base::open_beneath(root.get(), parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
    if (fault.wanted.type == OSTREE_OBJECT_TYPE_FILE) {
      repair_file(directory.get(), leaf, fault.wanted);
    } else {
      repair_directory(checkout, directory.get(), leaf, fault.path);
    }
  }
  if (!faults.empty()) {
    base::check_errno(::syncfs(root.get()), "write " + checkout.path + " to the disk");
  }
}

void CheckoutVerifier::repair_file(int directory, const std::string& leaf, const ObjectName& name) const {
  const auto temporary = std::string(base::temporary_prefix) + name.checksum.hex();
  const auto place = base::full_path(directory, leaf);
  base::unlink_at(directory, temporary);
  const auto stored = repository_.mode() == RepositoryMode::bare ? StoredLink() : stored_link(repository_, name);
  if (stored.link) {
    base::check_errno(::symlinkat(stored.target.c_str(), directory, temporary.c_str()), "create " + place);
  } else {
    base::check_errno(::linkat(repository_.directory(), object_path(name).c_str(), directory, temporary.c_str(), 0),
                      "link the good object to " + place);
  }
  if (const auto there = base::stat_at(directory, leaf); there && S_ISDIR(there->st_mode)) {
    base::remove_tree_at(directory, leaf);
  }
  base::check_errno(::renameat(directory, temporary.c_str(), directory, leaf.c_str()), "replace " + place);
}

void CheckoutVerifier::repair_directory(const CheckedOut& checkout, int directory, const std::string& leaf,
                                        const std::string& path) const {
  base::unlink_at(directory, leaf);
  checkout_directory(repository_, Checksum::from_hex(checkout.commit), path, directory, leaf);
}

}  // namespace berth::store
