// SPDX-License-Identifier: LGPL-2.1-or-later
// Repositories of `atomic`, created with the ostree command.
#include "store/stored_image.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/ostree/refs.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

TEST(Branches, NameLayersOrImages) {
  EXPECT_TRUE(is_layer_branch(layer_branch(std::string(64, 'a'))));
  EXPECT_TRUE(is_layer_branch(layer_branch(std::string(128, '0'))));
  EXPECT_FALSE(is_layer_branch(layer_branch(std::string(64, 'A'))));
  EXPECT_FALSE(is_layer_branch(image_branch(image::parse_image_name("localhost/a"))));
}

class AtomicTool : public ::testing::Test {
 protected:
  void SetUp() override { Repository::open(options_); }

  /// Commits a directory of files as a layer, as `atomic` did: whiteouts are empty files.
  void commit_layer(const std::string& hex, const std::map<std::string, std::string>& files) {
    const auto tree = directory_.path() + "/tree";
    for (const auto& [path, content] : files) {
      fs::create_directories(fs::path(tree + "/" + path).parent_path());
      std::ofstream(tree + "/" + path) << content;
    }
    ostree(options_.repository,
           {"commit", "--branch=ociimage/" + hex, "--tree=dir=" + tree, "--owner-uid=0", "--owner-gid=0", "--no-xattrs",
            "--add-metadata-string=docker.layer=" + hex, "--add-metadata-string=docker.size=10"});
    fs::remove_all(tree);
  }
  void commit_image(const std::string& manifest) {
    const auto tree = directory_.path() + "/tree";
    fs::create_directories(tree);
    ostree(options_.repository,
           {"commit", "--branch=ociimage/localhost_2Ftest_3Alatest", "--tree=dir=" + tree, "--no-xattrs",
            "--add-metadata-string=docker.manifest=" + manifest, "--add-metadata-string=docker.digest=sha256:old"});
    fs::remove_all(tree);
  }
  Store store() { return Store::open(options_); }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);
  FakeSource source_;
};

TEST_F(AtomicTool, ItsImagesAreMergedOnFirstUse) {
  source_.layer(TarBuilder().file("unused", "1")).layer(TarBuilder().file("unused", "2"));
  commit_layer(source_.layer_hex(0), {{"etc/a", "a"}, {"etc/b", "b"}});
  commit_layer(source_.layer_hex(1), {{"etc/.wh.a", ""}, {"etc/c", "c"}});
  commit_image(source_.manifest_text());

  const auto listed = store().images(false).at(0);
  EXPECT_FALSE(listed.merged);
  EXPECT_EQ(listed.name, "localhost/test:latest");
  EXPECT_EQ(listed.id, base::digest_of(source_.config_text()).hex());
  EXPECT_THAT(listed.layers, ElementsAre(source_.layer_hex(0), source_.layer_hex(1)));

  const auto found = store().find(source_.name());
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->merged);
  EXPECT_EQ(found->manifest, source_.manifest_text());
  EXPECT_EQ(found->manifest_digest, "sha256:old");
  EXPECT_EQ(found->created, listed.created);
  store().checkout(found->commit, directory_.fd(), "rootfs");
  EXPECT_THAT(listing(directory_.path() + "/rootfs"),
              ElementsAre("etc/b: file 0644 0:0 b", "etc/c: file 0644 0:0 c", "etc: directory 0755 0:0"));
  EXPECT_THAT(ostree(options_.repository, {"show", "--print-metadata-key=docker.digest", found->branch}),
              HasSubstr("sha256:old"));
  EXPECT_EQ(store().find(source_.name())->commit, found->commit);
}

TEST_F(AtomicTool, ItsImagesAreReadWithoutBeingMerged) {
  source_.layer(TarBuilder().file("unused", "1")).layer(TarBuilder().file("unused", "2"));
  commit_layer(source_.layer_hex(0), {{"etc/a", "a"}, {"etc/b", "b"}});
  commit_layer(source_.layer_hex(1), {{"etc/.wh.a", ""}, {"etc/c", "c"}});
  commit_image(source_.manifest_text());
  const auto image = store().images(false).at(0);
  EXPECT_EQ(store().read_file(image, "etc/b", 10), "b");
  EXPECT_EQ(store().read_file(image, "etc/c", 10), "c");
  for (const std::string& path : std::vector<std::string>{"etc/a", "etc", "no/b", "etc/b/c"}) {
    EXPECT_FALSE(store().read_file(image, path, 10)) << path;
  }
  EXPECT_EQ(store().images(false).at(0).commit, image.commit) << "listing does not merge";
}

TEST_F(AtomicTool, ItsLayersAreNotFetchedAgain) {
  source_.layer(TarBuilder().file("a", "1")).layer(TarBuilder().file("b", "2"));
  commit_layer(source_.layer_hex(0), {{"a", "1"}});
  const auto result = store().pull(source_, {});
  EXPECT_EQ(result.layers_present, 1U);
  EXPECT_EQ(result.layers_fetched, 1U);
  store().checkout(result.image.commit, directory_.fd(), "rootfs");
  EXPECT_THAT(listing(directory_.path() + "/rootfs"), ElementsAre("a: file 0644 0:0 1", "b: file 0644 0:0 2"));
}

TEST_F(AtomicTool, AMissingLayerIsNamed) {
  source_.layer(TarBuilder().file("a", "1"));
  commit_image(source_.manifest_text());
  try {
    store().find(source_.name());
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
    EXPECT_THAT(error.message(), HasSubstr("layer " + source_.layer_hex(0).substr(0, 12)));
    EXPECT_THAT(error.hint(), HasSubstr("berth pull localhost/test:latest"));
  }
}

TEST_F(AtomicTool, UnreadableManifestsAreListedAndRefused) {
  commit_image("{\"schemaVersion\":1}");
  const auto listed = store().images(false).at(0);
  EXPECT_EQ(listed.id, "");
  EXPECT_TRUE(listed.layers.empty());
  EXPECT_THROW(store().find(source_.name()), base::Error);
}

TEST_F(AtomicTool, ItsConfigurationIsRead) {
  source_.layer(TarBuilder().file("unused", "1"));
  commit_layer(source_.layer_hex(0), {{"a", "a"}});
  commit_layer(base::digest_of(source_.config_text()).hex(), {{"content", source_.config_text()}});
  commit_image(source_.manifest_text());
  EXPECT_EQ(store().find(source_.name())->config, source_.config_text());
}

TEST_F(AtomicTool, ItsManifestsOfEarlierFormatsAreRead) {
  const std::string low(64, '1');
  const std::string high(64, '2');
  commit_layer(low, {{"a", "low"}, {"b", "low"}});
  commit_layer(high, {{"a", "high"}});
  const std::vector<std::string> manifests{
      R"({"schemaVersion":1,"fsLayers":[{"blobSum":"sha256:)" + high + R"("},{"blobSum":"sha256:)" + low + R"("}]})",
      R"({"Layers":[")" + low + R"(",")" + high + R"("],"Labels":{"version":"1"}})"};
  for (const auto& manifest : manifests) {
    commit_image(manifest);
    const auto listed = store().images(false).at(0);
    EXPECT_EQ(listed.id, base::digest_of(manifest).hex());
    const auto found = store().find(source_.name());
    EXPECT_EQ(found->id, listed.id);
    store().checkout(found->commit, directory_.fd(), "rootfs");
    EXPECT_THAT(listing(directory_.path() + "/rootfs"), ElementsAre("a: file 0644 0:0 high", "b: file 0644 0:0 low"));
    fs::remove_all(directory_.path() + "/rootfs");
  }
}

TEST_F(AtomicTool, AStoredIndexIsRefused) {
  commit_image(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})");
  EXPECT_THROW(store().find(source_.name()), base::Error);
}

}  // namespace
}  // namespace berth::store
