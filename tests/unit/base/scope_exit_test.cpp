// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/scope_exit.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace berth::base {
namespace {

TEST(ScopeExit, RunsAtTheEndOfTheScope) {
  int runs = 0;
  {
    const ScopeExit exit([&]() noexcept { ++runs; });
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
}

TEST(ScopeExit, RunsWhenAnExceptionPasses) {
  int runs = 0;
  try {
    const ScopeExit exit([&]() noexcept { ++runs; });
    throw std::runtime_error("passing");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(runs, 1);
}

TEST(ScopeExit, DoesNothingWhenDismissed) {
  int runs = 0;
  {
    ScopeExit exit([&]() noexcept { ++runs; });
    exit.dismiss();
  }
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace berth::base
