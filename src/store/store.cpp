#include "store/store.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "store/checkout.hpp"
#include "store/prune.hpp"
#include "store/pull.hpp"
#include "store/repository.hpp"
#include "store/repository_lock.hpp"
#include "store/stored_image.hpp"
#include "store/verify.hpp"

namespace berth::store {
namespace {

std::vector<Checksum> checksums(const std::vector<std::string>& commits) {
  std::vector<Checksum> result;
  result.reserve(commits.size());
  for (const auto& commit : commits) {
    result.push_back(Checksum::from_hex(commit));
  }
  return result;
}

}  // namespace

class Store::Impl {
 public:
  Impl(Repository repository, StoreOptions options)
      : repository_(std::move(repository)), options_(std::move(options)) {}

  [[nodiscard]] const Repository& repository() const { return repository_; }
  [[nodiscard]] const StoreOptions& options() const { return options_; }
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

void Store::hold() {
  impl_->hold();
}

PullResult Store::pull(image::ImageSource& source, const image::Platform& platform) {
  hold();
  return base::in_context([&] { return "pulling " + source.name().text(); },
                          [&] { return pull_image(impl_->repository(), impl_->options(), source, platform); });
}

std::optional<StoredImage> Store::look_up(const image::ImageName& name) const {
  const auto& repository = impl_->repository();
  const auto branch = image_branch(name);
  const auto commit = repository.resolve(branch);
  return commit ? std::optional(describe_image({branch, *commit}, repository.load_commit(*commit))) : std::nullopt;
}

std::optional<StoredImage> Store::find(const image::ImageName& name) {
  hold();
  auto image = look_up(name);
  return !image || image->merged ? std::move(image) : merge_stored(impl_->repository(), impl_->options(), *image);
}

std::optional<StoredImage> Store::describe(const std::string& commit, const std::string& name) const {
  const auto& repository = impl_->repository();
  const auto checksum = Checksum::from_hex(commit);
  if (repository.examine({OSTREE_OBJECT_TYPE_COMMIT, checksum})) {
    return std::nullopt;
  }
  auto image = describe_image({branch_prefix, checksum}, repository.load_commit(checksum));
  image.branch.clear();
  image.name = name;
  return image;
}

std::vector<StoredImage> Store::images(bool with_layers) const {
  const auto& repository = impl_->repository();
  std::vector<StoredImage> result;
  for (const auto& branch : repository.branches()) {
    const bool layer = is_layer_branch(branch.name);
    if (layer && !with_layers) {
      continue;
    }
    try {
      const auto commit = repository.load_commit(branch.commit);
      result.push_back(layer ? describe_layer(branch, commit) : describe_image(branch, commit));
    } catch (const base::Error& error) {
      // One damaged branch must not hide the others.
      impl_->options().reporter->warning(fmt::format("{} is left out: {}", branch.name, error.what()));
    }
  }
  return result;
}

void Store::check_linkable(int folder) const {
  store::check_linkable(impl_->repository(), folder);
}

void Store::checkout(const std::string& commit, int folder, const std::string& name) {
  hold();
  checkout_tree(impl_->repository(), Checksum::from_hex(commit), folder, name);
}

void Store::tag(const StoredImage& image, const image::ImageName& name) {
  hold();
  Transaction transaction(impl_->repository());
  transaction.set_branch(image_branch(name), Checksum::from_hex(image.commit));
  transaction.commit();
}

void Store::remove(const std::string& branch) {
  hold();
  impl_->repository().remove_branch(branch);
}

PruneReport Store::prune(const PruneRequest& request) {
  return prune_repository(impl_->repository(), impl_->options(), request);
}

std::vector<std::string> Store::commits_of(const StoredImage& image) const {
  std::vector<std::string> commits{image.commit};
  for (const auto& layer : image.layers) {
    if (const auto commit = impl_->repository().resolve(layer_branch(layer))) {
      commits.push_back(commit->hex());
    }
  }
  return commits;
}

VerifyReport Store::verify(const std::vector<std::string>& commits, const std::vector<std::string>& users) const {
  return verify_commits(impl_->repository(), impl_->options(), checksums(commits), checksums(users));
}

std::optional<std::string> Store::read_file(const std::string& commit, const std::string& path,
                                            std::uint64_t limit) const {
  return impl_->repository().read_file(Checksum::from_hex(commit), path, limit);
}

}  // namespace berth::store
