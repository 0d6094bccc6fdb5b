// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/layer_progress.hpp"

#include <utility>

#include "base/error.hpp"

namespace berth::store {
namespace {
constexpr std::chrono::milliseconds report_interval{100};
}  // namespace

ProgressStream::ProgressStream(std::unique_ptr<base::ByteStream> inner, base::Progress progress,
                               base::Reporter& reporter, std::stop_token stop)
    : inner_(std::move(inner)),
      progress_(std::move(progress)),
      reporter_(reporter),
      stop_(std::move(stop)),
      reported_(std::chrono::steady_clock::now()) {
  progress_.task = base::ProgressTask::fetching;
  reporter_.progress(progress_);
}

std::size_t ProgressStream::read(std::span<std::byte> buffer) {
  if (stop_.stop_requested()) {
    base::throw_interrupted();
  }
  const auto count = inner_->read(buffer);
  progress_.done += count;
  const auto now = std::chrono::steady_clock::now();
  if (count > 0 && now - reported_ >= report_interval) {
    reported_ = now;
    reporter_.progress(progress_);
  }
  return count;
}

}  // namespace berth::store
