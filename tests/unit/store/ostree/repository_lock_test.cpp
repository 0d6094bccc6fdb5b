// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository_lock.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "failure.hpp"
#include "store/fakes.hpp"
#include "waiting.hpp"

namespace {
std::atomic<int> lock_attempts = 0;  ///< calls of flock(2)
}  // namespace

/// The linker prefers this one to that of the C library.
extern "C" int flock(int file, int operation) noexcept {
  ++lock_attempts;
  return static_cast<int>(::syscall(SYS_flock, file, operation));
}

namespace berth::store::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RepositoryLockTest : public ::testing::Test {
 protected:
  RepositoryLockTest() {
    options_.reporter = &reporter_;
    options_.lock_timeout = std::chrono::seconds(0);
    options_.stop = stop_.get_token();
  }
  RepositoryLock take(RepositoryLock::Kind kind) { return RepositoryLock::take(directory_.fd(), kind, options_); }
  base::Error refusal(RepositoryLock::Kind kind) {
    return test::failure_of([&] { take(kind); });
  }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  std::stop_source stop_;
  StoreOptions options_;
  std::atomic<int> steps_ = 0;
};

TEST_F(RepositoryLockTest, SharedLocksExcludeOnlyAnExclusiveLock) {
  const auto one = take(RepositoryLock::Kind::shared);
  const auto other = take(RepositoryLock::Kind::shared);
  const auto error = refusal(RepositoryLock::Kind::exclusive);
  EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
  EXPECT_THAT(error.what(), HasSubstr("uses the images and did not finish within 0 s"));
  EXPECT_THAT(error.hint(), HasSubstr("timeout in berth.conf"));
}

TEST_F(RepositoryLockTest, AnExclusiveLockExcludesAllOthers) {
  {
    const auto held = take(RepositoryLock::Kind::exclusive);
    EXPECT_EQ(refusal(RepositoryLock::Kind::exclusive).kind(), base::ErrorKind::conflict);
    EXPECT_EQ(refusal(RepositoryLock::Kind::shared).kind(), base::ErrorKind::conflict);
  }
  take(RepositoryLock::Kind::exclusive);
  EXPECT_THAT(reporter_.steps, IsEmpty());
}

TEST_F(RepositoryLockTest, NamesTheProgramAndPidOfTheHolder) {
  const auto held = take(RepositoryLock::Kind::exclusive);
  EXPECT_THAT(refusal(RepositoryLock::Kind::shared).what(), HasSubstr("unit_store (pid " + std::to_string(::getpid())));
}

TEST_F(RepositoryLockTest, ReportsTheWaitOnce) {
  options_.lock_timeout = std::chrono::minutes(3);
  std::optional<RepositoryLock> held = take(RepositoryLock::Kind::exclusive);
  reporter_.on_step = [this] { ++steps_; };
  std::jthread releaser([this, &held] {
    EXPECT_TRUE(test::wait_until("the wait is reported", [this] { return steps_ > 0; }));
    const int before = lock_attempts;
    EXPECT_TRUE(test::wait_until("the lock is tried four more times", [&] { return lock_attempts >= before + 4; }))
        << "it was tried " << lock_attempts - before << " times";
    held.reset();
  });
  take(RepositoryLock::Kind::shared);
  EXPECT_THAT(reporter_.steps, SizeIs(1));
  EXPECT_THAT(reporter_.steps.front(), HasSubstr("which uses the images"));
}

TEST_F(RepositoryLockTest, AStopRequestEndsTheWait) {
  options_.lock_timeout = std::chrono::seconds(30);
  const auto held = take(RepositoryLock::Kind::exclusive);
  reporter_.on_step = [this] { stop_.request_stop(); };
  EXPECT_THROW(take(RepositoryLock::Kind::shared), base::Interrupted);
}

TEST_F(RepositoryLockTest, OnlyTheOwnerCanAccessItsFile) {
  take(RepositoryLock::Kind::shared);
  struct stat status {};
  ASSERT_EQ(::stat((directory_.path() + "/.berth-lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

}  // namespace
}  // namespace berth::store::testing
