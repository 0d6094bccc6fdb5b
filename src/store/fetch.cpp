// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/fetch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/error.hpp"
#include "store/ostree/commit_metadata.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_staging.hpp"
#include "store/ostree/refs.hpp"

namespace berth::store {
namespace {

/// Reports a layer as 0 bytes until it is done, then as complete.
void report(const LayerRequest& request, base::ProgressTask task, base::ProgressPhase phase) {
  const auto size = static_cast<std::uint64_t>(request.descriptor.size);
  const auto done = phase == base::ProgressPhase::done ? size : 0;
  request.reporter->progress({request.descriptor.digest.short_hex(), task, done, size, phase});
}

/// A queue of layers for several threads.
class Queue {
 public:
  struct Job {
    LayerRequest request;
    FetchedLayer* result;
  };

  Queue(const Repository& repository, image::ImageSource& source, const StoreOptions& options)
      : repository_(repository), source_(source), options_(options) {}

  void add(const LayerRequest& request, FetchedLayer& result) {
    jobs_.push_back({request, &result});
    report(request, base::ProgressTask::fetching, base::ProgressPhase::waiting);
  }

  void run() {
    // The longest first: the last ones are short, so that no thread waits long for another.
    std::stable_sort(jobs_.begin(), jobs_.end(), [](const Job& one, const Job& other) {
      return one.request.descriptor.size > other.request.descriptor.size;
    });
    const std::stop_callback forward(options_.stop, [this] { stop_.request_stop(); });
    {
      const auto count = std::min<std::size_t>(std::max(1U, options_.parallel_layers), jobs_.size());
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([this] { work(); });
      }
    }
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    if (options_.stop.stop_requested()) {
      base::throw_interrupted();
    }
  }

 private:
  void work() noexcept {
    try {
      while (auto* job = take()) {
        import(*job);
      }
    } catch (...) {
      const std::scoped_lock guard(lock_);
      if (!failure_) {
        failure_ = std::current_exception();  // later ones are consequences of its stop request
      }
      stop_.request_stop();
    }
  }

  Job* take() {
    const std::scoped_lock guard(lock_);
    return next_ == jobs_.size() || stop_.stop_requested() ? nullptr : &jobs_[next_++];
  }

  void import(Job& job) {
    auto& request = job.request;
    request.stop = stop_.get_token();
    const auto& descriptor = request.descriptor;
    request.packed_size = source_.packed_size(descriptor);
    image::layer_compression(descriptor);  // throws for unknown types before anything is fetched
    job.result->commit = import_layer(repository_, request, source_.open_blob(descriptor));
    report(request, base::ProgressTask::fetching, base::ProgressPhase::done);
  }

  const Repository& repository_;
  image::ImageSource& source_;
  const StoreOptions& options_;
  std::stop_source stop_;
  std::mutex lock_;
  std::vector<Job> jobs_;
  std::size_t next_ = 0;
  std::exception_ptr failure_;
};

/// The metadata of a stored layer; nullopt when its commit is damaged, so that the layer is fetched again.
std::optional<LayerMetadata> read_stored(const Repository& repository, const Checksum& commit) {
  const auto* staging = repository.staging();
  if (staging != nullptr && !staging->is_stored(path_in_objects({OSTREE_OBJECT_TYPE_COMMIT, commit}))) {
    return std::nullopt;  // it is to be replaced
  }
  try {
    return layer_metadata(repository.load_commit(commit).metadata.get());
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification) {
      throw;
    }
    return std::nullopt;
  }
}

/// The commit of a layer that is stored already.
std::optional<Checksum> find_stored(const Repository& repository, const LayerRequest& request) {
  const auto& digest = request.descriptor.digest;
  const auto commit = repository.resolve(layer_branch(digest.hex()));
  const auto read = commit ? read_stored(repository, *commit) : std::nullopt;
  if (!read) {
    return std::nullopt;
  }
  const auto& stored = *read;
  if (!stored.diff_id.empty() && stored.diff_id != request.diff_id.text()) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{} unpacks to {}, but the image configuration says {}", layer_name(digest), stored.diff_id,
                    request.diff_id.text()),
        "the layers and the configuration of the image do not belong together; have it built or pushed again");
  }
  // The size of a layer was checked when it was fetched, so that another size in a manifest is wrong.
  if (!stored.diff_id.empty() && stored.packed_size != request.descriptor.size) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} has {} bytes, but the manifest says {}", layer_name(digest), stored.packed_size,
                                  request.descriptor.size),
                      "the manifest does not fit its layers; have the image built or pushed again");
  }
  return commit;
}

void report_present(const LayerRequest& request) {
  report(request, base::ProgressTask::present, base::ProgressPhase::done);
  request.reporter->step(layer_name(request.descriptor.digest) + " present");
}

}  // namespace

FetchResult fetch_layers(const Repository& repository, image::ImageSource& source,
                         const std::vector<LayerRequest>& wanted, const StoreOptions& options) {
  FetchResult result;
  result.layers.reserve(wanted.size());  // the queue points into it
  Queue queue(repository, source, options);
  for (const auto& request : wanted) {
    const auto& descriptor = request.descriptor;
    const auto known = std::find_if(result.layers.begin(), result.layers.end(),
                                    [&](const auto& layer) { return layer.digest == descriptor.digest; });
    if (known != result.layers.end()) {
      continue;  // one image may hold a layer twice
    }
    const auto stored = find_stored(repository, request);
    auto& layer = result.layers.emplace_back(
        FetchedLayer{descriptor.digest, stored.value_or(Checksum()), descriptor.size, !stored});
    if (stored) {
      report_present(request);
    } else {
      queue.add(request, layer);
    }
  }
  queue.run();
  return result;
}

}  // namespace berth::store
