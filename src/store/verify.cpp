// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/verify.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "store/checkout/checkout_verifier.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_verifier.hpp"
#include "store/ostree/object_walk.hpp"

namespace berth::store {
namespace {

const char* kind_words(OstreeObjectType type) {
  switch (type) {
    case OSTREE_OBJECT_TYPE_FILE:
      return "file";
    case OSTREE_OBJECT_TYPE_DIR_TREE:
      return "directory";
    case OSTREE_OBJECT_TYPE_DIR_META:
      return "attributes";
    default:
      return "commit";
  }
}

/// Finds the paths of the damaged objects in the images.
void add_places(const Repository& repository, const std::vector<std::string>& commits,
                std::map<ObjectName, DamagedObject>& damaged) {
  for (const auto& commit : commits) {
    visit_paths(repository, Checksum::from_hex(commit), [&](const ObjectName& name, const std::string& path) {
      if (const auto found = damaged.find(name); found != damaged.end()) {
        found->second.places.push_back({commit, path});
      }
    });
  }
}

std::vector<Checksum> checksums(const std::vector<std::string>& commits) {
  std::vector<Checksum> result;
  result.reserve(commits.size());
  for (const auto& commit : commits) {
    result.push_back(Checksum::from_hex(commit));
  }
  return result;
}

std::vector<DamagedCheckout> compare(const Repository& repository, const StoreOptions& options,
                                     const std::vector<CheckedOut>& checkouts) {
  std::vector<DamagedCheckout> damaged;
  CheckoutVerifier comparison(repository, options.stop, *options.reporter);
  for (const auto& checkout : checkouts) {
    DamagedCheckout result{checkout.path, {}, {}};
    for (auto& fault : comparison.compare(checkout)) {
      (fault.missing ? result.missing : result.changed).push_back(std::move(fault.path));
    }
    if (!result.changed.empty() || !result.missing.empty()) {
      damaged.push_back(std::move(result));
    }
  }
  return damaged;
}

}  // namespace

std::string object_text(const ObjectName& name) {
  return name.checksum.hex() + "." + type_name(name.type);
}

VerifyReport verify_repository(const Repository& repository, const StoreOptions& options,
                               const VerifyRequest& request) {
  VerifyReport report;
  ObjectVerifier verifier(repository, options);
  std::map<ObjectName, DamagedObject> damaged;
  std::set<std::string> places(request.users.begin(), request.users.end());
  for (const auto& group : request.groups) {
    const auto result = verifier.verify(group.name, checksums(group.commits));
    report.objects.push_back(result.objects);
    for (const auto& fault : result.faults) {
      damaged.emplace(fault.name,
                      DamagedObject{object_text(fault.name), kind_words(fault.name.type), fault.missing, {}});
    }
    places.insert(group.commits.begin(), group.commits.end());
  }
  if (request.all && damaged.empty()) {
    if (const auto rest = complete_verification(repository, verifier); !rest.empty()) {
      options.reporter->warning(
          fmt::format("{} damaged objects are needed by no image; berth images prune removes them", rest.size()));
    }
  }
  if (!damaged.empty()) {
    add_places(repository, {places.begin(), places.end()}, damaged);
  }
  for (auto& [name, object] : damaged) {
    report.damaged.push_back(std::move(object));
  }
  report.checkouts = compare(repository, options, request.checkouts);
  return report;
}

}  // namespace berth::store
