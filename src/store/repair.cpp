// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/repair.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/checkout/checkout_verifier.hpp"
#include "store/fetch.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_verifier.hpp"
#include "store/ostree/object_walk.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository.hpp"
#include "store/ostree/repository_lock.hpp"
#include "store/ostree/staging.hpp"
#include "store/ostree/timestamp.hpp"
#include "store/pull.hpp"
#include "store/stored_image.hpp"

namespace berth::store {
namespace {

using Objects = std::set<ObjectName>;

/// A temporary repository beside the objects that it replaces. Its name and lock are those of a staging directory, so
/// that the one of a killed repair is removed like those.
class Scratch {
 public:
  Scratch(const Repository& owner, StoreOptions options)
      : temporary_(base::open_directory_at(owner.directory(), "tmp")),
        name_(fmt::format("{}repair-{}", own_staging_prefix, ::getpid())),
        lock_(lock_staging(temporary_.get(), name_)),
        options_(std::move(options)) {
    base::remove_tree_at(temporary_.get(), name_);  // of an earlier process with this PID
    options_.repository += "/tmp/" + name_;
    repository_ = std::make_unique<Repository>(Repository::open(options_));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    try {
      base::remove_tree_at(temporary_.get(), name_);
      base::unlink_at(temporary_.get(), name_ + "-lock");
    } catch (const base::Error& error) {
      options_.reporter->warning(error.what());
    }
  }
  [[nodiscard]] const Repository& repository() const { return *repository_; }

 private:
  base::Fd temporary_;
  std::string name_;
  base::Fd lock_;
  StoreOptions options_;
  std::unique_ptr<Repository> repository_;
};

class Repair {
 public:
  Repair(const StoreOptions& options, StoredImage image, const RepairRequest& request)
      : options_(options),
        image_(std::move(image)),
        request_(request),
        repository_(Repository::open(options)),
        verifier_(repository_, options) {}

  RepairReport run() {
    std::optional<RepositoryLock> lock =
        RepositoryLock::take(repository_.directory(), RepositoryLock::Kind::shared, options_);
    remove_stale_staging(repository_.directory(), std::chrono::minutes(1));
    const Scratch scratch(repository_, options_);
    if (is_unknown()) {
      fetch_again();
    }
    Objects wanted;
    // The objects below a damaged directory are known only once that directory is good again.
    for (find_faults(); !faults_.empty(); find_faults()) {
      wanted.insert(faults_.begin(), faults_.end());
      note_inodes();
      fetch_into(scratch.repository());
      // Damaged objects must not be checked out while they are replaced.
      lock.reset();
      lock = RepositoryLock::take(repository_.directory(), RepositoryLock::Kind::exclusive, options_);
      replace_from(scratch.repository());
      rebuild_tree();
      refuse_rest();
    }
    report_.damaged += wanted.size();
    report_.layers += fetched_layers_.size();
    if (!wanted.empty()) {
      // Now objects may be checked out and linked, but not pruned.
      lock.reset();
      lock = RepositoryLock::take(repository_.directory(), RepositoryLock::Kind::shared, options_);
    }
    repair();
    return std::move(report_);
  }

 private:
  image::ImageSource& source() {
    if (!source_) {
      source_ = request_.open_source();
    }
    return *source_;
  }

  /// Whether the objects of the image, or of one of its layers, are not known. Those of a layer without a branch are
  /// irrelevant.
  bool is_unknown() {
    if (image_.commit.empty() || repository_.verify({OSTREE_OBJECT_TYPE_COMMIT, Checksum::from_hex(image_.commit)})) {
      return true;
    }
    std::set<std::string> lost;
    for (const auto& branch : repository_.damaged_branches()) {
      lost.insert(branch.name);
    }
    for (const auto& branch : repository_.branches()) {
      if (!repository_.has({OSTREE_OBJECT_TYPE_COMMIT, branch.commit})) {
        lost.insert(branch.name);
      }
    }
    return std::any_of(image_.layers.begin(), image_.layers.end(),
                       [&lost](const std::string& hex) { return lost.contains(layer_branch(hex)); });
  }

  void fetch_again() {
    auto result = pull_again(repository_, options_, source(), request_.platform, image_);
    image_ = std::move(result.image);
    report_.layers += result.layers_fetched;
    ++report_.damaged;
  }

  /// The damaged or missing objects below a commit, contents included.
  Objects faults_below(const Checksum& commit) {
    Objects faults;
    for (const auto& fault : verifier_.verify(image_.name, {commit}).faults) {
      faults.insert(fault.name);
    }
    return faults;
  }

  /// Records the inodes of damaged objects, by which their links in checkouts are found.
  void note_inodes() {
    for (const auto& name : faults_) {
      if (const auto status = base::stat_at(repository_.directory(), object_path(name))) {
        replaced_.emplace(Inode(status->st_dev, status->st_ino), name);
      }
    }
  }

  /// Directories of the merged tree are made from those of the layers, so the layers come first.
  void find_faults() {
    bad_layers_.clear();
    faults_.clear();
    for (const auto& hex : image_.layers) {
      const auto commit = repository_.resolve(layer_branch(hex));
      const auto found = commit ? faults_below(*commit) : Objects();
      if (!found.empty()) {
        bad_layers_.insert(hex);
        faults_.insert(found.begin(), found.end());
      }
    }
    layers_are_good_ = faults_.empty();
    if (!layers_are_good_) {
      return;
    }
    faults_ = faults_below(Checksum::from_hex(image_.commit));
    for (const auto& hex : image_.layers) {
      if (!faults_.empty() && !repository_.resolve(layer_branch(hex))) {
        bad_layers_.insert(hex);  // it may have the objects that the merged tree lacks
      }
    }
  }

  /// Fetches all layers with faults, with all checks of a pull.
  void fetch_into(const Repository& scratch) {
    std::erase_if(bad_layers_, [this](const std::string& hex) { return fetched_layers_.contains(hex); });
    if (bad_layers_.empty()) {
      return;
    }
    const auto resolved = source().resolve(request_.platform);
    if (resolved.digest.text() != image_.manifest_digest && resolved.manifest.config.digest.hex() != image_.id) {
      throw base::Error(
          base::ErrorKind::conflict, fmt::format("{} is now another image than the stored one", image_.name),
          "pull the new one and update the containers, or repair from a source that still has the old one, e.g. "
          "berth images repair oci:DIR");
    }
    const auto config = read_image_config(source(), resolved.manifest);
    std::vector<LayerRequest> wanted;
    for (std::size_t i = 0; i < resolved.manifest.layers.size(); ++i) {
      const auto& layer = resolved.manifest.layers[i];
      if (bad_layers_.contains(layer.digest.hex())) {
        wanted.push_back({layer, config.diff_ids[i], epoch_seconds(config.created), options_.stop, options_.reporter});
      }
    }
    Transaction transaction(scratch);
    static_cast<void>(fetch_layers(scratch, source(), wanted, options_));
    transaction.commit();
    fetched_layers_.insert(bad_layers_.begin(), bad_layers_.end());
  }

  /// Uses renames, so that each name refers to either the damaged object or the good one at any time.
  void replace_from(const Repository& scratch) {
    for (auto name = faults_.begin(); name != faults_.end();) {
      if (scratch.verify(*name)) {
        ++name;
        continue;
      }
      const auto path = object_path(*name);
      const auto directory = base::split_path(path).first;
      if (::mkdirat(repository_.directory(), directory.c_str(), 0755) != 0 && errno != EEXIST) {
        base::throw_errno("create " + directory);
      }
      // Anything but a file, such as a directory, is exchanged with the good object and removed with the temporary
      // repository.
      if (::renameat(scratch.directory(), path.c_str(), repository_.directory(), path.c_str()) != 0 &&
          ::renameat2(scratch.directory(), path.c_str(), repository_.directory(), path.c_str(), RENAME_EXCHANGE) != 0) {
        base::throw_errno("replace the damaged object " + path);
      }
      name = faults_.erase(name);
    }
    base::check_errno(::syncfs(repository_.directory()), "write the repository to the disk");
  }

  /// Merges the layers again, which writes the directories and the commit of the merged tree.
  void rebuild_tree() {
    if (faults_.empty() || !layers_are_good_ || !image_.merged) {
      return;
    }
    ReplacedObjects replaced;
    for (const auto& name : faults_) {
      if (name.type != OSTREE_OBJECT_TYPE_FILE) {
        replaced.insert(path_in_objects(name));
      }
    }
    if (replaced.empty()) {
      return;
    }
    merge_stored(repository_, options_, image_, replaced);
    std::erase_if(faults_, [this](const ObjectName& name) { return !repository_.verify(name); });
  }

  void refuse_rest() const {
    if (!faults_.empty()) {
      throw base::Error(
          base::ErrorKind::verification,
          fmt::format("{} objects of {} cannot be restored", faults_.size(), image_.name),
          fmt::format("remove it with berth images delete --force {}, prune, and pull it again", image_.name));
    }
  }

  void repair() {
    CheckoutVerifier comparison(repository_, options_.stop, *options_.reporter);
    for (const auto& checkout : request_.checkouts()) {
      const bool whole = checkout.whole && checkout.commit == image_.commit;
      const auto faults = whole ? comparison.compare(checkout) : comparison.compare(checkout, replaced_);
      if (faults.empty()) {
        continue;
      }
      comparison.repair(checkout, faults);
      MendedCheckout mended{checkout.path, {}};
      mended.files.reserve(faults.size());
      for (const auto& fault : faults) {
        mended.files.push_back(fault.path);
      }
      report_.mended.push_back(std::move(mended));
    }
  }

  const StoreOptions& options_;
  StoredImage image_;
  std::unique_ptr<image::ImageSource> source_;
  const RepairRequest& request_;
  Repository repository_;
  ObjectVerifier verifier_;
  std::map<Inode, ObjectName> replaced_;  ///< the damaged objects by their inodes
  std::set<std::string> bad_layers_;      ///< hex digests
  std::set<std::string> fetched_layers_;
  bool layers_are_good_ = false;
  Objects faults_;
  RepairReport report_;
};

}  // namespace

RepairReport repair_image(const StoreOptions& options, const StoredImage& image, const RepairRequest& request) {
  return Repair(options, image, request).run();
}

}  // namespace berth::store
