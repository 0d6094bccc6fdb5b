#include "store/store.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/error.hpp"
#include "store/checkout.hpp"
#include "store/pull.hpp"
#include "store/repository.hpp"
#include "store/stored_image.hpp"

namespace berth::store {

class Store::Impl {
 public:
  Impl(Repository repository, StoreOptions options)
      : repository_(std::move(repository)), options_(std::move(options)) {}

  [[nodiscard]] const Repository& repository() const { return repository_; }
  [[nodiscard]] const StoreOptions& options() const { return options_; }

 private:
  Repository repository_;
  StoreOptions options_;
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

PullResult Store::pull(image::ImageSource& source, const image::Platform& platform) {
  return base::in_context([&] { return "pulling " + source.name().text(); },
                          [&] { return pull_image(impl_->repository(), impl_->options(), source, platform); });
}

std::optional<StoredImage> Store::find(const image::ImageName& name) {
  const auto& repository = impl_->repository();
  const auto branch = image_branch(name);
  const auto commit = repository.resolve(branch);
  if (!commit) {
    return std::nullopt;
  }
  auto image = describe_image({branch, *commit}, repository.load_commit(*commit));
  return image.merged ? std::move(image) : merge_stored(repository, impl_->options(), image);
}

std::vector<StoredImage> Store::images(bool with_layers) {
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
  checkout_tree(impl_->repository(), Checksum::from_hex(commit), folder, name);
}

}  // namespace berth::store
