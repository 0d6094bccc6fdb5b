// SPDX-License-Identifier: LGPL-2.1-or-later
// Calls a function when a scope ends.
#pragma once

#include <type_traits>
#include <utility>

namespace berth::base {

/// The function must be noexcept, since it runs in a destructor.
template <typename Work>
requires std::is_nothrow_invocable_v<Work>
class ScopeExit {
 public:
  explicit ScopeExit(Work work) : work_(std::move(work)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() {
    if (armed_) {
      work_();
    }
  }
  void dismiss() noexcept { armed_ = false; }

 private:
  Work work_;
  bool armed_ = true;
};

}  // namespace berth::base
