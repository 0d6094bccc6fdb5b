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
  DiskReserve room(directory_.fd(), 0);
  room.take(1);
  room.require(free_bytes() / 2);
  EXPECT_THROW(room.require(2 * free_bytes()), base::Error);
  EXPECT_THROW(room.take(2 * free_bytes()), base::Error);
}

TEST_F(DiskReserveTest, KeepsTheReserveFree) {
  DiskReserve room(directory_.fd(), std::uint64_t{1} << 62U);
  EXPECT_THROW(room.take(0), base::Error);
  try {
    room.take(1);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), ::testing::HasSubstr("a file of 1 bytes does not fit"));
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("free space"));
  }
}

TEST_F(DiskReserveTest, CountsTheBytesThatAreTaken) {
  DiskReserve room(directory_.fd(), free_bytes() / 2);
  room.require(free_bytes() / 4);
  EXPECT_THROW(room.require(free_bytes() / 4 * 3), base::Error);
}

}  // namespace
}  // namespace berth::store
