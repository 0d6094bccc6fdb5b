// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/private_mark.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/damage.hpp"
#include "store/fakes.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class PrivateMark : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  void SetUp() override {
    source_.layer(TarBuilder().directory("bin").file("bin/tool", "the tool").file("bin/other", "another"));
    image_ = store_.pull(source_, {}).image;
  }

  [[nodiscard]] std::string mark() const {
    return base::read_file_at(AT_FDCWD, options_.repository + "/" + private_mark, 4096).value_or("absent");
  }
  [[nodiscard]] std::string tool() const {
    return file_of(options_, object_at(Repository::open(options_), image_.commit, "/bin/tool"));
  }
  void deploy(const std::string& name) { store_.checkout(image_.commit, directory_.fd(), name); }
  std::string refusal() {
    try {
      deploy("refused");
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification);
      EXPECT_THAT(error.hint(), HasSubstr("berth images repair"));
      return error.what();
    }
    return "";
  }
  void verify(bool all) { static_cast<void>(store_.verify({{{"image", store_.commits_of(image_)}}, {}, {}, all})); }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_, GetParam());
  Store store_ = Store::open(options_);
  FakeSource source_;
  StoredImage image_;
};

TEST_P(PrivateMark, ANewRepositoryIsPrivate) {
  EXPECT_EQ(mark(), "");
  EXPECT_FALSE(store_.verify_before_use(image_.commit));
}

TEST_P(PrivateMark, AnOpenedRepositoryIsVerifiedOnceForEachCommit) {
  mark_opened(options_.repository);
  deploy("first");
  EXPECT_EQ(mark(), "open\n" + image_.commit + "\n");
  flip_byte(tool());  // only root can change a private repository
  deploy("second");
}

TEST_P(PrivateMark, ChangedObjectsAreNotDeployed) {
  mark_opened(options_.repository);
  flip_byte(tool());
  EXPECT_THAT(refusal(), HasSubstr("/bin/tool"));
  EXPECT_FALSE(fs::exists(directory_.path() + "/refused"));
  EXPECT_EQ(mark(), "open\n");
}

TEST_P(PrivateMark, WithoutAMarkEveryCommitIsVerified) {
  fs::remove(options_.repository + "/" + private_mark);
  flip_byte(tool());
  EXPECT_THAT(refusal(), HasSubstr("/bin/tool"));
}

TEST_P(PrivateMark, OnlyACompleteVerificationWithoutFaultsClosesTheMark) {
  mark_opened(options_.repository);
  verify(false);
  EXPECT_EQ(mark(), "open\n");
  const auto stray = tool();
  flip_byte(stray);
  verify(true);
  EXPECT_EQ(mark(), "open\n");
  flip_byte(stray);
  verify(true);
  EXPECT_EQ(mark(), "");
}

TEST_P(PrivateMark, UnusedObjectsAreVerified) {
  mark_opened(options_.repository);
  const auto damaged = tool();
  flip_byte(damaged);
  static_cast<void>(store_.verify({{}, {}, {}, true}));
  EXPECT_EQ(mark(), "open\n");
  EXPECT_THAT(reporter_.warnings.back(), HasSubstr("berth images prune"));
}

/// An image in another, read-only repository that other users can access.
class ReadOnlyRepository : public PrivateMark {
 protected:
  ReadOnlyRepository() {
    own_.repository = directory_.path() + "/own";
    own_.read_only = options_.repository;
  }
  StoreOptions own_ = options_;
};

TEST_P(ReadOnlyRepository, AnImageIsListedAndCopiedOnUse) {
  auto store = *Store::open_existing(own_);
  ASSERT_EQ(store.images(false).size(), 1U);
  EXPECT_TRUE(store.images(false).front().elsewhere);
  EXPECT_FALSE(fs::exists(own_.repository)) << "listing changes nothing";
  const auto found = store.find(source_.name());
  ASSERT_TRUE(found && !found->elsewhere);
  EXPECT_EQ(found->commit, image_.commit);
  const auto copy = file_of(own_, object_at(Repository::open(own_), image_.commit, "/bin/tool"));
  EXPECT_FALSE(fs::equivalent(copy, tool()));
  EXPECT_EQ(fs::hard_link_count(tool()), 1U);
  EXPECT_FALSE(store.images(false).front().elsewhere);
}

TEST_P(ReadOnlyRepository, ChangedObjectsAreRefused) {
  flip_byte(tool());
  auto store = *Store::open_existing(own_);
  try {
    static_cast<void>(store.find(source_.name()));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.hint(), HasSubstr("berth pull"));
  }
  EXPECT_THAT(Store::open(own_).pull(source_, {}).image.commit, image_.commit) << "fetched anew";
}

TEST_P(ReadOnlyRepository, ACommitWithoutANameIsCopied) {
  auto store = *Store::open_existing(own_);
  store.checkout(image_.commit, directory_.fd(), "rootfs");
  EXPECT_TRUE(fs::exists(directory_.path() + "/rootfs/bin/tool"));
}

TEST_P(PrivateMark, ARepositoryWithLinksIsRefused) {
  fs::rename(options_.repository + "/objects", directory_.path() + "/objects");
  fs::create_directory_symlink(directory_.path() + "/objects", options_.repository + "/objects");
  EXPECT_THROW(Store::open(options_), base::Error);
}

constexpr auto modes = [](const auto& tested) { return tested.param == RepositoryMode::bare ? "bare" : "user"; };
INSTANTIATE_TEST_SUITE_P(Modes, PrivateMark, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user), modes);
INSTANTIATE_TEST_SUITE_P(Modes, ReadOnlyRepository, ::testing::Values(RepositoryMode::bare), modes);

}  // namespace
}  // namespace berth::store
