// SPDX-License-Identifier: LGPL-2.1-or-later
// Waits for a state that another thread or process reaches.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <thread>

namespace berth::test {

/// Polls until `reached()` is true, at most for a minute: much longer than a busy machine takes.
/// @param state what is waited for, for the message of the failure
template <typename Reached>
::testing::AssertionResult wait_until(std::string_view state, Reached&& reached) {
  constexpr std::chrono::seconds limit{60};
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!reached()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return ::testing::AssertionFailure() << "waited " << limit.count() << " s in vain: " << state;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return ::testing::AssertionSuccess();
}

}  // namespace berth::test
