#include "store/ostree/ostree_repo_lock.hpp"

#include <gmock/gmock.h>

#include <memory>
#include <thread>
#include <utility>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/ostree/libostree.hpp"
#include "store/ostree/repository.hpp"

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
  config_.lock_timeout = std::chrono::hours(1);
  std::jthread release([&other] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    other.reset();
  });
  EXPECT_TRUE(can_take(Kind::shared));
}

}  // namespace
}  // namespace berth::store
