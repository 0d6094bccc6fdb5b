// SPDX-License-Identifier: LGPL-2.1-or-later
// A layer's compressed bytes with progress and a stop token.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>

#include "base/byte_stream.hpp"
#include "base/reporter.hpp"

namespace berth::store {

/// Passes bytes on, reports them as "fetching", at once and then at most every 100 ms.
/// read throws Interrupted once stop was requested.
class ProgressStream final : public base::ByteStream {
 public:
  /// @param progress identity and total; @param reporter must outlive the stream
  ProgressStream(std::unique_ptr<base::ByteStream> inner, base::Progress progress, base::Reporter& reporter,
                 std::stop_token stop);
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::unique_ptr<base::ByteStream> inner_;
  base::Progress progress_;
  base::Reporter& reporter_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point reported_;
};

}  // namespace berth::store
