// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace berth::source {

bool is_transient(const HttpError& error, bool reached) {
  switch (error.failure()) {
    case HttpFailure::unreachable:
    case HttpFailure::broken:
    case HttpFailure::unavailable:
      return true;
    case HttpFailure::unknown_host:
      return reached;
    default:
      return false;
  }
}

Retry::Retry(const SourceOptions& options) : options_(options), random_(std::random_device{}()) {}

std::chrono::milliseconds Retry::next_delay() {
  const auto doubled = options_.retry_delay * (1LL << std::min(tries_, 16));
  const auto delay = std::min<std::chrono::milliseconds>(doubled, retry_delay_limit);
  std::uniform_real_distribution<double> jitter(0.75, 1.25);
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(delay.count()) * jitter(random_)));
}

void Retry::wait(const std::string& why, std::optional<std::chrono::seconds> at_least) {
  const auto delay = std::max<std::chrono::milliseconds>(next_delay(), at_least.value_or(std::chrono::seconds(0)));
  ++tries_;
  options_.reporter->warning(fmt::format("{}; trying again in {:.1f} s ({} of {})", why,
                                         static_cast<double>(delay.count()) / 1000.0, tries_, options_.retries));
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any never;
  never.wait_for(lock, options_.stop, delay, [] { return false; });
  if (options_.stop.stop_requested()) {
    base::throw_interrupted();
  }
}

}  // namespace berth::source
