// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/disk_reserve.hpp"

#include <gmock/gmock.h>
#include <sys/statvfs.h>

#include "base/error.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

class DiskReserveTest : public ::testing::Test {
 protected:
  /// Bytes that are free now. Other processes use the disk, too.
  [[nodiscard]] std::uint64_t free_bytes() const {
    struct statvfs disk {};
    EXPECT_EQ(::statvfs(directory_.path().c_str(), &disk), 0);
    return std::uint64_t{disk.f_bfree} * disk.f_bsize;
  }
  testing::TemporaryDirectory directory_;
};

TEST_F(DiskReserveTest, RefusesFilesThatDoNotFit) {
  DiskReserve reserve(directory_.fd(), 0);
  reserve.take(1);
  reserve.require(free_bytes() / 2);
  EXPECT_THROW(reserve.require(2 * free_bytes()), base::Error);
  EXPECT_THROW(reserve.take(2 * free_bytes()), base::Error);
}

TEST_F(DiskReserveTest, KeepsTheReserveFree) {
  DiskReserve reserve(directory_.fd(), std::uint64_t{1} << 62U);
  EXPECT_THROW(reserve.take(0), base::Error);
  try {
    reserve.take(1);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), ::testing::HasSubstr("a file of 1 bytes does not fit"));
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("free space"));
  }
}

TEST_F(DiskReserveTest, CountsTheBytesThatAreTaken) {
  DiskReserve reserve(directory_.fd(), free_bytes() / 2);
  reserve.require(free_bytes() / 4);
  EXPECT_THROW(reserve.require(free_bytes() / 4 * 3), base::Error);
}

}  // namespace
}  // namespace berth::store
