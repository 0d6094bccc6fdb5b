// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/application.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <array>
#include <string>

namespace berth::cli {
namespace {

using ::testing::HasSubstr;

/// Restores the settings of the process after a test: run() changes them and expects the process to end.
class RunTest : public ::testing::Test {
 protected:
  ~RunTest() override {
    ::prctl(PR_SET_DUMPABLE, 1);
    ::umask(mask_);
  }

 private:
  mode_t mask_ = ::umask(0);
};

TEST_F(RunTest, DisablesCoreFilesAndSetsTheUmask) {
  std::string name = "berth";
  std::array<char*, 2> words = {name.data(), nullptr};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run(1, words.data()), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("Subcommands"));
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), 0);
  EXPECT_EQ(::umask(0), mode_t{0022});
}

TEST_F(RunTest, AcceptsAnEmptyArgumentVector) {
  std::array<char*, 1> nothing = {nullptr};
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(run(0, nothing.data()), 2);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("Subcommands"));
}

}  // namespace
}  // namespace berth::cli
