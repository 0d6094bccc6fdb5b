// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/checkout/checkout_verifier.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/damage.hpp"
#include "store/fakes.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class Checkouts : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  void SetUp() override {
    source_.layer(TarBuilder()
                      .file("top", "at the top")
                      .directory("bin")
                      .file("bin/tool", "the tool", {0, 0, 0755, {}})
                      .file("bin/empty", "")
                      .link("bin/link", "tool")
                      .directory("etc")
                      .directory("etc/inner", {0, 0, 0750, {}})
                      .file("etc/inner/conf", "settings"));
    image_ = store_.pull(source_, {}).image;
    for (const std::string& name : std::vector<std::string>{"one", "two"}) {
      store_.checkout(image_.commit, directory_.fd(), name);
    }
  }

  [[nodiscard]] std::string path(const std::string& inside) const { return directory_.path() + "/" + inside; }
  [[nodiscard]] CheckedOut checkout(const std::string& name) const { return {image_.commit, path(name)}; }
  void replace(const std::string& inside, const std::string& content, unsigned mode = 0755) const {
    fs::remove_all(path(inside));
    std::ofstream(path(inside)) << content;
    ASSERT_EQ(::chmod(path(inside).c_str(), mode), 0);
  }
  /// The faults of a checkout, one line each.
  std::vector<std::string> differing(const std::string& name) {
    std::vector<std::string> lines;
    for (const auto& fault : comparison_.compare(checkout(name))) {
      lines.push_back((fault.missing ? "missing " : "") + fault.path);
    }
    return lines;
  }
  /// Repairs a checkout and compares it with the original listing.
  void expect_repaired(const std::string& name) {
    comparison_.repair(checkout(name), comparison_.compare(checkout(name)));
    EXPECT_EQ(listing(path(name)), before_);
    EXPECT_THAT(CheckoutVerifier(repository_, {}, reporter_).compare(checkout(name)), IsEmpty());
  }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_, GetParam());
  Store store_ = Store::open(options_);
  Repository repository_ = Repository::open(options_);
  FakeSource source_;
  StoredImage image_;
  CheckoutVerifier comparison_{repository_, {}, reporter_};
  std::vector<std::string> before_;
};

TEST_P(Checkouts, MatchTheirCommit) {
  EXPECT_THAT(differing("one"), IsEmpty());
}

TEST_P(Checkouts, ChangedFilesAreReportedAndReplaced) {
  before_ = listing(path("one"));
  replace("one/bin/tool", "another");
  replace("one/bin/link", "no link");
  replace("one/top", "another", 0644);
  EXPECT_THAT(differing("one"), ElementsAre("/top", "/bin/link", "/bin/tool"));
  EXPECT_THAT(differing("two"), IsEmpty());
  expect_repaired("one");
}

TEST_P(Checkouts, MissingFilesAndDirectoriesAreRestored) {
  before_ = listing(path("one"));
  fs::remove(path("one/bin/link"));
  fs::remove_all(path("one/etc/inner"));
  EXPECT_THAT(differing("one"), ElementsAre("missing /bin/link", "missing /etc/inner"));
  expect_repaired("one");
}

TEST_P(Checkouts, EntriesOfTheWrongTypeAreReplaced) {
  before_ = listing(path("one"));
  replace("one/etc/inner", "a file");
  fs::remove(path("one/bin/tool"));
  fs::create_directories(path("one/bin/tool/deep"));
  EXPECT_THAT(differing("one"), ElementsAre("/bin/tool", "/etc/inner"));
  expect_repaired("one");
}

TEST_P(Checkouts, LinksOutOfTheCheckoutAreNotFollowed) {
  before_ = listing(path("one"));
  fs::create_directories(path("outside"));
  fs::remove_all(path("one/etc"));
  fs::create_symlink(path("outside"), path("one/etc"));
  EXPECT_THAT(differing("one"), ElementsAre("/etc"));
  expect_repaired("one");
  EXPECT_TRUE(fs::is_empty(path("outside")));
}

TEST_P(Checkouts, FilesThatAreNotInTheImageAreIgnored) {
  replace("one/bin/made-by-a-runtime", "");
  EXPECT_THAT(differing("one"), IsEmpty());
}

TEST_P(Checkouts, RemovedCheckoutsHaveNoFaults) {
  fs::remove_all(path("one"));
  EXPECT_THAT(differing("one"), IsEmpty());
}

TEST_P(Checkouts, OnlyInodesOfTheGivenObjectsAreCompared) {
  replace("one/bin/tool", "another");
  replace("one/etc/inner/conf", "other", 0644);
  fs::remove(path("one/bin/empty"));
  struct stat status {};
  ASSERT_EQ(::stat(path("one/bin/tool").c_str(), &status), 0);
  const Inode inode{status.st_dev, status.st_ino};
  const auto faults =
      comparison_.compare(checkout("one"), {{inode, object_at(repository_, image_.commit, "/bin/tool")}});
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].path, "/bin/tool");
  // The inode belongs to an object of another path, as in a lower layer.
  const auto other = object_at(repository_, image_.commit, "/etc/inner/conf");
  EXPECT_THAT(comparison_.compare(checkout("one"), {{inode, other}}), IsEmpty());
  EXPECT_THAT(comparison_.compare(checkout("one"), {}), IsEmpty());
}

TEST_P(Checkouts, TheComparisonStopsOnRequest) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(CheckoutVerifier(repository_, stop.get_token(), reporter_).compare(checkout("one")), base::Interrupted);
}

INSTANTIATE_TEST_SUITE_P(Modes, Checkouts, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user),
                         [](const auto& mode) { return mode.param == RepositoryMode::bare ? "bare" : "user"; });

/// In mode bare a file is a hard link to its object, or a copy.
using BareCheckouts = Checkouts;

TEST_P(BareCheckouts, CopiesWithTheSameContentAndMetadataMatch) {
  replace("one/bin/tool", "the tool");
  EXPECT_THAT(differing("one"), IsEmpty());
  ASSERT_EQ(::chmod(path("one/bin/tool").c_str(), 0700), 0);
  EXPECT_THAT(CheckoutVerifier(repository_, {}, reporter_).compare(checkout("one")), ::testing::SizeIs(1));
}

TEST_P(BareCheckouts, AHardLinkToADamagedObjectIsNotReported) {
  flip_byte(path("one/bin/tool"));
  EXPECT_THAT(differing("one"), IsEmpty()) << "the object is damaged, which is found where objects are examined";
  fs::remove(file_of(options_, object_at(repository_, image_.commit, "/bin/tool")));
  EXPECT_THAT(CheckoutVerifier(repository_, {}, reporter_).compare(checkout("one")), ::testing::SizeIs(1));
}

INSTANTIATE_TEST_SUITE_P(Modes, BareCheckouts, ::testing::Values(RepositoryMode::bare),
                         [](const auto&) { return "bare"; });

}  // namespace
}  // namespace berth::store
