#include "store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/checkout.hpp"
#include "store/import.hpp"
#include "store/prune.hpp"
#include "store/pull.hpp"
#include "store/refs.hpp"
#include "store/repository.hpp"
#include "store/repository_lock.hpp"
#include "store/staging.hpp"
#include "store/stored_image.hpp"
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
  Impl(Repository repository, StoreOptions options)
      : repository_(std::move(repository)), options_(std::move(options)) {}

  [[nodiscard]] const Repository& repository() const { return repository_; }
  [[nodiscard]] const StoreOptions& options() const { return options_; }
  /// One that cannot be read is still an image, of which only name and commit are known.
  [[nodiscard]] StoredImage describe(const Branch& branch) const {
    const bool layer = is_layer_branch(branch.name);
    try {
      const auto commit = repository_.load_commit(branch.commit);
      return layer ? describe_layer(branch, commit) : describe_image(branch, commit);
    } catch (const base::Error& error) {
      options_.reporter->warning(fmt::format("{} cannot be read: {}", branch.name, error.what()));
      return describe_name(branch);
    }
  }
  void hold() {
    if (!lock_) {
      lock_ = RepositoryLock::take(repository_.folder(), RepositoryLock::Kind::shared, options_);
    }
  }

 private:
  Repository repository_;
  StoreOptions options_;
  std::optional<RepositoryLock> lock_;
};

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Store Store::open(const StoreOptions& options) {
  return Store(std::make_unique<Impl>(Repository::open(options), options));
}

std::optional<Store> Store::open_existing(const StoreOptions& options) {
  auto repository = Repository::open_existing(options);
  if (!repository) {
    return std::nullopt;
  }
  return Store(std::make_unique<Impl>(std::move(*repository), options));
}

void Store::remove_left_overs(const StoreOptions& options) {
  if (base::stat_at(AT_FDCWD, options.repository + "/tmp")) {
    remove_stale_staging(base::open_host_folder(options.repository).get(), std::chrono::minutes(1));
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
  const auto commit = impl_->repository().resolve(branch);
  return commit ? std::optional(impl_->describe({branch, *commit})) : std::nullopt;
}

std::optional<StoredImage> Store::find(const image::ImageName& name) {
  hold();
  auto image = look_up(name);
  return !image || image->merged ? std::move(image) : merge_stored(impl_->repository(), impl_->options(), *image);
}

std::optional<StoredImage> Store::describe(const std::string& commit, const std::string& name) const {
  if (commit.empty()) {
    return std::nullopt;
  }
  const auto checksum = Checksum::from_hex(commit);
  if (!impl_->repository().has({OSTREE_OBJECT_TYPE_COMMIT, checksum})) {
    return std::nullopt;
  }
  auto image = impl_->describe({branch_prefix, checksum});
  image.branch.clear();
  image.name = name;
  return image;
}

std::vector<StoredImage> Store::images(bool with_layers) const {
  std::vector<StoredImage> result;
  std::map<Checksum, std::size_t> by_commit;  // where it is in `result`
  for (const auto& branch : impl_->repository().branches()) {
    const bool layer = is_layer_branch(branch.name);
    if (layer && !with_layers) {
      continue;
    }
    if (const auto same = by_commit.find(branch.commit); same != by_commit.end() && !layer) {
      result.push_back(renamed(result[same->second], branch));
    } else if (impl_->repository().has({OSTREE_OBJECT_TYPE_COMMIT, branch.commit})) {
      if (!layer) {
        by_commit.emplace(branch.commit, result.size());
      }
      result.push_back(impl_->describe(branch));
    } else {
      impl_->options().reporter->warning(
          fmt::format("{} is left out: its commit, {}, is missing; {}", branch.name,
                      impl_->repository().place_of({OSTREE_OBJECT_TYPE_COMMIT, branch.commit}), branch_hint));
    }
  }
  return result;
}

std::vector<StoredImage> Store::lost() const {
  std::vector<StoredImage> result;
  for (const auto& branch : impl_->repository().branches()) {
    if (!impl_->repository().has({OSTREE_OBJECT_TYPE_COMMIT, branch.commit})) {
      result.push_back(describe_name(branch));
    }
  }
  for (const auto& damaged : impl_->repository().damaged_branches()) {
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

void Store::check_linkable(int folder) const {
  store::check_linkable(impl_->repository(), folder);
}

void Store::checkout(const std::string& commit, int folder, const std::string& name, CheckoutFiles files) {
  hold();
  checkout_tree(impl_->repository(), impl_->options(), Checksum::from_hex(commit), folder, name, files);
}

void Store::tag(const StoredImage& image, const image::ImageName& name) {
  hold();
  Transaction transaction(impl_->repository());
  transaction.set_branch(image_branch(name), Checksum::from_hex(image.commit));
  transaction.commit();
}

void Store::import_from(const std::string& repository) {
  hold();
  import_repository(impl_->repository(), impl_->options(), repository);
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
    if (const auto commit = impl_->repository().resolve(layer_branch(layer))) {
      commits.push_back(commit->hex());
    }
  }
  return commits;
}

VerifyReport Store::verify(const VerifyRequest& request) const {
  return verify_repository(impl_->repository(), impl_->options(), request);
}

std::string Store::config_of(const StoredImage& image) const {
  return stored_config(impl_->repository(), image);
}

std::optional<std::string> Store::read_file(const StoredImage& image, const std::string& path,
                                            std::uint64_t limit) const {
  return image.merged || image.name.empty()
             ? impl_->repository().read_file(Checksum::from_hex(image.commit), path, limit)
             : read_unmerged_file(impl_->repository(), image, path, limit, impl_->options().stop);
}

}  // namespace berth::store
