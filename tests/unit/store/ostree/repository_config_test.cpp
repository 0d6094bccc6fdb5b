// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository_config.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <fstream>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/ostree/libostree.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::HasSubstr;

RepositoryConfig parse(const std::string& lines, RepositoryMode wanted = RepositoryMode::bare) {
  return parse_repository_config("[core]\nrepo_version=1\nmode=bare\n" + lines, wanted, "/repo");
}

std::string refusal(const std::string& text, base::ErrorKind kind = base::ErrorKind::failed) {
  try {
    parse_repository_config(text, RepositoryMode::bare, "/repo");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), kind);
    EXPECT_EQ(error.hint().empty(), kind == base::ErrorKind::verification);  // read_config() adds the hint
    return error.message();
  }
  return "nothing was refused";
}

std::string line_refusal(const std::string& line) {
  return refusal("[core]\nrepo_version=1\nmode=bare\n" + line);
}

TEST(RepositoryConfig, HasLibostreesDefaults) {
  const auto config = parse("");
  EXPECT_TRUE(config.sync);
  EXPECT_TRUE(config.locking);
  EXPECT_EQ(config.lock_timeout, std::chrono::seconds(300));
  EXPECT_EQ(config.free_bytes, 0U);
  EXPECT_EQ(config.free_percent, 3U);
}

TEST(RepositoryConfig, ReadsItsKeys) {
  const auto config =
      parse("fsync=false\nlocking=false\nlock-timeout-secs=7\nmin-free-space-percent=99\n[remote \"x\"]\nurl=y\n");
  EXPECT_FALSE(config.sync);
  EXPECT_FALSE(config.locking);
  EXPECT_EQ(config.lock_timeout, std::chrono::seconds(7));
  EXPECT_EQ(config.free_percent, 99U);
  EXPECT_GT(parse("lock-timeout-secs=-1\n").lock_timeout, std::chrono::hours(24));
  EXPECT_EQ(parse("min-free-space-size=5MB").free_bytes, std::uint64_t{5} << 20U);
  EXPECT_EQ(parse("min-free-space-size=2TB").free_bytes, std::uint64_t{2} << 40U);
}

TEST(RepositoryConfig, RefusesOtherFiles) {
  constexpr auto damaged = base::ErrorKind::verification;
  EXPECT_EQ(refusal("", damaged),
            "the configuration of the repository, /repo/config, is damaged: it has no valid version");
  EXPECT_THAT(refusal("nonsense", damaged), HasSubstr("/repo"));
  EXPECT_THAT(refusal("[core]\nrepo_version=q\nmode=bare", damaged), HasSubstr("it has no valid version"));
  EXPECT_THAT(refusal("[core]\nrepo_version=1\nmode=bcre", damaged), HasSubstr("the unknown mode 'bcre'"));
  EXPECT_THAT(refusal("[core]\nrepo_version=2\nmode=bare"), HasSubstr("its version is not supported"));
  EXPECT_THAT(refusal("[core]\nrepo_version=1", damaged), HasSubstr("it has no mode"));
  EXPECT_THAT(refusal("[core]\nrepo_version=1\nmode=bare-user", base::ErrorKind::conflict),
              HasSubstr("is bare-user, and bare is needed"));
  EXPECT_THAT(line_refusal("fsync=perhaps"), HasSubstr("cannot be interpreted"));
  EXPECT_THAT(line_refusal("min-free-space-percent=100"), HasSubstr("min-free-space-percent is '100'"));
  EXPECT_THAT(line_refusal("min-free-space-percent=many"), HasSubstr("min-free-space-percent is 'many'"));
  EXPECT_THAT(line_refusal("min-free-space-size=12"), HasSubstr("does not end with MB, GB or TB"));
  EXPECT_THAT(line_refusal("min-free-space-size=xMB"), HasSubstr("min-free-space-size is 'xMB'"));
  EXPECT_THAT(line_refusal("min-free-space-size=99999999999TB"), HasSubstr("min-free-space-size is"));
  EXPECT_THAT(line_refusal("lock-timeout-secs=-5"), HasSubstr("lock-timeout-secs is '-5'"));
}

TEST(RepositoryConfig, ReservesAsMuchAsLibostree) {
  TemporaryDirectory directory;
  RecordingReporter reporter;
  const auto options = options_for(directory, reporter);
  Repository::open(options);
  for (const auto* lines : {"", "min-free-space-percent=0\n", "min-free-space-percent=17\n",
                            "min-free-space-size=300MB\n", "min-free-space-size=3GB\nmin-free-space-percent=50\n",
                            "min-free-space-size=0MB\nmin-free-space-percent=2\n"}) {
    std::ofstream(options.repository + "/config") << "[core]\nrepo_version=1\nmode=bare\n" << lines;
    const auto repository = Repository::open(options);
    guint64 theirs = 0;
    ASSERT_TRUE(::ostree_repo_get_min_free_space_bytes(repository.handle(), &theirs, nullptr));
    EXPECT_EQ(repository.reserve(), theirs) << lines;
  }
}

}  // namespace
}  // namespace berth::store
