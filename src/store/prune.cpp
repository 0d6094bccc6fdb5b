// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/prune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_walk.hpp"
#include "store/ostree/repository_lock.hpp"
#include "store/ostree/staging.hpp"
#include "store/stored_image.hpp"

namespace berth::store {
namespace {

/// The objects to keep, and the branches to remove.
class Roots {
 public:
  Roots(const Repository& repository, const std::vector<std::string>& in_use, bool some_unknown)
      : repository_(repository), all_(some_unknown || !repository.damaged_refs().empty()) {
    for (const auto& commit : in_use) {
      add_deployment(Checksum::from_hex(commit));
    }
    for (const auto& ref : repository.all_refs()) {
      add_ref(ref);
    }
  }

  [[nodiscard]] Kept kept() const {
    Kept result{commits_, {}, all_};
    if (all_) {
      add_stored(result.commits);
    }
    for (const auto& layer : layers_) {
      if (all_ || unknown_layers_ || needed_.contains(layer.name)) {
        result.commits.push_back(layer.commit);
      } else {
        result.unused_layers.push_back(layer);
      }
    }
    return result;
  }

 private:
  void add_ref(const Branch& ref) {
    const bool ours = ref.name.starts_with(branch_prefix);
    all_ = all_ || (ours && !repository_.has({OSTREE_OBJECT_TYPE_COMMIT, ref.commit}));
    if (ours && is_layer_branch(ref.name)) {
      layers_.push_back(ref);
    } else {
      commits_.push_back(ref.commit);
      if (ours) {
        need_layers(describe(ref));
      }
    }
  }

  /// The commit of a deployment of `atomic` is not the tree of the image, but names its layers.
  void add_deployment(const Checksum& commit) {
    commits_.push_back(commit);
    if (const auto image = describe({"", commit}); !image.merged) {
      need_layers(image);
    }
  }

  /// Nothing is known about a commit that is damaged or missing; the walk over it reports that.
  StoredImage describe(const Branch& branch) {
    if (repository_.verify({OSTREE_OBJECT_TYPE_COMMIT, branch.commit})) {
      StoredImage unknown;
      unknown.merged = true;
      return unknown;
    }
    return describe_image({branch_prefix, branch.commit}, repository_.load_commit(branch.commit));
  }

  /// All good commits. A damaged one that no branch names is not in use.
  void add_stored(std::vector<Checksum>& commits) const {
    for (const auto& commit : stored_commits(repository_.directory())) {
      if (!repository_.verify({OSTREE_OBJECT_TYPE_COMMIT, commit})) {
        commits.push_back(commit);
      }
    }
  }

  void need_layers(const StoredImage& image) {
    unknown_layers_ = unknown_layers_ || (image.layers.empty() && !image.merged);
    for (const auto& layer : image.layers) {
      needed_.insert(layer_branch(layer));
    }
  }

  const Repository& repository_;
  std::vector<Checksum> commits_;
  std::vector<Branch> layers_;
  std::set<std::string> needed_;
  bool all_;                     ///< as Kept::all
  bool unknown_layers_ = false;  ///< the layers of an image of `atomic` are not known
};

class Prune {
 public:
  Prune(const Repository& repository, const StoreOptions& options, const PruneRequest& request)
      : repository_(repository),
        options_(options),
        request_(request),
        walk_(repository, options.stop),
        foreign_(repository, options.stop) {}

  PruneReport run() {
    // Most of the work needs no lock: objects that are found to be in use stay, and those that come into use meanwhile
    // are found below. Only the present candidates can be removed.
    mark();
    list_candidates();
    if (request_.dry_run) {
      count();
      return report_;
    }
    const auto lock = RepositoryLock::take(repository_.directory(), RepositoryLock::Kind::exclusive, options_);
    const OstreeRepoLock foreign(repository_.directory(), OstreeRepoLock::Kind::exclusive, repository_.config());
    if (request_.clean_up) {
      request_.clean_up();
    }
    remove_stale_staging(repository_.directory());
    mark();
    remove();
    return report_;
  }

 private:
  void mark() {
    const base::Activity marking(*options_.reporter, "images", base::ProgressTask::marking);
    const auto in_use = request_.in_use();
    auto kept = find_kept(repository_, in_use.commits, in_use.some_unknown);
    all_ = all_ || kept.all;
    unused_layers_ = std::move(kept.unused_layers);
    for (const auto& commit : kept.commits) {
      walk_.add(commit);
    }
    refuse_damage();
    for (const auto& commit : commits_of_other_tools(repository_)) {
      if (!marked({OSTREE_OBJECT_TYPE_COMMIT, commit})) {
        foreign_.add(commit);
      }
    }
  }

  /// The objects below a directory that cannot be read are not known, and would be removed. A missing commit keeps no
  /// objects: other tools may have removed that of a deployment, whose files are links of its own.
  void refuse_damage() const {
    for (const auto& fault : walk_.faults()) {
      if (!fault.missing || fault.name.type != OSTREE_OBJECT_TYPE_COMMIT) {
        throw base::Error(base::ErrorKind::verification,
                          fmt::format("the repository is damaged: {} {}", repository_.path_of(fault.name),
                                      fault.missing ? "is missing" : "does not match its name"),
                          "nothing was removed; berth images verify shows the images concerned, berth images repair "
                          "repairs them");
      }
    }
  }

  /// An object with further links belongs to a deployment, so that its removal frees nothing; the commit of that
  /// deployment may be the unknown one.
  [[nodiscard]] bool stays(const ObjectFile& file) const {
    const bool linked = all_ && file.name.type == OSTREE_OBJECT_TYPE_FILE && file.links > 1;
    return linked || marked(file.name);
  }

  [[nodiscard]] bool marked(const ObjectName& name) const {
    const bool detached = name.type == OSTREE_OBJECT_TYPE_COMMIT_META;
    const auto& wanted = detached ? ObjectName{OSTREE_OBJECT_TYPE_COMMIT, name.checksum} : name;
    return walk_.objects().contains(wanted) || foreign_.objects().contains(wanted);
  }

  void list_candidates() {
    visit_object_files(repository_.directory(), [this](const ObjectFile& file) {
      if (!stays(file)) {
        candidates_.push_back(file);
      }
    });
    // Commits are removed first, so that each remaining one has all its objects.
    std::stable_partition(candidates_.begin(), candidates_.end(),
                          [](const ObjectFile& file) { return file.name.type == OSTREE_OBJECT_TYPE_COMMIT; });
  }

  void count() {
    report_.layers = unused_layers_.size();
    report_.removed.clear();
    report_.removed.reserve(unused_layers_.size());
    for (const auto& layer : unused_layers_) {
      report_.removed.push_back(layer.name);
    }
    for (const auto& file : candidates_) {
      if (!stays(file)) {
        ++report_.objects;
        report_.bytes += file.links == 1 ? file.bytes : 0;
      }
    }
  }

  void remove() {
    for (const auto& layer : unused_layers_) {
      repository_.remove_branch(layer.name);
    }
    count();
    base::Activity removing(*options_.reporter, "objects", base::ProgressTask::removing, base::ProgressUnit::objects);
    for (const auto& file : candidates_) {
      if (options_.stop.stop_requested()) {
        base::throw_interrupted();  // the next prune finds the rest
      }
      if (!stays(file)) {
        base::remove_tree_at(repository_.directory(),
                             object_path(file.name));  // which may be a directory, if it is damaged
        removing.advance(1);
      }
    }
  }

  const Repository& repository_;
  const StoreOptions& options_;
  const PruneRequest& request_;
  ObjectWalk walk_;
  ObjectWalk foreign_;
  bool all_ = false;  ///< as Kept::all
  std::vector<Branch> unused_layers_;
  std::vector<ObjectFile> candidates_;
  PruneReport report_;
};

}  // namespace

Kept find_kept(const Repository& repository, const std::vector<std::string>& in_use, bool some_unknown) {
  return Roots(repository, in_use, some_unknown).kept();
}

std::vector<Checksum> commits_of_other_tools(const Repository& repository) {
  auto commits = stored_commits(repository.directory());
  std::erase_if(commits, [&repository](const Checksum& commit) {
    return repository.verify({OSTREE_OBJECT_TYPE_COMMIT, commit}) ||
           is_our_commit(repository.load_commit(commit).metadata.get());
  });
  return commits;
}

PruneReport prune_repository(const Repository& repository, const StoreOptions& options, const PruneRequest& request) {
  return Prune(repository, options, request).run();
}

}  // namespace berth::store
