// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/checkout/checkout.hpp"
#include "store/import.hpp"
#include "store/ostree/object_verifier.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository.hpp"
#include "store/ostree/repository_creation.hpp"
#include "store/ostree/repository_lock.hpp"
#include "store/ostree/staging.hpp"
#include "store/prune.hpp"
#include "store/pull.hpp"
#include "store/stored_image.hpp"
#include "store/verified_copy.hpp"
#include "store/verify.hpp"

namespace berth::store {

namespace {

/// The same image by another of its names.
StoredImage renamed(StoredImage image, const Branch& branch) {
  auto name = describe_name(branch);
  image.branch = std::move(name.branch);
  image.name = std::move(name.name);
  return image;
}

}  // namespace

class Store::Impl {
 public:
  /// @param repository nullopt when it does not exist yet: it is created before the first write
  Impl(std::optional<Repository> repository, std::optional<Repository> elsewhere, StoreOptions options)
      : repository_(std::move(repository)), elsewhere_(std::move(elsewhere)), options_(std::move(options)) {}

  [[nodiscard]] const Repository& repository() const {
    if (!repository_) {
      repository_.emplace(Repository::open(options_));
    }
    return *repository_;
  }
  /// The repository of this store, then the read-only one; null when it does not exist.
  [[nodiscard]] std::array<const Repository*, 2> both() const {
    return {repository_ ? &*repository_ : nullptr, elsewhere_ ? &*elsewhere_ : nullptr};
  }
  [[nodiscard]] const Repository& repository_of(const StoredImage& image) const {
    return image.elsewhere && elsewhere_ ? *elsewhere_ : repository();
  }
  [[nodiscard]] bool is_elsewhere(const Repository& repository) const {
    return elsewhere_ && &repository == &*elsewhere_;
  }
  [[nodiscard]] const StoreOptions& options() const { return options_; }
  /// An image that cannot be read is listed with its name and commit.
  [[nodiscard]] StoredImage describe(const Repository& repository, const Branch& branch) const {
    auto image = read(repository, branch);
    image.elsewhere = is_elsewhere(repository);
    return image;
  }
  /// Copies an image that only the read-only repository has, with verification.
  void take_over(const std::string& name, const std::vector<std::string>& refs) {
    options_.reporter->step(fmt::format("copying {} from {}, which other users can change", name, options_.read_only));
    copy_verified(*elsewhere_, options_, refs);
  }
  void take_over(const Checksum& commit) {
    const ObjectName object{OSTREE_OBJECT_TYPE_COMMIT, commit};
    if (elsewhere_ && elsewhere_->has(object) && !repository().has(object)) {
      take_over("the commit " + commit.hex(), {commit.hex()});
    }
  }
  void take_over(const StoredImage& image) {
    std::vector<std::string> refs{image.branch};
    auto parts = image.layers;
    parts.push_back(image.id);  // the branch of the configuration, written by `atomic`
    for (const auto& part : parts) {
      if (const auto branch = layer_branch(part); is_layer_branch(branch) && elsewhere_->resolve(branch)) {
        refs.push_back(branch);
      }
    }
    take_over(image.name, refs);
  }
  /// Adds the images whose names are not in `result` yet.
  void add_images(const Repository& repository, bool with_layers, std::vector<StoredImage>& result) const {
    std::set<std::string> known;
    for (const auto& image : result) {
      known.insert(image.branch);
    }
    std::map<Checksum, std::size_t> by_commit;  // where it is in `result`
    for (const auto& branch : repository.branches()) {
      const bool layer = is_layer_branch(branch.name);
      if ((layer && !with_layers) || known.contains(branch.name)) {
        continue;
      }
      if (const auto same = by_commit.find(branch.commit); same != by_commit.end() && !layer) {
        result.push_back(renamed(result[same->second], branch));
      } else if (repository.has({OSTREE_OBJECT_TYPE_COMMIT, branch.commit})) {
        if (!layer) {
          by_commit.emplace(branch.commit, result.size());
        }
        result.push_back(describe(repository, branch));
      } else {
        options_.reporter->warning(fmt::format("{} is left out: its commit, {}, is missing; {}", branch.name,
                                               repository.path_of({OSTREE_OBJECT_TYPE_COMMIT, branch.commit}),
                                               branch_hint));
      }
    }
  }
  void hold() {
    if (!lock_) {
      lock_ = RepositoryLock::take(repository().directory(), RepositoryLock::Kind::shared, options_);
    }
  }

 private:
  [[nodiscard]] StoredImage read(const Repository& repository, const Branch& branch) const {
    const bool layer = is_layer_branch(branch.name);
    try {
      const auto commit = repository.load_commit(branch.commit);
      return layer ? describe_layer(branch, commit) : describe_image(branch, commit);
    } catch (const base::Error& error) {
      const bool named = branch.name != branch_prefix;
      options_.reporter->warning(fmt::format("{} cannot be read: {}",
                                             named ? branch.name : "the commit " + branch.commit.hex(), error.what()));
      return describe_name(branch);
    }
  }

  mutable std::optional<Repository> repository_;
  std::optional<Repository> elsewhere_;
  StoreOptions options_;
  std::optional<RepositoryLock> lock_;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

namespace {

/// A repository of another mode, or one that cannot be read, is ignored.
std::optional<Repository> open_elsewhere(StoreOptions options) {
  if (options.read_only.empty()) {
    return std::nullopt;
  }
  options.repository = options.read_only;
  options.recovered = false;
  try {
    return Repository::open_existing(options);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::conflict) {
      options.reporter->warning(error.what());
    }
    return std::nullopt;
  }
}

}  // namespace

Store Store::open(const StoreOptions& options) {
  return Store(std::make_unique<Impl>(Repository::open(options), open_elsewhere(options), options));
}

std::optional<Store> Store::open_existing(const StoreOptions& options) {
  auto repository = Repository::open_existing(options);
  auto elsewhere = open_elsewhere(options);
  if (!repository && !elsewhere) {
    return std::nullopt;
  }
  return Store(std::make_unique<Impl>(std::move(repository), std::move(elsewhere), options));
}

void Store::remove_left_overs(const StoreOptions& options) {
  if (base::stat_at(AT_FDCWD, options.repository + "/tmp")) {
    remove_stale_staging(base::open_host_directory(options.repository).get(), std::chrono::minutes(1));
  }
}

void Store::repair_config(const StoreOptions& options) {
  if (const auto kept = store::repair_config(options)) {
    options.reporter->warning(
        fmt::format("the configuration of the repository, {}/config, was damaged and is written "
                    "again, with the defaults{}",
                    options.repository, kept->empty() ? "" : "; the old file is " + *kept));
  }
}

void Store::hold() {
  impl_->hold();
}

PullResult Store::pull(image::ImageSource& source, const image::Platform& platform) {
  hold();
  return base::in_context([&] { return "pulling " + source.name().text(); },
                          [&] { return pull_image(impl_->repository(), impl_->options(), source, platform); });
}

std::optional<StoredImage> Store::look_up(const image::ImageName& name) const {
  const auto branch = image_branch(name);
  for (const auto* repository : impl_->both()) {
    if (const auto commit = repository == nullptr ? std::nullopt : repository->resolve(branch)) {
      return impl_->describe(*repository, {branch, *commit});
    }
  }
  return std::nullopt;
}

std::optional<StoredImage> Store::find(const image::ImageName& name) {
  auto image = look_up(name);
  if (!image) {
    return std::nullopt;
  }
  hold();
  if (image->elsewhere) {
    impl_->take_over(*image);
  }
  image = look_up(name);
  return !image || image->merged ? std::move(image) : merge_stored(impl_->repository(), impl_->options(), *image);
}

std::optional<StoredImage> Store::describe(const std::string& commit, const std::string& name) const {
  if (commit.empty()) {
    return std::nullopt;
  }
  const auto checksum = Checksum::from_hex(commit);
  for (const auto* repository : impl_->both()) {
    if (repository != nullptr && repository->has({OSTREE_OBJECT_TYPE_COMMIT, checksum})) {
      auto image = impl_->describe(*repository, {branch_prefix, checksum});
      image.branch.clear();
      image.name = name;
      return image;
    }
  }
  return std::nullopt;
}

std::vector<StoredImage> Store::images(bool with_layers) const {
  std::vector<StoredImage> result;
  for (const auto* repository : impl_->both()) {
    if (repository != nullptr) {
      impl_->add_images(*repository, with_layers, result);
    }
  }
  std::sort(result.begin(), result.end(),
            [](const auto& left, const auto& right) { return left.branch < right.branch; });
  return result;
}

bool Store::verify_before_use(const std::string& commit) const {
  return store::verify_before_use(impl_->repository(), impl_->options(), Checksum::from_hex(commit));
}

std::vector<StoredImage> Store::lost() const {
  std::vector<StoredImage> result;
  const auto* repository = impl_->both().front();  // branches of the read-only repository are not managed here
  if (repository == nullptr) {
    return result;
  }
  for (const auto& branch : repository->branches()) {
    if (!repository->has({OSTREE_OBJECT_TYPE_COMMIT, branch.commit})) {
      result.push_back(describe_name(branch));
    }
  }
  for (const auto& damaged : repository->damaged_branches()) {
    result.push_back(describe_name({damaged.name, {}}));
    result.back().commit.clear();
  }
  for (auto& image : result) {
    image.present = false;
  }
  return result;
}

std::string Store::branch_file(const std::string& branch) const {
  return impl_->options().repository + "/" + branch_path(branch);
}

void Store::check_linkable(int directory) const {
  store::check_linkable(impl_->repository(), directory);
}

void Store::checkout(const std::string& commit, int directory, const std::string& name, CheckoutFiles files) {
  hold();
  const auto checksum = Checksum::from_hex(commit);
  impl_->take_over(checksum);
  store::verify_before_use(impl_->repository(), impl_->options(), checksum);
  checkout_tree(impl_->repository(), impl_->options(), checksum, directory, name, files);
}

void Store::tag(const StoredImage& image, const image::ImageName& name) {
  hold();
  if (image.elsewhere) {
    impl_->take_over(image);
  }
  Transaction transaction(impl_->repository());
  transaction.set_branch(image_branch(name), Checksum::from_hex(image.commit));
  transaction.commit();
}

void Store::import_from(const std::string& repository, ImportedFiles files) {
  hold();
  import_repository(impl_->repository(), impl_->options(), repository, files);
}

void Store::remove(const std::string& branch) {
  hold();
  impl_->repository().remove_branch(branch);
}

PruneReport Store::prune(const PruneRequest& request) {
  return prune_repository(impl_->repository(), impl_->options(), request);
}

std::vector<std::string> Store::commits_of(const StoredImage& image) const {
  if (image.commit.empty()) {
    return {};
  }
  std::vector<std::string> commits{image.commit};
  for (const auto& layer : image.layers) {
    if (const auto commit = impl_->repository_of(image).resolve(layer_branch(layer))) {
      commits.push_back(commit->hex());
    }
  }
  return commits;
}

VerifyReport Store::verify(const VerifyRequest& request) const {
  return verify_repository(impl_->repository(), impl_->options(), request);
}

std::string Store::config_of(const StoredImage& image) const {
  return stored_config(impl_->repository_of(image), image);
}

std::optional<std::string> Store::read_file(const StoredImage& image, const std::string& path,
                                            std::uint64_t limit) const {
  return image.merged || image.name.empty()
             ? impl_->repository_of(image).read_file(Checksum::from_hex(image.commit), path, limit)
             : read_unmerged_file(impl_->repository_of(image), image, path, limit, impl_->options().stop);
}

}  // namespace berth::store
