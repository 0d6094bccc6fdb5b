// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/store.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Pulls layers and inspects the checkout. A canary tree beside it must not change.
class StoreTest : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  void SetUp() override {
    fs::create_directories(directory_.path() + "/canary/sub");
    std::ofstream(directory_.path() + "/canary/file") << "untouched";
    before_ = listing(canary());
  }
  void TearDown() override { EXPECT_EQ(listing(canary()), before_); }

  [[nodiscard]] std::string canary() const { return directory_.path() + "/canary"; }
  [[nodiscard]] std::string rootfs() const { return directory_.path() + "/rootfs"; }
  Store store() { return Store::open(options_); }

  void install(FakeSource& source) {
    auto opened = store();
    opened.checkout(opened.pull(source, {}).image.commit, directory_.fd(), "rootfs");
    ostree(options_.repository, {"fsck"});
  }
  void install(const std::vector<std::string>& layers) {
    FakeSource source;
    for (const auto& layer : layers) {
      source.layer(layer);
    }
    install(source);
  }
  std::string refusal(const std::vector<std::string>& layers) {
    FakeSource source;
    for (const auto& layer : layers) {
      source.layer(layer);
    }
    try {
      store().pull(source, {});
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification);
      return error.what();
    }
    return "accepted";
  }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_, GetParam());
  std::vector<std::string> before_;
};

TEST_P(StoreTest, MergesTwoLayers) {
  TarBuilder lower;
  lower.directory("etc").file("etc/keep", "k").file("etc/gone", "g").file("etc/changed", "old");
  lower.directory("cache").file("cache/a", "a");
  TarBuilder upper;
  upper.directory("etc").file("etc/.wh.gone", "").file("etc/changed", "new").file("etc/added", "n");
  upper.file("cache/b", "b").file("cache/.wh..wh..opq", "");
  install({lower, upper});
  EXPECT_THAT(
      listing(rootfs()),
      ElementsAre(in_mode(GetParam(), "cache/b: file 0644 0:0 b"), in_mode(GetParam(), "cache: directory 0755 0:0"),
                  in_mode(GetParam(), "etc/added: file 0644 0:0 n"),
                  in_mode(GetParam(), "etc/changed: file 0644 0:0 new"),
                  in_mode(GetParam(), "etc/keep: file 0644 0:0 k"), in_mode(GetParam(), "etc: directory 0755 0:0")));
}

TEST_P(StoreTest, KeepsLongAndNonAsciiNames) {
  const std::string name(255, 'n');
  install({TarBuilder().file("größe/" + name + "/" + name + "/日本語", "x")});
  EXPECT_EQ(describe(rootfs(), "größe/" + name + "/" + name + "/日本語"), in_mode(GetParam(), "file 0644 0:0 x"));
}

TEST_P(StoreTest, ReplacesADirectoryByALink) {
  install(
      {TarBuilder().directory("lib").file("lib/x", "x"), TarBuilder().link("lib", "usr/lib").file("usr/lib/y", "y")});
  EXPECT_EQ(describe(rootfs(), "lib"), "link usr/lib");
  EXPECT_EQ(describe(rootfs(), "usr/lib/y"), in_mode(GetParam(), "file 0644 0:0 y"));
}

TEST_P(StoreTest, DoesNotFollowALinkOfALowerLayer) {
  // A later layer replaces `escape` by a directory. The layered checkout of libostree would follow the link.
  install({TarBuilder().link("escape", canary()).link("up", "../canary"),
           TarBuilder().file("escape/file", "hostile").file("escape/.wh.sub", "").file("up/.wh..wh..opq", "")});
  EXPECT_EQ(describe(rootfs(), "escape/file"), in_mode(GetParam(), "file 0644 0:0 hostile"));
  EXPECT_EQ(describe(rootfs(), "up"), in_mode(GetParam(), "directory 0755 0:0"));
}

TEST_P(StoreTest, DoesNotFollowALinkOfTheSameLayer) {
  EXPECT_THAT(refusal({TarBuilder().link("escape", canary()).file("escape/file", "hostile")}),
              HasSubstr("goes through 'escape'"));
}

TEST_P(StoreTest, HardLinksStayInsideTheImage) {
  TarBuilder lower;
  lower.file("bin/a", "tool").hard_link("bin/b", "bin/a").link("out", canary());
  install({lower, TarBuilder().hard_link("bin/c", "bin/a").file("bin/.wh.a", "")});
  EXPECT_EQ(describe(rootfs(), "bin/b"), in_mode(GetParam(), "file 0644 0:0 tool"));
  EXPECT_EQ(describe(rootfs(), "bin/c"), in_mode(GetParam(), "file 0644 0:0 tool"));
  EXPECT_EQ(describe(rootfs(), "bin/a"), "absent");
  EXPECT_THAT(refusal({lower, TarBuilder().hard_link("x", "out/file")}), HasSubstr("'out/file'"));
  EXPECT_THAT(refusal({lower, TarBuilder().hard_link("x", "/etc/passwd")}), HasSubstr("'etc/passwd'"));
}

TEST_P(StoreTest, ReadsEveryCompression) {
  FakeSource source;
  source.layer(TarBuilder().file("gzip", "1"), image::Compression::gzip);
  source.layer(TarBuilder().file("zstd", "2"), image::Compression::zstd);
  source.layer(TarBuilder().file("none", "3"), image::Compression::none);
  const std::string tar = TarBuilder().file("members", std::string(100'000, 'm'));
  source.raw_layer(pack(tar.substr(0, 700), image::Compression::gzip) + pack(tar.substr(700), image::Compression::gzip),
                   base::digest_of(tar).text(), "application/vnd.oci.image.layer.v1.tar+gzip");
  install(source);
  EXPECT_EQ(listing(rootfs()).size(), 4U);
}

TEST_P(StoreTest, ListsAndFindsImages) {
  EXPECT_FALSE(Store::open_existing(options_));
  FakeSource source;
  source.layer(TarBuilder().file("a", "123"));
  const auto pulled = store().pull(source, {}).image;
  auto opened = Store::open_existing(options_);
  ASSERT_TRUE(opened);
  const auto images = opened->images(true);
  ASSERT_EQ(images.size(), 2U);
  EXPECT_THAT(images[0].branch, HasSubstr(source.layer_hex(0)));
  EXPECT_EQ(images[0].name, "");
  EXPECT_EQ(images[0].id, source.layer_hex(0));
  EXPECT_EQ(images[0].size, 3);
  EXPECT_EQ(images[1].name, "localhost/test:latest");
  EXPECT_EQ(opened->images(false).size(), 1U);
  EXPECT_EQ(opened->find(source.name())->commit, pulled.commit);
  EXPECT_FALSE(opened->find(image::parse_image_name("localhost/absent")));
}

TEST_P(StoreTest, ADamagedBranchDoesNotHideTheOthers) {
  FakeSource source;
  source.layer(TarBuilder().file("a", "123"));
  auto opened = store();
  opened.pull(source, {});
  std::ofstream(options_.repository + "/refs/heads/ociimage/localhost_2Fbroken_3A1") << std::string(64, 'a') << "\n";
  EXPECT_EQ(opened.images(false).size(), 1U);
  ASSERT_EQ(reporter_.warnings.size(), 1U);
  EXPECT_THAT(reporter_.warnings[0], HasSubstr("localhost_2Fbroken_3A1 is left out"));
}

TEST_P(StoreTest, CheckoutRefusesInvalidAndMissingCommits) {
  EXPECT_THROW(store().checkout("../../etc", directory_.fd(), "rootfs"), base::Error);
}

INSTANTIATE_TEST_SUITE_P(Modes, StoreTest, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user));

class BareStoreTest : public StoreTest {};

TEST_P(BareStoreTest, KeepsOwnersModesAndXattrs) {
  const std::string capability("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  TarBuilder tar;
  tar.directory("./", {10, 20, 0711, {}}).file("ping", "p", {0, 0, 0755, {{"security.capability", capability}}});
  tar.file("su", "s", {0, 0, 04755, {}}).file("high", "h", {70'000, 4'294'967'294U, 0600, {}});
  tar.directory("tmp", {0, 0, 01777, {{"user.note", "n"}}}).link("link", "nowhere", 70'001);
  install({tar});
  EXPECT_EQ(describe(directory_.path(), "rootfs"), "directory 0711 10:20");
  EXPECT_EQ(describe(rootfs(), "su"), "file 4755 0:0 s");
  EXPECT_EQ(describe(rootfs(), "high"), in_mode(GetParam(), "file 0600 70000:4294967294 h"));
  EXPECT_EQ(describe(rootfs(), "tmp"), "directory 1777 0:0");
  struct stat status {};
  ASSERT_EQ(::lstat((rootfs() + "/link").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 70'001U);
  std::string value(100, '\0');
  const auto count = ::getxattr((rootfs() + "/ping").c_str(), "security.capability", value.data(), value.size());
  ASSERT_EQ(count, 20);
  EXPECT_EQ(value.substr(0, 20), capability);
  EXPECT_EQ(::getxattr((rootfs() + "/tmp").c_str(), "user.note", value.data(), value.size()), 1);
}

TEST_P(BareStoreTest, MissingParentsKeepMetadataOfLowerLayers) {
  install({TarBuilder().directory("tmp", {0, 0, 01777, {}}), TarBuilder().file("tmp/x", "x").file("new/y", "y")});
  EXPECT_EQ(describe(rootfs(), "tmp"), "directory 1777 0:0");
  EXPECT_EQ(describe(rootfs(), "new"), in_mode(GetParam(), "directory 0755 0:0"));
  EXPECT_EQ(::getxattr((rootfs() + "/new").c_str(), implied_directory_xattr, nullptr, 0), -1);
}

INSTANTIATE_TEST_SUITE_P(Modes, BareStoreTest, ::testing::Values(RepositoryMode::bare));

}  // namespace
}  // namespace berth::store
