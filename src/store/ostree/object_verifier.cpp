// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/object_verifier.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>
#include <utility>

#include "base/activity.hpp"
#include "base/error.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/private_mark.hpp"

namespace berth::store {
namespace {

constexpr unsigned thread_count = 2;

/// Contents, hashed by several threads, each with its own OstreeRepo, which is not thread-safe.
class ContentCheck {
 public:
  ContentCheck(const StoreOptions& options, const std::string& name, std::vector<ObjectName> contents)
      : options_(options),
        contents_(std::move(contents)),
        activity_(*options.reporter, name, base::ProgressTask::checking, base::ProgressUnit::objects,
                  contents_.size()) {}

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
        if (auto fault = repository.verify(contents_[index])) {
          const std::scoped_lock guard(lock_);
          faults_.push_back(std::move(*fault));
        }
        activity_.advance(1);
      }
    } catch (...) {
      const std::scoped_lock guard(lock_);
      failure_ = std::current_exception();
    }
  }

  const StoreOptions& options_;
  std::vector<ObjectName> contents_;
  base::Activity activity_;
  std::atomic<std::size_t> next_{0};
  std::mutex lock_;
  std::vector<ObjectFault> faults_;
  std::exception_ptr failure_;
};

std::string describe_fault(const Repository& repository, const Checksum& commit, const ObjectFault& fault) {
  std::string where;
  visit_paths(repository, commit, [&](const ObjectName& name, const std::string& path) {
    if (where.empty() && name == fault.name) {
      where = path;
    }
  });
  return where.empty() ? fault.name.checksum.hex() : where;
}

}  // namespace

ObjectVerifier::Result ObjectVerifier::verify(const std::string& name, const std::vector<Checksum>& commits) {
  ObjectWalk walk(repository_, options_.stop, &good_);
  for (const auto& commit : commits) {
    walk.add(commit);
  }
  std::vector<ObjectName> contents;
  std::copy_if(
      walk.objects().begin(), walk.objects().end(), std::back_inserter(contents),
      [this](const ObjectName& object) { return object.type == OSTREE_OBJECT_TYPE_FILE && !good_.contains(object); });
  Result result{walk.objects().size(), walk.faults()};
  if (!contents.empty()) {
    auto damaged = ContentCheck(options_, name, std::move(contents)).run();
    std::move(damaged.begin(), damaged.end(), std::back_inserter(result.faults));
  }
  good_.insert(walk.objects().begin(), walk.objects().end());
  for (const auto& fault : result.faults) {
    good_.erase(fault.name);
  }
  return result;
}

std::vector<ObjectFault> ObjectVerifier::verify_rest() {
  std::vector<ObjectName> contents;
  std::vector<ObjectFault> faults;
  visit_object_files(repository_.directory(), [&](const ObjectFile& file) {
    if (good_.contains(file.name) || file.name.type == OSTREE_OBJECT_TYPE_COMMIT_META) {
      return;
    }
    if (file.name.type == OSTREE_OBJECT_TYPE_FILE) {
      contents.push_back(file.name);
    } else if (auto fault = repository_.verify(file.name)) {
      faults.push_back(std::move(*fault));
    }
  });
  if (!contents.empty()) {
    auto damaged = ContentCheck(options_, "objects without an image", std::move(contents)).run();
    std::move(damaged.begin(), damaged.end(), std::back_inserter(faults));
  }
  return faults;
}

bool verify_before_use(const Repository& repository, const StoreOptions& options, const Checksum& commit) {
  const auto known = verified_commits(repository.directory());
  const auto line = commit.hex() + "\n";
  if (!known || known->find(line) != std::string::npos) {
    return known.has_value();
  }
  const auto result = ObjectVerifier(repository, options).verify("objects", {commit});
  if (!result.faults.empty()) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{} of the {} stored objects do not match their names, the first is {}; the disk may have "
                    "changed them, or other users while they could enter the directories",
                    result.faults.size(), result.objects, describe_fault(repository, commit, result.faults.front())),
        "berth images verify shows the images and containers concerned, berth images repair repairs them");
  }
  write_verified_commits(repository.directory(), *known + line);
  return true;
}

std::vector<ObjectFault> complete_verification(const Repository& repository, ObjectVerifier& verifier) {
  if (!verified_commits(repository.directory())) {
    return {};
  }
  auto faults = verifier.verify_rest();
  if (faults.empty()) {
    mark_private(repository.directory());
  }
  return faults;
}

}  // namespace berth::store
