// The shared fixtures of the unit tests, under the names that the tests of base use.
#pragma once

#include <utility>

#include "failure.hpp"
#include "scratch_directory.hpp"

namespace berth::base::test {

using berth::test::TempDirectory;

/// Runs `work` and returns the Error it must throw.
template <typename Work>
Error error_of(Work&& work) {
  return berth::test::failure_of(std::forward<Work>(work));
}

}  // namespace berth::base::test
