// Runs something that must fail and gives back its Error.
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
  ADD_FAILURE() << "nothing was refused";
  return {base::ErrorKind::failed, ""};
}

}  // namespace berth::test
