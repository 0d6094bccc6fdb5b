// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/import.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/error.hpp"
#include "store/ostree/libostree.hpp"
#include "store/verified_copy.hpp"

namespace berth::store {
namespace {

struct FreeText {
  void operator()(gchar* text) const noexcept { g_free(text); }
};

/// Branches of the other repository whose names are not in use here.
std::vector<std::string> missing_branches(const Repository& ours, const Repository& theirs) {
  std::vector<std::string> names;
  for (const auto& branch : theirs.branches()) {
    if (!ours.resolve(branch.name) && theirs.resolve(branch.name)) {
      names.push_back(branch.name);
    }
  }
  return names;
}

VariantPtr pull_options(const std::vector<std::string>& branches) {
  std::vector<const gchar*> refs;
  refs.reserve(branches.size());
  for (const auto& name : branches) {
    refs.push_back(name.c_str());
  }
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE("a{sv}"));
  g_variant_builder_add(&builder, "{s@v}", "refs",
                        g_variant_new_variant(g_variant_new_strv(refs.data(), static_cast<gssize>(refs.size()))));
  return VariantPtr(g_variant_ref_sink(g_variant_builder_end(&builder)));
}

}  // namespace

void import_repository(const Repository& repository, const StoreOptions& options, const std::string& path,
                       ImportedFiles files) {
  auto other_options = options;
  other_options.repository = path;
  const auto other = Repository::open_existing(other_options);
  if (!other) {
    throw base::Error(base::ErrorKind::not_found, fmt::format("the repository {} does not exist", path));
  }
  const auto branches = missing_branches(repository, *other);
  if (branches.empty()) {
    return;
  }
  if (files == ImportedFiles::verified_copies) {
    copy_verified(*other, options, branches);
    return;
  }
  Failure failure;
  const std::unique_ptr<gchar, FreeText> uri(g_filename_to_uri(path.c_str(), nullptr, failure.out()));
  if (!uri) {
    failure.raise("configure the repository " + path);
  }
  // Between two bare repositories on one file system libostree makes hard links.
  if (libostree().repo_pull_with_options(repository.handle(), uri.get(), pull_options(branches).get(), nullptr, nullptr,
                                         failure.out()) == 0) {
    failure.raise("take over the images of " + path);
  }
}

}  // namespace berth::store
