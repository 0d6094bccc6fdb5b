// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/usage.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_walk.hpp"
#include "store/ostree/repository.hpp"
#include "store/prune.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t block_size = 512;  // bytes in the unit of st_blocks, stat(2)
constexpr std::size_t nobody = static_cast<std::size_t>(-1);
constexpr std::size_t several = nobody - 1;

struct Object {
  std::uint64_t bytes = 0;
  bool only_here = false;  ///< no deployment links to it
  bool kept = false;       ///< in use by none of the owners
  std::size_t owner = nobody;
};

class Measure {
 public:
  explicit Measure(const StoreOptions& options) : options_(options), repository_(Repository::open(options)) {
    visit_object_files(repository_.directory(), [this](const ObjectFile& file) {
      objects_.emplace(file.name, Object{file.bytes, file.links == 1, false, nobody});
      object_inodes_.emplace(file.device, file.inode);
    });
  }

  Usage run(const std::vector<Owner>& owners, const std::vector<std::string>& in_use, bool some_unknown) {
    usage_.owners.resize(owners.size());
    std::vector<ObjectSet> reached;
    reached.reserve(owners.size());
    for (std::size_t i = 0; i < owners.size(); ++i) {
      reached.push_back(claim(owners[i], i));
    }
    for (std::size_t i = 0; i < owners.size(); ++i) {
      add_objects(reached[i], usage_.owners[i]);
      for (const auto& directory : owners[i].directories) {
        add_directory(base::open_host_directory(directory), usage_.owners[i]);
      }
    }
    keep_others(in_use, some_unknown);
    for (const auto& [name, object] : objects_) {
      usage_.total += object.bytes;
      usage_.unowned += object.owner == nobody ? object.bytes : 0;
      usage_.reclaimable += is_garbage(name, object) ? object.bytes : 0;
    }
    return std::move(usage_);
  }

 private:
  /// Objects without an owner that a prune keeps, such as those of branches of other tools.
  void keep_others(const std::vector<std::string>& in_use, bool some_unknown) {
    auto commits = find_kept(repository_, in_use, some_unknown).commits;
    const auto foreign = commits_of_other_tools(repository_);
    commits.insert(commits.end(), foreign.begin(), foreign.end());
    ObjectWalk walk(repository_, options_.stop);
    for (const auto& commit : commits) {
      const auto found = objects_.find({OSTREE_OBJECT_TYPE_COMMIT, commit});
      if (found != objects_.end() && found->second.owner == nobody) {
        walk.add(commit);
      }
    }
    for (const auto& name : walk.objects()) {
      if (const auto found = objects_.find(name); found != objects_.end()) {
        found->second.kept = true;
      }
    }
  }

  [[nodiscard]] bool is_garbage(const ObjectName& name, const Object& object) const {
    if (name.type == OSTREE_OBJECT_TYPE_COMMIT_META) {  // goes with its commit
      const auto commit = objects_.find({OSTREE_OBJECT_TYPE_COMMIT, name.checksum});
      return object.only_here && (commit == objects_.end() || is_garbage(commit->first, commit->second));
    }
    return object.owner == nobody && !object.kept && object.only_here;
  }

  ObjectSet claim(const Owner& owner, std::size_t index) {
    ObjectWalk walk(repository_, options_.stop);
    for (const auto& commit : owner.commits) {
      walk.add(Checksum::from_hex(commit));
    }
    for (const auto& name : walk.objects()) {
      if (const auto found = objects_.find(name); found != objects_.end()) {
        found->second.owner = found->second.owner == nobody ? index : several;
      }
    }
    return walk.objects();
  }

  void add_objects(const ObjectSet& reached, OwnerUsage& usage) const {
    for (const auto& name : reached) {
      if (const auto found = objects_.find(name); found != objects_.end()) {
        (found->second.owner == several ? usage.shared : usage.own) += found->second.bytes;
      }
    }
  }

  void add_inode(const struct stat& status, OwnerUsage& usage) {
    const Inode inode{status.st_dev, status.st_ino};
    if (!object_inodes_.contains(inode) && seen_.insert(inode).second) {
      const auto bytes = static_cast<std::uint64_t>(status.st_blocks) * block_size;
      usage.own += bytes;
      usage_.total += bytes;
    }
  }

  void add_directory(const base::Fd& directory, OwnerUsage& usage) {
    struct stat own {};
    base::check_errno(::fstat(directory.get(), &own), "examine a deployment");
    add_inode(own, usage);
    for (const auto& name : base::list_directory(directory.get())) {
      const auto status = base::stat_at(directory.get(), name);
      if (!status || status->st_dev != own.st_dev) {
        continue;
      }
      if (S_ISDIR(status->st_mode)) {
        add_directory(base::open_directory_at(directory.get(), name), usage);
      } else {
        add_inode(*status, usage);
      }
    }
  }

  const StoreOptions& options_;
  Repository repository_;
  std::unordered_map<ObjectName, Object, HashObject> objects_;
  std::set<Inode> object_inodes_;
  std::set<Inode> seen_;
  Usage usage_;
};

}  // namespace

Usage measure_usage(const StoreOptions& options, const std::vector<Owner>& owners,
                    const std::vector<std::string>& in_use, bool some_unknown) {
  return Measure(options).run(owners, in_use, some_unknown);
}

}  // namespace berth::store
