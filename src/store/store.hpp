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

/// One open repository. Not for use from several threads, except where it uses them itself.
class Store {
 public:
  /// @throws Error
  static Store open(const StoreOptions& options);
  /// As open, but nullopt when there is no repository yet.
  static std::optional<Store> open_existing(const StoreOptions& options);
  /// Removes what killed commands left in the repository for a moment's work, if there is one. What is in use stays.
  static void remove_left_overs(const StoreOptions& options);
  /// Writes the configuration of the repository anew when it is damaged, says so, and keeps what was there.
  /// @throws Error when that is not possible
  static void mend_config(const StoreOptions& options);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Fetches what is missing and makes `ociimage/ENCODED` name the merged tree; durable when it returns.
  /// Nothing is left behind by a failure or a stop request but unreferenced staging that the next run removes.
  PullResult pull(image::ImageSource& source, const image::Platform& platform);

  /// Takes the repository's shared lock and keeps it as long as this Store lives: until then no prune removes anything.
  /// pull, find, checkout and tag do so by themselves. @throws Error(conflict) naming who holds it
  void hold();

  /// nullopt when the image is not stored. For an image of an older tool (layer commits only) the merged
  /// commit is computed and stored first; one that is elsewhere is taken over.
  std::optional<StoredImage> find(const image::ImageName& name);
  /// As find, but only looks: takes no lock, and what an older tool stored stays as it is.
  [[nodiscard]] std::optional<StoredImage> look_up(const image::ImageName& name) const;
  /// What a commit says about itself, for one that no branch may name; nullopt when it is not stored.
  /// @param name of the image, as far as it is known
  [[nodiscard]] std::optional<StoredImage> describe(const std::string& commit, const std::string& name) const;
  /// All images, with layers when `with_layers`, sorted by branch.
  std::vector<StoredImage> images(bool with_layers) const;

  /// Images and layers of which only the branch is left: its commit is not there, or the branch is damaged, and then
  /// `commit` is empty. Not part of images().
  [[nodiscard]] std::vector<StoredImage> lost() const;
  /// The file of a branch.
  [[nodiscard]] std::string branch_file(const std::string& branch) const;

  /// Whether checkout() can work in `directory` at all; to be asked before anything is fetched for it.
  /// @throws Error when it is on another file system
  void check_linkable(int directory) const;

  /// Examines a commit, when other users may have changed what is stored since it was last examined.
  /// @return whether they may have, examined or not. @throws Error(verification) naming what is damaged
  [[nodiscard]] bool examine_before_use(const std::string& commit) const;

  /// Examines a merged commit so, and checks its tree out into the new directory `name` below `directory`, or, with
  /// `.`, into `directory`, which must be empty. Ends with an error and nothing new when the file systems of links
  /// differ or `name` exists. From a repository of mode bare-user, where all files belong to one user, the group gets
  /// the rights of the owner: who is not root in a container of that user is in root's group.
  void checkout(const std::string& commit, int directory, const std::string& name,
                CheckoutFiles files = CheckoutFiles::linked);

  /// Gives a stored image another name, replacing what had it. Durable.
  void tag(const StoredImage& image, const image::ImageName& name);
  /// Takes over images and layers of another repository on this machine, as far as their names are free here. Objects
  /// become hard links where they can and may. Durable. @param repository absolute path. @throws Error
  void import_from(const std::string& repository, ImportedFiles files);
  /// Forgets a name or layer; what it named stays until a prune. Durable.
  void remove(const std::string& branch);
  /// Removes layers that no image is made of, and all objects that neither a branch nor `request.roots` reach. Commits
  /// that neither berth nor the older tools wrote stay, with all they consist of. While a branch is damaged, or names a
  /// commit that is not there, all commits stay, and contents that something links to: what it needs is not known.
  /// @throws Error(verification), having removed nothing, when damage hides what is in use
  PruneReport prune(const PruneRequest& request);

  /// The commits whose objects make up a stored image: its tree, if merged, and its layers as far as they are stored.
  [[nodiscard]] std::vector<std::string> commits_of(const StoredImage& image) const;
  /// Compares all objects of the groups with their names: contents, owners, modes and extended attributes, in two
  /// threads, each once; and then the files of the checkouts that are not these objects. The places of damaged objects
  /// are named in all these commits.
  [[nodiscard]] VerifyReport verify(const VerifyRequest& request) const;
  /// The image configuration, also where an older tool keeps it; empty when there is none.
  [[nodiscard]] std::string config_of(const StoredImage& image) const;
  /// Content of the regular file `path` in the tree of an image; nullopt when there is none. Follows no link. What an
  /// older tool stored is merged for this, and stays as it is.
  /// @param limit bytes; more are Error(verification)
  [[nodiscard]] std::optional<std::string> read_file(const StoredImage& image, const std::string& path,
                                                     std::uint64_t limit) const;

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::store
