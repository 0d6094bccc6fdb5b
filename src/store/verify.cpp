#include "store/verify.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "store/object_walk.hpp"

namespace berth::store {
namespace {

constexpr unsigned thread_count = 2;

/// Contents, hashed by several threads. Each has an OstreeRepo of its own, for one may not be used by several.
class ContentCheck {
 public:
  ContentCheck(const StoreOptions& options, std::vector<ObjectName> contents)
      : options_(options), contents_(std::move(contents)) {}

  std::vector<ObjectFault> run() {
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 0; i < std::min<std::size_t>(thread_count, contents_.size()); ++i) {
        threads.emplace_back([this] { work(); });
      }
    }
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    return std::move(faults_);
  }

 private:
  void work() noexcept {
    try {
      const auto repository = Repository::open(options_);
      for (auto index = next_++; index < contents_.size(); index = next_++) {
        if (options_.stop.stop_requested()) {
          base::throw_interrupted();
        }
        if (auto fault = repository.examine(contents_[index])) {
          const std::scoped_lock guard(lock_);
          faults_.push_back(std::move(*fault));
        }
      }
    } catch (...) {
      const std::scoped_lock guard(lock_);
      failure_ = std::current_exception();
    }
  }

  const StoreOptions& options_;
  std::vector<ObjectName> contents_;
  std::atomic<std::size_t> next_{0};
  std::mutex lock_;
  std::vector<ObjectFault> faults_;
  std::exception_ptr failure_;
};

std::vector<ObjectName> contents_of(const ObjectSet& objects) {
  std::vector<ObjectName> contents;
  std::copy_if(objects.begin(), objects.end(), std::back_inserter(contents),
               [](const ObjectName& name) { return name.type == OSTREE_OBJECT_TYPE_FILE; });
  return contents;
}

const char* kind_words(OstreeObjectType type) {
  switch (type) {
    case OSTREE_OBJECT_TYPE_FILE:
      return "file";
    case OSTREE_OBJECT_TYPE_DIR_TREE:
      return "folder";
    case OSTREE_OBJECT_TYPE_DIR_META:
      return "attributes";
    default:
      return "commit";
  }
}

/// Says where in the images the damaged objects are.
void add_places(const Repository& repository, const std::vector<Checksum>& commits,
                std::map<ObjectName, DamagedObject>& damaged) {
  for (const auto& commit : commits) {
    visit_paths(repository, commit, [&](const ObjectName& name, const std::string& path) {
      if (const auto found = damaged.find(name); found != damaged.end()) {
        found->second.places.push_back({commit.hex(), path});
      }
    });
  }
}

}  // namespace

std::string object_text(const ObjectName& name) {
  return name.checksum.hex() + "." + ostree_object_type_to_string(name.type);
}

VerifyReport verify_commits(const Repository& repository, const StoreOptions& options,
                            const std::vector<Checksum>& commits, const std::vector<Checksum>& users) {
  ObjectWalk walk(repository, options.stop);
  for (const auto& commit : commits) {
    walk.add(commit);
  }
  auto faults = ContentCheck(options, contents_of(walk.objects())).run();
  faults.insert(faults.end(), walk.faults().begin(), walk.faults().end());
  std::map<ObjectName, DamagedObject> damaged;
  for (const auto& fault : faults) {
    damaged.emplace(fault.name, DamagedObject{object_text(fault.name), kind_words(fault.name.type), fault.missing, {}});
  }
  if (!damaged.empty()) {
    auto places = commits;
    places.insert(places.end(), users.begin(), users.end());
    add_places(repository, places, damaged);
  }
  VerifyReport report;
  report.objects = walk.objects().size();
  for (auto& [name, object] : damaged) {
    report.damaged.push_back(std::move(object));
  }
  return report;
}

}  // namespace berth::store
