// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a function that must fail and returns its Error.
#pragma once

#include <gtest/gtest.h>

#include <utility>

#include "base/error.hpp"

namespace berth::test {

template <typename Work>
base::Error failure_of(Work&& work) {
  try {
    std::forward<Work>(work)();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "no Error was thrown";
  return {base::ErrorKind::failed, ""};
}

}  // namespace berth::test
