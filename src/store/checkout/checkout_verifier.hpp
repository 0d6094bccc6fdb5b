// Whether the files of a checkout still are what its commit says.
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

/// A file or directory of a checkout that is not what the commit says.
struct CheckoutFault {
  std::string path;  ///< absolute in the image
  ObjectName wanted;
  bool missing = false;
};

/// Compares checkouts with their commits: a file that is the object itself, by its inode, is as good as that object is;
/// any other is hashed, each inode once. Directories need only be there. What the commit does not have is passed over:
/// a runtime makes mount points.
class CheckoutVerifier {
 public:
  /// @param repository must outlive it
  CheckoutVerifier(const Repository& repository, std::stop_token stop, base::Reporter& reporter);

  /// What of a checkout differs; nothing when it is gone. Directories of the commit that cannot be read are left out.
  /// @throws Error(interrupted)
  std::vector<CheckoutFault> compare(const CheckedOut& checkout);
  /// Only the files that still are what was an object once: by the inode that it had.
  std::vector<CheckoutFault> compare(const CheckedOut& checkout, const std::map<Inode, ObjectName>& replaced);

  /// Replaces what differs by links to the objects, which must be good, each by one rename. Directories are checked
  /// out.
  /// @throws Error
  void mend(const CheckedOut& checkout, const std::vector<CheckoutFault>& faults) const;

 private:
  std::vector<CheckoutFault> walk(const CheckedOut& checkout);
  [[nodiscard]] bool has_content(int directory, const std::string& leaf, const ObjectName& name) const;
  [[nodiscard]] bool is_asked_for(const std::optional<struct stat>& there, const ObjectName& name) const;
  void compare_directory(int directory, const StoredDirectory& stored, const std::string& path);
  void compare_file(int directory, const std::string& leaf, const std::string& path, const ObjectName& name);
  void enter_directory(int directory, const std::string& leaf, const std::string& path, const StoredDirectory& stored);
  bool is_object(const struct stat& there, const ObjectName& name);
  bool is_right(int directory, const std::string& leaf, const struct stat& there, const ObjectName& name);
  void mend_file(int directory, const std::string& leaf, const ObjectName& name) const;
  void mend_directory(const CheckedOut& checkout, int directory, const std::string& leaf,
                      const std::string& path) const;

  const Repository& repository_;
  std::stop_token stop_;
  base::Activity activity_;
  const std::map<Inode, ObjectName>* replaced_ = nullptr;  ///< nullptr: everything is compared
  std::vector<CheckoutFault> faults_;
  std::unordered_map<ObjectName, std::optional<Inode>, HashObject> objects_;
  std::map<Inode, std::string> hashed_;  ///< checksums as hex; empty for what cannot be an object
};

}  // namespace berth::store
