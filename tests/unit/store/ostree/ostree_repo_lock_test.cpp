// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/ostree_repo_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/fakes.hpp"
#include "store/ostree/libostree.hpp"
#include "store/ostree/repository.hpp"
#include "waiting.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::HasSubstr;
using Kind = OstreeRepoLock::Kind;

/// Each lock has its own open file description, so that the kernel treats the locks as those of separate processes.
class OstreeRepoLockTest : public ::testing::Test {
 protected:
  OstreeRepoLockTest() { config_.lock_timeout = std::chrono::seconds(0); }

  [[nodiscard]] bool can_take(Kind kind) const {
    try {
      const OstreeRepoLock lock(repository_.directory(), kind, config_);
      return true;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
      EXPECT_THAT(error.message(), HasSubstr("another tool uses the repository"));
      return false;
    }
  }

  /// Descriptors of this process that are open on the lock file.
  [[nodiscard]] std::ptrdiff_t open_count() const {
    const auto file = base::read_link_at(AT_FDCWD, fmt::format("/proc/self/fd/{}", repository_.directory())).value();
    const auto is_lock = [&](const std::filesystem::directory_entry& fd) {
      std::error_code closed;
      return std::filesystem::read_symlink(fd, closed) == file + "/.lock";
    };
    const std::filesystem::directory_iterator fds("/proc/self/fd");
    return std::count_if(begin(fds), end(fds), is_lock);
  }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  Repository repository_ = Repository::open(options_for(directory_, reporter_));
  RepositoryConfig config_;
};

TEST_F(OstreeRepoLockTest, ASharedLockAdmitsSharedLocksOnly) {
  const OstreeRepoLock writer(repository_.directory(), Kind::shared, config_);
  EXPECT_TRUE(can_take(Kind::shared));
  EXPECT_FALSE(can_take(Kind::exclusive));
}

TEST_F(OstreeRepoLockTest, AnExclusiveLockAdmitsNoOther) {
  {
    const OstreeRepoLock pruner(repository_.directory(), Kind::exclusive, config_);
    EXPECT_FALSE(can_take(Kind::shared));
    EXPECT_FALSE(can_take(Kind::exclusive));
    config_.locking = false;
    EXPECT_TRUE(can_take(Kind::exclusive));
    config_.locking = true;
  }
  EXPECT_TRUE(can_take(Kind::exclusive));
}

TEST_F(OstreeRepoLockTest, ExcludesLibostree) {
  auto* const theirs = repository_.handle();
  for (const auto& [type, sharing] : {std::pair{OSTREE_REPO_LOCK_SHARED, true}, {OSTREE_REPO_LOCK_EXCLUSIVE, false}}) {
    ASSERT_TRUE(::ostree_repo_lock_push(theirs, type, nullptr, nullptr));
    EXPECT_EQ(can_take(Kind::shared), sharing);
    EXPECT_FALSE(can_take(Kind::exclusive));
    ASSERT_TRUE(::ostree_repo_lock_pop(theirs, type, nullptr, nullptr));
  }
  EXPECT_TRUE(can_take(Kind::exclusive));
}

TEST_F(OstreeRepoLockTest, WaitsForTheOtherLock) {
  auto other = std::make_unique<OstreeRepoLock>(repository_.directory(), Kind::exclusive, config_);
  config_.lock_timeout = std::chrono::minutes(2);
  std::jthread release([this, &other] {
    EXPECT_TRUE(test::wait_until("the other thread has opened the lock file", [&] { return open_count() == 2; }))
        << open_count() << " descriptors of it are open";
    other.reset();
  });
  EXPECT_TRUE(can_take(Kind::shared)) << "waited two minutes for a lock that was released meanwhile";
}

}  // namespace
}  // namespace berth::store
