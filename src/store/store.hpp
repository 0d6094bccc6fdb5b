// SPDX-License-Identifier: LGPL-2.1-or-later
// Images in an OSTree repository: layers and merged trees as commits, checked out with hard links.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "image/image_source.hpp"
#include "store/ostree/options.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// One open repository. Not thread-safe, though it uses threads itself.
class Store {
 public:
  /// @throws Error
  static Store open(const StoreOptions& options);
  /// As open. @return nullopt when the repository does not exist
  static std::optional<Store> open_existing(const StoreOptions& options);
  /// Removes temporary files of killed commands from the repository, if it exists. Files in use stay.
  static void remove_left_overs(const StoreOptions& options);
  /// Rewrites the configuration of the repository when it is damaged, reports that, and keeps the old file.
  /// @throws Error when that is not possible
  static void repair_config(const StoreOptions& options);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Fetches the missing layers and sets `ociimage/ENCODED` to the merged tree; durable when it returns. A failure or a
  /// stop request leaves nothing but unreferenced staging, which the next run removes.
  PullResult pull(image::ImageSource& source, const image::Platform& platform);

  /// Takes the repository's shared lock for the lifetime of this Store: no prune can remove anything meanwhile. pull,
  /// find, checkout and tag take it themselves. @throws Error(conflict) naming the holder
  void hold();

  /// For an image of `atomic`, which has commits of its layers alone, the merged commit is computed and stored first;
  /// one that is in the read-only repository alone is copied.
  /// @return nullopt when the image is not stored
  std::optional<StoredImage> find(const image::ImageName& name);
  /// As find, but takes no lock and changes nothing: an image of `atomic` stays unmerged.
  [[nodiscard]] std::optional<StoredImage> look_up(const image::ImageName& name) const;
  /// The image of a commit that no branch may name. @param name of the image, as far as it is known
  /// @return nullopt when it is not stored
  [[nodiscard]] std::optional<StoredImage> describe(const std::string& commit, const std::string& name) const;
  /// All images, with layers when `with_layers`, sorted by branch.
  std::vector<StoredImage> images(bool with_layers) const;

  /// Images and layers whose branch is left without its commit. If the branch itself is damaged, `commit` is empty. Not
  /// part of images().
  [[nodiscard]] std::vector<StoredImage> lost() const;
  /// The file of a branch.
  [[nodiscard]] std::string branch_file(const std::string& branch) const;

  /// Checks that checkout() can work in `directory`, before an image is fetched for it.
  /// @throws Error when it is on another file system
  void check_linkable(int directory) const;

  /// Verifies a commit if other users may have changed its objects since the last verification.
  /// @return whether they may have, whether or not it was verified now
  /// @throws Error(verification) naming the damaged object
  [[nodiscard]] bool verify_before_use(const std::string& commit) const;

  /// Verifies a merged commit likewise, and checks its tree out into the new directory `name` below `directory` or,
  /// with `.`, into `directory`, which must be empty. In a repository of mode bare-user, in which all files belong to
  /// one user, the group gets the rights of the owner, since users other than root in a container of that user are in
  /// root's group.
  /// @throws Error, leaving nothing new, when the file systems of links differ or `name` exists
  void checkout(const std::string& commit, int directory, const std::string& name,
                CheckoutFiles files = CheckoutFiles::linked);

  /// Gives a stored image another name, which may be that of another image before. Durable.
  void tag(const StoredImage& image, const image::ImageName& name);
  /// Takes over images and layers of another repository on this machine whose names are not in use here. Objects become
  /// hard links where that is possible and safe. Durable. @param repository absolute path. @throws Error
  void import_from(const std::string& repository, ImportedFiles files);
  /// Removes the branch of an image or layer; its objects stay until a prune. Durable.
  void remove(const std::string& branch);
  /// Removes layers that are part of no image, and all objects that neither a branch nor `request.in_use` reach.
  /// Commits of other tools than berth and `atomic` stay, with all their objects. While a branch is damaged, or its
  /// commit is missing, all commits stay, as do contents with further links, since the objects that it needs are not
  /// known.
  /// @throws Error(verification), having removed nothing, when damage hides which objects are in use
  PruneReport prune(const PruneRequest& request);

  /// The commits that a stored image consists of: its tree, if merged, and its stored layers.
  [[nodiscard]] std::vector<std::string> commits_of(const StoredImage& image) const;
  /// Compares all objects of the groups with their names: contents, owners, modes and extended attributes, in two
  /// threads, each once; and then the files of the checkouts that are not these objects. The result has the paths of
  /// damaged objects in all these commits.
  [[nodiscard]] VerifyReport verify(const VerifyRequest& request) const;
  /// The image configuration, also of images of `atomic`; empty when it is not stored.
  [[nodiscard]] std::string config_of(const StoredImage& image) const;
  /// Content of the regular file `path` in the tree of an image; no links are followed. An image of `atomic` is merged
  /// in memory for this.
  /// @param limit bytes; more are Error(verification)
  /// @return nullopt when the file does not exist
  [[nodiscard]] std::optional<std::string> read_file(const StoredImage& image, const std::string& path,
                                                     std::uint64_t limit) const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::store
