// SPDX-License-Identifier: LGPL-2.1-or-later
// The shared fixtures of the unit tests, under the names that the tests of base use.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "base/file.hpp"
#include "failure.hpp"
#include "scratch_directory.hpp"

namespace berth::base::test {

using berth::test::TempDirectory;

/// Runs `work` and returns the Error it must throw.
template <typename Work>
Error error_of(Work&& work) {
  return berth::test::failure_of(std::forward<Work>(work));
}

/// Permissions of a file.
inline mode_t mode_of(const TempDirectory& directory, const std::string& name) {
  return stat_at(directory.fd(), name).value().st_mode & 07777U;
}

/// Makes a symbolic link.
inline void link(const TempDirectory& directory, const std::string& target, const std::string& name) {
  ASSERT_EQ(::symlinkat(target.c_str(), directory.fd(), name.c_str()), 0);
}

}  // namespace berth::base::test
