// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of the files of a checkout with its commit.
#pragma once

#include <sys/stat.h>

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/activity.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_walk.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// A file or directory of a checkout that differs from the commit.
struct CheckoutFault {
  std::string path;  ///< absolute in the image
  ObjectName wanted;
  bool missing = false;
};

/// Compares checkouts with their commits. A file with the inode of the object needs no comparison; any other is hashed,
/// each inode once. Directories only have to exist. Files that the commit does not have are ignored, since runtimes
/// create mount points.
class CheckoutVerifier {
 public:
  /// @param repository must outlive it
  CheckoutVerifier(const Repository& repository, std::stop_token stop, base::Reporter& reporter);

  /// The files and directories that differ; none when the checkout does not exist. Directories of the commit that
  /// cannot be read are ignored.
  /// @throws Interrupted
  std::vector<CheckoutFault> compare(const CheckedOut& checkout);
  /// Only the files that still have the inode of a replaced object.
  std::vector<CheckoutFault> compare(const CheckedOut& checkout, const std::map<Inode, ObjectName>& replaced);

  /// Replaces these files by links to the objects, which must be good, each by one rename. Directories are checked out.
  /// @throws Error
  void repair(const CheckedOut& checkout, const std::vector<CheckoutFault>& faults) const;

 private:
  std::vector<CheckoutFault> walk(const CheckedOut& checkout);
  [[nodiscard]] bool has_content(int directory, const std::string& leaf, const ObjectName& name) const;
  [[nodiscard]] bool is_asked_for(const std::optional<struct stat>& there, const ObjectName& name) const;
  void compare_directory(int directory, const StoredDirectory& stored, const std::string& path);
  void compare_file(int directory, const std::string& leaf, const std::string& path, const ObjectName& name);
  void enter_directory(int directory, const std::string& leaf, const std::string& path, const StoredDirectory& stored);
  bool is_object(const struct stat& there, const ObjectName& name);
  bool is_right(int directory, const std::string& leaf, const struct stat& there, const ObjectName& name);
  void repair_file(int directory, const std::string& leaf, const ObjectName& name) const;
  void repair_directory(const CheckedOut& checkout, int directory, const std::string& leaf,
                        const std::string& path) const;

  const Repository& repository_;
  std::stop_token stop_;
  base::Activity activity_;
  const std::map<Inode, ObjectName>* replaced_ = nullptr;  ///< nullptr: everything is compared
  std::vector<CheckoutFault> faults_;
  std::unordered_map<ObjectName, std::optional<Inode>, HashObject> objects_;
  std::map<Inode, std::string> hashed_;  ///< checksums as hex; empty for a file that cannot be an object
};

}  // namespace berth::store
