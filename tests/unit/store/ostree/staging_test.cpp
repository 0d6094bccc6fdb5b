// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/staging.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/file.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

namespace fs = std::filesystem;

TEST(Staging, RemovesUnlockedDirectories) {
  const testing::TemporaryDirectory repository;
  const auto tmp = repository.path() + "/tmp";
  fs::create_directories(tmp + "/staging-boot-dead/00");
  std::ofstream(tmp + "/staging-boot-dead/00/object.file") << "x";
  std::ofstream(tmp + "/staging-boot-dead-lock") << "";
  std::ofstream(tmp + "/staging-boot-orphan-lock") << "";
  fs::create_directories(tmp + "/cache");
  fs::create_directories(tmp + "/staging-berth-dead");
  remove_stale_staging(repository.fd());
  EXPECT_EQ(testing::listing(tmp).size(), 1U);
  EXPECT_TRUE(fs::exists(tmp + "/cache"));
}

TEST(Staging, RemovesLeftoversOfRepairsByEarlierVersions) {
  const testing::TemporaryDirectory repository;
  const auto tmp = repository.path() + "/tmp";
  const auto mine = tmp + "/berth-repair-" + std::to_string(::getpid());
  fs::create_directories(tmp + "/berth-repair-4194305/objects");  // the largest pid is 2^22
  fs::create_directories(mine);
  remove_stale_staging(repository.fd());
  EXPECT_FALSE(fs::exists(tmp + "/berth-repair-4194305"));
  EXPECT_TRUE(fs::exists(mine));
}

// libostree creates the directory before its lock.
TEST(Staging, KeepsNewDirectoriesWithoutALock) {
  const testing::TemporaryDirectory repository;
  const auto fresh = repository.path() + "/tmp/staging-boot-fresh";
  fs::create_directories(fresh);
  remove_stale_staging(repository.fd(), std::chrono::minutes(1));
  EXPECT_TRUE(fs::exists(fresh));
  fs::last_write_time(fresh, fs::file_time_type::clock::now() - std::chrono::minutes(2));
  remove_stale_staging(repository.fd(), std::chrono::minutes(1));
  EXPECT_FALSE(fs::exists(fresh));
}

TEST(Staging, KeepsDirectoriesInUse) {
  const testing::TemporaryDirectory repository;
  const auto tmp = repository.path() + "/tmp";
  fs::create_directories(tmp + "/staging-boot-live");
  const base::Fd lock = base::open_at(AT_FDCWD, tmp + "/staging-boot-live-lock", O_CREAT | O_RDWR, 0600);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(lock.get(), F_OFD_SETLK, &whole), 0);
  remove_stale_staging(repository.fd());
  EXPECT_TRUE(fs::exists(tmp + "/staging-boot-live"));
  EXPECT_TRUE(fs::exists(tmp + "/staging-boot-live-lock"));
}

}  // namespace
}  // namespace berth::store
