// Images in an OSTree repository: layers and merged trees as commits, checked out with hard links.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/reporter.hpp"
#include "image/image_source.hpp"

namespace berth::store {

enum class RepositoryMode { bare, bare_user };

struct StoreOptions {
  std::string repository;  ///< absolute path; created with its parents when missing
  RepositoryMode mode = RepositoryMode::bare;
  unsigned parallel_layers = 2;
  std::stop_token stop;
  base::Reporter* reporter = nullptr;  ///< not owned; required
};

/// One image or intermediate layer in the repository.
struct StoredImage {
  std::string branch;               ///< `ociimage/…`
  std::string name;                 ///< decoded image name; empty for a layer
  std::string id;                   ///< image id: hex digest of the image configuration; for a layer its digest
  std::string commit;               ///< OSTree commit; the merged tree of an image
  std::string manifest;             ///< exact manifest text; empty for layers
  std::string manifest_digest;      ///< `sha256:…`
  std::int64_t created = 0;         ///< epoch seconds of the image, or of the commit
  std::int64_t size = 0;            ///< bytes of the unpacked layers, 0 when unknown
  bool merged = false;              ///< false for images of older tools, whose commit is not the merged tree
  std::vector<std::string> layers;  ///< hex digests, lowest first
  std::string config;               ///< image configuration text when stored, else empty
};

struct PullResult {
  StoredImage image;
  bool changed = false;  ///< false: everything was present already
  std::size_t layers_fetched = 0;
  std::size_t layers_present = 0;
  std::uint64_t bytes_fetched = 0;  ///< compressed bytes
  std::uint64_t skipped_nodes = 0;  ///< device nodes, fifos and sockets that were left out
};

/// One open repository. Not for use from several threads, except where it uses them itself.
class Store {
 public:
  /// @throws Error
  static Store open(const StoreOptions& options);
  /// As open, but nullopt when there is no repository yet.
  static std::optional<Store> open_existing(const StoreOptions& options);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  /// Fetches what is missing and makes `ociimage/ENCODED` name the merged tree; durable when it returns.
  /// Nothing is left behind by a failure or a stop request but unreferenced staging that the next run removes.
  PullResult pull(image::ImageSource& source, const image::Platform& platform);

  /// nullopt when the image is not stored. For an image of an older tool (layer commits only) the merged
  /// commit is computed and stored first.
  std::optional<StoredImage> find(const image::ImageName& name);
  /// All images, with layers when `with_layers`, sorted by branch.
  std::vector<StoredImage> images(bool with_layers);

  /// Whether checkout() can work in `folder` at all; to be asked before anything is fetched for it.
  /// @throws Error when it is on another file system
  void check_linkable(int folder) const;

  /// Checks the tree of a merged commit out into the new folder `name` below `folder` with hard links.
  /// Ends with an error and no new folder when the file systems differ or `name` exists.
  void checkout(const std::string& commit, int folder, const std::string& name);

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace berth::store
