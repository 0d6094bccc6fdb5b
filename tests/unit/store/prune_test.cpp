// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/prune.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "store/damage.hpp"
#include "store/fakes.hpp"
#include "store/ostree/refs.hpp"
#include "store/ostree/repository_lock.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

class PruneTest : public ::testing::Test {
 protected:
  Store store() { return Store::open(options_); }
  StoredImage pull(const std::string& name, const std::vector<std::string>& layers) {
    FakeSource source(name);
    for (const auto& layer : layers) {
      source.layer(layer);
    }
    auto image = store().pull(source, {}).image;
    prune({image.commit});  // an import may leave unused objects
    return image;
  }
  PruneReport prune(const std::vector<std::string>& roots = {}, bool dry_run = false) {
    return store().prune({dry_run, [roots] { return CommitsInUse{roots}; }, {}});
  }
  /// The number of objects. Fails the test when an object of a branch is missing.
  std::size_t objects() {
    ostree(options_.repository, {"fsck"});
    std::size_t count = 0;
    visit_object_files(Repository::open(options_).directory(), [&count](const ObjectFile&) { ++count; });
    return count;
  }

  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);
  std::string base_ = TarBuilder().directory("etc").file("etc/a", "shared by both");
};

TEST_F(PruneTest, KeepsAllObjectsOfBranches) {
  pull("localhost/one:1", {base_, TarBuilder().file("b", "of one")});
  const auto before = objects();
  const auto report = prune();
  EXPECT_EQ(report.objects, 0U);
  EXPECT_EQ(report.layers, 0U);
  EXPECT_EQ(objects(), before);
}

TEST_F(PruneTest, RemovesObjectsOfADeletedImageOnly) {
  const auto one = pull("localhost/one:1", {base_, TarBuilder().file("b", "of one")});
  const auto before = objects();
  const auto two = pull("localhost/two:1", {base_, TarBuilder().file("c", "of two")});
  store().remove(two.branch);
  const auto report = prune();
  EXPECT_EQ(report.layers, 1U);
  EXPECT_GT(report.objects, 3U);
  EXPECT_GT(report.bytes, 0U);
  EXPECT_EQ(objects(), before);
  store().checkout(one.commit, directory_.fd(), "rootfs");
  EXPECT_EQ(describe(directory_.path() + "/rootfs", "etc/a"), "file 0644 0:0 shared by both");
}

TEST_F(PruneTest, ADryRunReportsTheSameAndRemovesNothing) {
  store().remove(pull("localhost/one:1", {base_}).branch);
  const auto before = objects();
  const auto planned = prune({}, true);
  EXPECT_EQ(objects(), before);
  const auto done = prune();
  EXPECT_EQ(planned.objects, done.objects);
  EXPECT_EQ(planned.bytes, done.bytes);
  EXPECT_EQ(planned.layers, done.layers);
  EXPECT_EQ(objects(), 0U);
}

TEST_F(PruneTest, KeepsCommitsOfDeploymentsWithoutABranch) {
  const auto one = pull("localhost/one:1", {base_, TarBuilder().file("b", "of one")});
  store().remove(one.branch);
  prune({one.commit});
  store().checkout(one.commit, directory_.fd(), "rootfs");
  EXPECT_EQ(describe(directory_.path() + "/rootfs", "b"), "file 0644 0:0 of one");
  EXPECT_THAT(store().images(true), IsEmpty()) << "a deployment of a merged image needs no layers";
}

TEST_F(PruneTest, AMissingCommitKeepsNoObjects) {
  pull("localhost/one:1", {base_});
  EXPECT_EQ(prune({std::string(64, 'a')}).objects, 0U);
}

TEST_F(PruneTest, ObjectsLinkedByADeploymentFreeNoSpace) {
  const auto one = pull("localhost/one:1", {TarBuilder().file("b", std::string(100'000, 'x'))});
  store().checkout(one.commit, directory_.fd(), "rootfs");
  store().remove(one.branch);
  EXPECT_LT(prune().bytes, 100'000U);
  EXPECT_EQ(describe(directory_.path() + "/rootfs", "b").size(), std::string("file 0644 0:0 ").size() + 100'000);
}

TEST_F(PruneTest, KeepsCommitsOfOtherTools) {
  pull("localhost/one:1", {base_});
  fs::create_directories(directory_.path() + "/tree");
  std::ofstream(directory_.path() + "/tree/file") << "of another tool";
  for (const auto* where : {"--branch=other/tool", "--orphan"}) {
    ostree(options_.repository, {"commit", where, "--tree=dir=" + directory_.path() + "/tree", "-s", where});
  }
  const auto before = objects();
  EXPECT_EQ(prune().objects, 0U);
  EXPECT_EQ(objects(), before);
}

TEST_F(PruneTest, RefusesADamagedDirectoryOfAnImageInUse) {
  const auto one = pull("localhost/one:1", {base_, TarBuilder().directory("d").file("d/b", "of one")});
  store().remove(pull("localhost/two:1", {TarBuilder().file("c", "c")}).branch);
  const auto repository = Repository::open(options_);
  flip_byte(file_of(options_, object_at(repository, one.commit, "/d", OSTREE_OBJECT_TYPE_DIR_TREE)));
  const auto content = object_at(repository, one.commit, "/etc/a");
  try {
    prune();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("the repository is damaged"));
    EXPECT_THAT(error.hint(), HasSubstr("berth images repair"));
  }
  EXPECT_TRUE(fs::exists(file_of(options_, content)));
  EXPECT_THAT(store().images(true), SizeIs(4)) << "one with its two layers, and the layer of two";
}

TEST_F(PruneTest, ADamagedFileDoesNotAffectOtherFiles) {
  const auto one = pull("localhost/one:1", {base_});
  flip_byte(file_of(options_, object_at(Repository::open(options_), one.commit, "/etc/a")));
  EXPECT_EQ(prune().objects, 0U);
}

TEST_F(PruneTest, CleansUpWhileItHoldsTheLock) {
  pull("localhost/one:1", {base_});
  bool cleaned = false;
  store().prune({false, [] { return CommitsInUse(); },
                 [&] {
                   cleaned = true;
                   auto impatient = options_;
                   impatient.lock_timeout = std::chrono::seconds(0);
                   EXPECT_THROW(Store::open(impatient).hold(), base::Error);
                 }});
  EXPECT_TRUE(cleaned);
}

TEST_F(PruneTest, ReadsTheRootsAgainWhileItHoldsTheLock) {
  const auto one = pull("localhost/one:1", {base_});
  store().remove(one.branch);
  int asked = 0;
  store().prune({false, [&] { return asked++ == 0 ? CommitsInUse() : CommitsInUse{{one.commit}}; }, {}});
  EXPECT_EQ(asked, 2);
  store().checkout(one.commit, directory_.fd(), "rootfs");
}

TEST_F(PruneTest, ConcurrentPullsLoseNoObjects) {
  std::jthread pruner([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      prune();
    }
  });
  for (int round = 0; round < 15; ++round) {
    const auto name = "localhost/one:" + std::to_string(round);
    const auto image = pull(name, {base_, TarBuilder().file("b", "of " + name)});
    fs::remove_all(directory_.path() + "/rootfs");
    store().checkout(image.commit, directory_.fd(), "rootfs");
    store().remove(image.branch);
  }
  pruner.request_stop();
  pruner.join();
  prune();
  EXPECT_EQ(objects(), 0U);
}

TEST_F(PruneTest, KeepsLayersOfImagesOfAtomic) {
  FakeSource source;
  source.layer(TarBuilder().file("unused", "1"));
  const auto repository = Repository::open(options_);
  fs::create_directories(directory_.path() + "/tree");
  std::ofstream(directory_.path() + "/tree/file") << "of atomic";
  const auto commit = [&](const std::string& branch, const std::string& metadata) {
    ostree(options_.repository, {"commit", "--branch=ociimage/" + branch, "--tree=dir=" + directory_.path() + "/tree",
                                 "--add-metadata-string=" + metadata});
  };
  commit(source.layer_hex(0), "docker.size=10");
  commit(std::string(64, 'e'), "docker.size=11");
  fs::remove(directory_.path() + "/tree/file");
  commit("localhost_2Ftest_3Alatest", "docker.manifest=" + source.manifest_text());
  const auto deployed = *repository.resolve("ociimage/localhost_2Ftest_3Alatest");
  EXPECT_EQ(prune().layers, 1U);
  EXPECT_TRUE(repository.resolve(layer_branch(source.layer_hex(0))));
  store().remove("ociimage/localhost_2Ftest_3Alatest");
  EXPECT_EQ(prune({deployed.hex()}).layers, 0U) << "a deployment of atomic needs them";
  commit("localhost_2Fold_3Alatest", "docker.manifest={\"schemaVersion\":1}");
  EXPECT_EQ(prune().layers, 0U) << "the layers of this image are not known";
}

TEST_F(PruneTest, TheHolderOfTheLockIsNamed) {
  pull("localhost/one:1", {base_});
  const auto repository = Repository::open(options_);
  const auto held = RepositoryLock::take(repository.directory(), RepositoryLock::Kind::shared, options_);
  options_.lock_timeout = std::chrono::seconds(0);
  try {
    prune();
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    EXPECT_THAT(error.message(), HasSubstr("(pid " + std::to_string(::getpid()) + ") uses the images"));
  }
  store().hold();  // several processes may share it
}

TEST_F(PruneTest, AStopRequestEndsTheWaitForTheLock) {
  pull("localhost/one:1", {base_});
  const auto repository = Repository::open(options_);
  const auto held = RepositoryLock::take(repository.directory(), RepositoryLock::Kind::exclusive, options_);
  std::stop_source stop;
  options_.stop = stop.get_token();
  reporter_.on_step = [&stop] { stop.request_stop(); };
  EXPECT_THROW(store().hold(), base::Interrupted);
  EXPECT_THAT(reporter_.steps.back(), HasSubstr("waiting for"));
}

TEST(StoreNames, FindTagsAndReadFiles) {
  const TemporaryDirectory directory;
  RecordingReporter reporter;
  auto store = Store::open(options_for(directory, reporter));
  FakeSource source("localhost/one:1");
  source.layer(TarBuilder().directory("etc").file("etc/a", "text").link("etc/l", "a"));
  const auto image = store.pull(source, {}).image;
  store.tag(image, image::parse_image_name("registry.example/other:2"));
  EXPECT_EQ(store.look_up(image::parse_image_name("registry.example/other:2"))->commit, image.commit);
  EXPECT_EQ(store.read_file(image, "etc/a", 10), "text");
  EXPECT_FALSE(store.read_file(image, "etc/b", 10));
  EXPECT_FALSE(store.read_file(image, "etc/l", 10));
  EXPECT_FALSE(store.read_file(image, "no/a", 10));
  EXPECT_FALSE(store.read_file(image, "etc", 10));
  EXPECT_THROW(static_cast<void>(store.read_file(image, "etc/a", 3)), base::Error);
  EXPECT_EQ(store.describe(image.commit, "x")->manifest_digest, image.manifest_digest);
  EXPECT_FALSE(store.describe(std::string(64, 'a'), "x"));
  store.remove(image.branch);
  EXPECT_FALSE(store.look_up(image::parse_image_name("localhost/one:1")));
  store.remove(image.branch);  // nothing to do
}

}  // namespace
}  // namespace berth::store
