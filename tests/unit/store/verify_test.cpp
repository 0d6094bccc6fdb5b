// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/verify.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "store/damage.hpp"
#include "store/fakes.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class Verify : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  void SetUp() override {
    source_.layer(TarBuilder().directory("bin").file("bin/tool", "the tool", {0, 0, 0755, {{"user.note", "kept"}}}));
    source_.layer(
        TarBuilder().directory("etc").file("etc/conf", "settings").file("etc/same", "settings").file("big", big_));
    image_ = store_.pull(source_, {}).image;
  }

  [[nodiscard]] std::string object(const std::string& path, OstreeObjectType type = OSTREE_OBJECT_TYPE_FILE) const {
    return file_of(options_, object_at(repository_, image_.commit, path, type));
  }
  [[nodiscard]] VerifyReport verify() const { return store_.verify({{{"image", store_.commits_of(image_)}}, {}, {}}); }
  /// The paths of all damaged objects in the image.
  [[nodiscard]] std::vector<std::string> damaged() const {
    std::vector<std::string> paths;
    for (const auto& object : verify().damaged) {
      for (const auto& place : object.places) {
        if (place.commit == image_.commit) {
          paths.push_back((object.missing ? "missing " : "") + object.kind + " " + place.path);
        }
      }
    }
    return paths;
  }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_, GetParam());
  Store store_ = Store::open(options_);
  Repository repository_ = Repository::open(options_);
  std::string big_ = std::string(300'000, 'b');
  FakeSource source_;
  StoredImage image_;
};

TEST_P(Verify, FindsNoDamageInAPulledImage) {
  const auto report = verify();
  EXPECT_THAT(report.damaged, IsEmpty());
  EXPECT_GT(report.objects.at(0), 8U);
}

TEST_P(Verify, NamesEveryPathOfAChangedFile) {
  flip_byte(object("/etc/conf"));
  EXPECT_THAT(damaged(), ElementsAre("file /etc/conf", "file /etc/same"));
}

TEST_P(Verify, FindsAChangedByteInALargeFile) {
  flip_byte(object("/big"));
  EXPECT_THAT(damaged(), ElementsAre("file /big"));
}

TEST_P(Verify, FindsATruncatedFile) {
  fs::resize_file(object("/bin/tool"), 3);
  EXPECT_THAT(damaged(), ElementsAre("file /bin/tool"));
}

TEST_P(Verify, FindsAChangedMode) {
  const auto path = object("/bin/tool");
  if (GetParam() == RepositoryMode::bare) {
    ::chmod(path.c_str(), 04755);
  } else {
    ::setxattr(path.c_str(), "user.ostreemeta", "0123456789abcdef", 16, 0);
  }
  EXPECT_THAT(damaged(), ElementsAre("file /bin/tool"));
}

TEST_P(Verify, FindsAChangedOwnerAndAttribute) {
  if (GetParam() == RepositoryMode::bare) {
    ASSERT_EQ(::chown(object("/etc/conf").c_str(), 7, 0), 0);
    ASSERT_EQ(::setxattr(object("/bin/tool").c_str(), "user.note", "lost", 4, 0), 0);
    EXPECT_THAT(damaged(), ::testing::UnorderedElementsAre("file /etc/conf", "file /etc/same", "file /bin/tool"));
  } else {
    ASSERT_EQ(::removexattr(object("/bin/tool").c_str(), "user.ostreemeta"), 0);
    EXPECT_THAT(damaged(), ElementsAre("file /bin/tool"));
  }
}

TEST_P(Verify, FindsADirectoryInsteadOfAFile) {
  fs::remove(object("/bin/tool"));
  fs::create_directory(object("/bin/tool"));
  EXPECT_THAT(damaged(), ElementsAre("file /bin/tool"));
}

TEST_P(Verify, FindsAMissingFile) {
  fs::remove(object("/bin/tool"));
  EXPECT_THAT(damaged(), ElementsAre("missing file /bin/tool"));
}

TEST_P(Verify, FindsDamagedDirectoriesAndDoesNotReadThem) {
  flip_byte(object("/etc", OSTREE_OBJECT_TYPE_DIR_TREE));
  EXPECT_THAT(damaged(), ElementsAre("directory /etc"));
}

TEST_P(Verify, DamagedDirectoriesAreNotMergedIntoOtherImages) {
  const auto layer = repository_.resolve("ociimage/" + source_.layer_hex(1))->hex();
  flip_byte(file_of(options_, object_at(repository_, layer, "/etc", OSTREE_OBJECT_TYPE_DIR_TREE)));
  FakeSource other("localhost/other:latest");
  other.layer(TarBuilder().directory("bin").file("bin/tool", "the tool", {0, 0, 0755, {{"user.note", "kept"}}}));
  other.layer(
      TarBuilder().directory("etc").file("etc/conf", "settings").file("etc/same", "settings").file("big", big_));
  other.layer(TarBuilder().file("more", "more"));
  try {
    store_.pull(other, {});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.hint(), ::testing::HasSubstr("berth images repair"));
  }
}

TEST_P(Verify, FindsDamagedAttributesOfDirectories) {
  fs::remove(object("/bin", OSTREE_OBJECT_TYPE_DIR_META));
  EXPECT_THAT(damaged(), Contains("missing attributes /bin"));
}

TEST_P(Verify, FindsADamagedCommit) {
  flip_byte(file_of(options_, {OSTREE_OBJECT_TYPE_COMMIT, Checksum::from_hex(image_.commit)}));
  EXPECT_THAT(damaged(), ElementsAre("commit /"));
}

TEST_P(Verify, NamesPathsInTheCommitsOfDeployments) {
  FakeSource other("localhost/other:latest");
  other.layer(TarBuilder().file("copy", "settings"));
  const auto second = store_.pull(other, {}).image;
  flip_byte(object("/etc/conf"));
  const auto report = store_.verify({{{"image", {image_.commit}}}, {second.commit}, {}});
  ASSERT_THAT(report.damaged, SizeIs(1));
  EXPECT_THAT(report.damaged[0].places, Contains(Field(&ObjectPlace::path, "/copy")));
}

TEST_P(Verify, StopsOnRequest) {
  std::stop_source stop;
  stop.request_stop();
  options_.stop = stop.get_token();
  EXPECT_THROW(static_cast<void>(verify_repository(repository_, options_, {{{"image", {image_.commit}}}, {}, {}})),
               base::Interrupted);
}

TEST_P(Verify, ReadsSharedObjectsOnce) {
  FakeSource other("localhost/other:latest");
  other.layer(TarBuilder().directory("bin").file("bin/tool", "the tool", {0, 0, 0755, {{"user.note", "kept"}}}));
  other.layer(TarBuilder().file("more", "more"));
  const auto second = store_.pull(other, {}).image;
  reporter_.progresses.clear();
  const auto report =
      store_.verify({{{"first", store_.commits_of(image_)}, {"second", store_.commits_of(second)}}, {}, {}});
  EXPECT_THAT(report.objects, ElementsAre(::testing::Gt(8U), ::testing::Gt(5U)));
  std::map<std::string, std::uint64_t> files;
  for (const auto& progress : reporter_.progresses) {
    files[progress.id] = progress.done;
  }
  EXPECT_EQ(files["first"], 3U) << "the tool, the settings, and the big one";
  EXPECT_EQ(files["second"], 1U) << "the tool was examined already";
}

TEST_P(Verify, ReportsDamageOfSharedObjectsForEveryImage) {
  FakeSource other("localhost/other:latest");
  other.layer(
      TarBuilder().directory("etc").file("etc/conf", "settings").file("etc/same", "settings").file("big", big_));
  const auto second = store_.pull(other, {}).image;
  flip_byte(object("/big"));
  const auto report = store_.verify({{{"first", {image_.commit}}, {"second", {second.commit}}}, {}, {}});
  ASSERT_THAT(report.damaged, SizeIs(1));
  EXPECT_THAT(report.damaged[0].places, SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(Modes, Verify, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user),
                         [](const auto& mode) { return mode.param == RepositoryMode::bare ? "bare" : "user"; });

}  // namespace
}  // namespace berth::store
