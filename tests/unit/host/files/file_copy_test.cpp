// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/file_copy.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

class FileCopy : public ::testing::Test {
 protected:
  FileCopy() {
    root.file("from", text);
    root.file("to", "");
    from = base::open_at(root.open().get(), "from", O_RDWR);
    to = base::open_at(root.open().get(), "to", O_RDWR);
  }

  const std::string text = std::string(300'000, 'x') + "end";  // several chunks
  Scratch root;
  base::Fd from;
  base::Fd to;
};

TEST_F(FileCopy, ReturnsTheDigestOfTheCopy) {
  EXPECT_EQ(copy_content(from.get(), to.get(), "file"), base::digest_of(text).hex());
  EXPECT_EQ(root.text("to"), text);
  EXPECT_EQ(content_checksum(to.get(), "file"), base::digest_of(text).hex());
}

/// Whether the blocks can be shared depends on the file system.
TEST_F(FileCopy, ClonesAllOrNothing) {
  const bool cloned = clone_content(from.get(), to.get());
  EXPECT_EQ(root.text("to"), cloned ? text : "");
}

}  // namespace
}  // namespace berth::host::testing
