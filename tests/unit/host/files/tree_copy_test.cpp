// SPDX-License-Identifier: LGPL-2.1-or-later
// The bounds of what a new volume is filled with.
#include "host/files/tree_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/temp_directory.hpp"

namespace berth::host {
namespace {

using base::test::error_of;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class TreeCopy : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(from / "sub");
    fs::create_directories(to.path());
    from.write("file", "text");
    from.write("sub/other", "text");
  }

  void copy(std::size_t most = copied_entries_limit) {
    copy_tree(base::open_host_directory(from.path()).get(), base::open_host_directory(to.path()).get(), "/data",
              stop.get_token(), most);
  }

  base::test::TempDirectory from;
  base::test::TempDirectory to;
  std::stop_source stop;
};

TEST_F(TreeCopy, LimitsTheNumberOfEntries) {
  const auto error = error_of([&] { copy(2); });
  EXPECT_EQ(error.message(), "/data would hold more than 2 files");
  EXPECT_THAT(error.hint(), HasSubstr("create that directory yourself"));
  EXPECT_TRUE(fs::is_empty(to.path()));
  copy(3);
  EXPECT_TRUE(fs::exists(to / "sub/other"));
}

TEST_F(TreeCopy, LeavesATwentiethOfTheDiskFree) {
  const auto disk = fs::space(to.path());
  fs::resize_file(from / "file", disk.available - disk.capacity / 20 + (std::uintmax_t{1} << 30U));
  const auto error = error_of([&] { copy(); });
  EXPECT_THAT(error.message(), HasSubstr("the image's files for /data take"));
  EXPECT_TRUE(fs::is_empty(to.path()));
}

TEST_F(TreeCopy, StopsWhenAsked) {
  stop.request_stop();
  EXPECT_THROW(copy(), base::Interrupted);
  EXPECT_TRUE(fs::is_empty(to.path()));
}

}  // namespace
}  // namespace berth::host
