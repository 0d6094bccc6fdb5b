#include "store/repair.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/fetch.hpp"
#include "store/object_files.hpp"
#include "store/object_walk.hpp"
#include "store/pull.hpp"
#include "store/repository.hpp"
#include "store/repository_lock.hpp"
#include "store/stored_image.hpp"
#include "store/timestamp.hpp"

namespace berth::store {
namespace {

using Objects = std::set<ObjectName>;

/// What is damaged or missing below a commit, contents included.
Objects faults_below(const Repository& repository, const Checksum& commit, const std::stop_token& stop) {
  ObjectWalk walk(repository, stop);
  walk.add(commit);
  Objects faults;
  for (const auto& fault : walk.faults()) {
    faults.insert(fault.name);
  }
  for (const auto& name : walk.objects()) {
    if (stop.stop_requested()) {
      base::throw_interrupted();
    }
    if (name.type == OSTREE_OBJECT_TYPE_FILE && repository.examine(name)) {
      faults.insert(name);
    }
  }
  return faults;
}

/// A repository beside the objects that it is to replace, gone at the end.
class Scratch {
 public:
  Scratch(const Repository& owner, StoreOptions options)
      : owner_(owner), name_(fmt::format("tmp/berth-repair-{}", ::getpid())), options_(std::move(options)) {
    base::remove_tree_at(owner_.folder(), name_);  // of a process that had our number
    options_.repository += "/" + name_;
    repository_ = std::make_unique<Repository>(Repository::open(options_));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    try {
      base::remove_tree_at(owner_.folder(), name_);
    } catch (const base::Error& error) {
      options_.reporter->warning(error.what());
    }
  }
  [[nodiscard]] const Repository& repository() const { return *repository_; }

 private:
  const Repository& owner_;
  std::string name_;
  StoreOptions options_;
  std::unique_ptr<Repository> repository_;
};

class Repair {
 public:
  Repair(const StoreOptions& options, StoredImage image, image::ImageSource& source, const RepairRequest& request)
      : options_(options),
        image_(std::move(image)),
        source_(source),
        request_(request),
        repository_(Repository::open(options)) {}

  RepairReport run() {
    const Scratch scratch(repository_, options_);
    std::optional<RepositoryLock> lock =
        RepositoryLock::take(repository_.folder(), RepositoryLock::Kind::shared, options_);
    if (repository_.examine({OSTREE_OBJECT_TYPE_COMMIT, Checksum::from_hex(image_.commit)})) {
      pull_again();
    }
    Objects wanted;
    // What is below a damaged folder is known only once that folder is good again.
    for (find_faults(); !faults_.empty(); find_faults()) {
      wanted.insert(faults_.begin(), faults_.end());
      fetch_into(scratch.repository());
      // What is replaced must not be checked out meanwhile.
      lock.reset();
      lock = RepositoryLock::take(repository_.folder(), RepositoryLock::Kind::exclusive, options_);
      replace_from(scratch.repository());
      rebuild_tree();
      refuse_rest();
    }
    if (wanted.empty()) {
      return std::move(report_);
    }
    report_.damaged += wanted.size();
    report_.layers = fetched_layers_.size();
    for (const auto& checkout : request_.checkouts()) {
      mend(checkout, wanted);
    }
    return std::move(report_);
  }

 private:
  /// Nothing of a damaged commit can be believed, not even its layers. A pull fetches every layer whose commit is not
  /// there, and libostree writes what is not there.
  void pull_again() {
    remove(Checksum::from_hex(image_.commit));
    for (const auto& branch : repository_.branches()) {
      if (!is_layer_branch(branch.name)) {
        continue;
      }
      ObjectWalk walk(repository_, options_.stop);
      walk.add(branch.commit);
      for (const auto& fault : walk.faults()) {
        base::unlink_at(repository_.folder(), object_path(fault.name));
        remove(branch.commit);
      }
    }
    image_ = pull_image(repository_, options_, source_, request_.platform).image;
    ++report_.damaged;
  }

  void remove(const Checksum& commit) const {
    base::unlink_at(repository_.folder(), object_path({OSTREE_OBJECT_TYPE_COMMIT, commit}));
  }

  /// Folders of the merged tree are made from those of the layers, so the layers come first.
  void find_faults() {
    bad_layers_.clear();
    faults_.clear();
    for (const auto& hex : image_.layers) {
      const auto commit = repository_.resolve(layer_branch(hex));
      const auto found = commit ? faults_below(repository_, *commit, options_.stop) : Objects();
      if (!found.empty()) {
        bad_layers_.insert(hex);
        faults_.insert(found.begin(), found.end());
      }
    }
    layers_are_good_ = faults_.empty();
    if (!layers_are_good_) {
      return;
    }
    faults_ = faults_below(repository_, Checksum::from_hex(image_.commit), options_.stop);
    for (const auto& hex : image_.layers) {
      if (!faults_.empty() && !repository_.resolve(layer_branch(hex))) {
        bad_layers_.insert(hex);  // it may have what the merged tree lacks
      }
    }
  }

  /// All layers with faults, verified on their way as in every pull.
  void fetch_into(const Repository& scratch) {
    std::erase_if(bad_layers_, [this](const std::string& hex) { return fetched_layers_.contains(hex); });
    if (bad_layers_.empty()) {
      return;
    }
    const auto resolved = source_.resolve(request_.platform);
    if (resolved.digest.text() != image_.manifest_digest && resolved.manifest.config.digest.hex() != image_.id) {
      throw base::Error(base::ErrorKind::conflict,
                        fmt::format("what has the name {} now is another image than the stored one", image_.name),
                        "pull the new one and update the containers, or repair from where this one still is, e.g. "
                        "berth images repair oci:DIR");
    }
    const auto config = read_image_config(source_, resolved.manifest);
    std::vector<LayerRequest> wanted;
    for (std::size_t i = 0; i < resolved.manifest.layers.size(); ++i) {
      const auto& layer = resolved.manifest.layers[i];
      if (bad_layers_.contains(layer.digest.hex())) {
        wanted.push_back({layer, config.diff_ids[i], epoch_seconds(config.created), options_.stop, options_.reporter});
      }
    }
    Transaction transaction(scratch);
    static_cast<void>(fetch_layers(scratch, source_, wanted, options_));
    transaction.commit();
    fetched_layers_.insert(bad_layers_.begin(), bad_layers_.end());
  }

  /// By renames, so that each name means the damaged object or the good one at every moment.
  void replace_from(const Repository& scratch) {
    for (auto name = faults_.begin(); name != faults_.end();) {
      if (scratch.examine(*name)) {
        ++name;
        continue;
      }
      const auto path = object_path(*name);
      const auto folder = base::split_path(path).first;
      if (::mkdirat(repository_.folder(), folder.c_str(), 0755) != 0 && errno != EEXIST) {
        base::throw_errno("create " + folder);
      }
      base::check_errno(::renameat(scratch.folder(), path.c_str(), repository_.folder(), path.c_str()),
                        "replace the damaged object " + path);
      name = faults_.erase(name);
    }
    base::check_errno(::syncfs(repository_.folder()), "write the repository to the disk");
  }

  /// Merging the layers again writes the folders and the commit that only the merged tree has.
  void rebuild_tree() {
    if (faults_.empty() || !layers_are_good_ || !image_.merged) {
      return;
    }
    for (const auto& name : faults_) {
      if (name.type != OSTREE_OBJECT_TYPE_FILE) {
        base::unlink_at(repository_.folder(), object_path(name));
      }
    }
    merge_stored(repository_, options_, image_);
    std::erase_if(faults_, [this](const ObjectName& name) { return !repository_.examine(name); });
  }

  void refuse_rest() const {
    if (!faults_.empty()) {
      throw base::Error(
          base::ErrorKind::verification,
          fmt::format("{} objects of {} cannot be had again", faults_.size(), image_.name),
          fmt::format("forget it with berth images delete --force {}, prune, and pull it again", image_.name));
    }
  }

  void mend(const CheckedOut& checkout, const Objects& wanted) {
    MendedCheckout mended{checkout.path, {}};
    const auto commit = Checksum::from_hex(checkout.commit);
    if (wanted.empty() || repository_.examine({OSTREE_OBJECT_TYPE_COMMIT, commit})) {
      return;
    }
    const auto root = base::open_host_folder(checkout.path);
    visit_paths(repository_, commit, [&](const ObjectName& name, const std::string& path) {
      if (name.type == OSTREE_OBJECT_TYPE_FILE && wanted.contains(name) && mend_file(root.get(), path, name)) {
        mended.files.push_back(path);
      }
    });
    if (!mended.files.empty()) {
      base::check_errno(::syncfs(root.get()), "write " + checkout.path + " to the disk");
      report_.mended.push_back(std::move(mended));
    }
  }

  /// @return false when the file is right already, or is not there: then it is not ours to make
  bool mend_file(int root, const std::string& path, const ObjectName& name) const {
    const auto [parent, leaf] = base::split_path(path);
    const auto folder = base::open_beneath(root, parent.empty() ? "." : parent, O_RDONLY | O_DIRECTORY);
    const auto there = base::stat_at(folder.get(), leaf);
    const auto good = base::stat_at(repository_.folder(), object_path(name));
    if (!there || !good || (there->st_dev == good->st_dev && there->st_ino == good->st_ino) ||
        is_right(folder.get(), leaf, name)) {
      return false;
    }
    const auto temporary = std::string(base::temporary_prefix) + name.checksum.hex();
    base::unlink_at(folder.get(), temporary);
    base::check_errno(::linkat(repository_.folder(), object_path(name).c_str(), folder.get(), temporary.c_str(), 0),
                      "link the good object to " + path);
    base::check_errno(::renameat(folder.get(), temporary.c_str(), folder.get(), leaf.c_str()), "replace " + path);
    return true;
  }

  /// A copy, as checkouts have them of empty files. Only bare repositories keep files as checkouts have them.
  [[nodiscard]] bool is_right(int folder, const std::string& leaf, const ObjectName& name) const {
    if (repository_.mode() != RepositoryMode::bare) {
      return false;
    }
    Failure failure;
    char* found = nullptr;
    if (ostree_checksum_file_at(folder, leaf.c_str(), nullptr, OSTREE_OBJECT_TYPE_FILE, OSTREE_CHECKSUM_FLAGS_NONE,
                                &found, nullptr, failure.out()) == 0) {
      return false;
    }
    const CharsPtr hex(found);
    return name.checksum.hex() == hex.get();
  }

  const StoreOptions& options_;
  StoredImage image_;
  image::ImageSource& source_;
  const RepairRequest& request_;
  Repository repository_;
  std::set<std::string> bad_layers_;  ///< hex digests
  std::set<std::string> fetched_layers_;
  bool layers_are_good_ = false;
  Objects faults_;
  RepairReport report_;
};

}  // namespace

RepairReport repair_image(const StoreOptions& options, const StoredImage& image, image::ImageSource& source,
                          const RepairRequest& request) {
  return Repair(options, image, source, request).run();
}

}  // namespace berth::store
