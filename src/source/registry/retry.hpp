// SPDX-License-Identifier: LGPL-2.1-or-later
// Retries after transient failures.
#pragma once

#include <chrono>
#include <optional>
#include <random>
#include <string>

#include "base/error.hpp"
#include "source/http/http_error.hpp"
#include "source/registry/options.hpp"

namespace berth::source {

/// A longer Retry-After is not waited for.
inline constexpr std::chrono::seconds retry_after_limit{60};
inline constexpr std::chrono::milliseconds retry_delay_limit{30'000};

/// Whether the same request may succeed soon. @param reached whether the registry answered before: then a name that
/// does not resolve is a transient failure, too
bool is_transient(const HttpError& error, bool reached);

/// Counts the tries of one request and waits between them, longer each time and not in step with other machines.
class Retry {
 public:
  explicit Retry(const SourceOptions& options);

  /// Whether a further try is allowed.
  [[nodiscard]] bool left() const { return tries_ < options_.retries; }
  /// Waits before the next try and reports the reason.
  /// @param at_least the time that the server requested
  /// @throws Interrupted
  void wait(const std::string& why, std::optional<std::chrono::seconds> at_least = std::nullopt);
  /// Starts to count anew, after progress.
  void reset() { tries_ = 0; }

 private:
  [[nodiscard]] std::chrono::milliseconds next_delay();

  const SourceOptions& options_;
  int tries_ = 0;
  std::minstd_rand random_;
};

}  // namespace berth::source
