// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/pull.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "packed.hpp"
#include "store/fakes.hpp"
#include "store/stored_image.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using test::drain;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class PullTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);

  Store store() { return Store::open(options_); }
  std::size_t staging_directories() {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(options_.repository + "/tmp")) {
      count += entry.path().filename().string().starts_with("staging-") ? 1U : 0U;
    }
    return count;
  }
  base::Error refusal(FakeSource& source) {
    try {
      store().pull(source, {});
    } catch (const base::Error& error) {
      EXPECT_TRUE(store().images(true).empty());
      EXPECT_EQ(staging_directories(), 0U);
      return error;
    }
    ADD_FAILURE() << "accepted";
    return {base::ErrorKind::failed, ""};
  }
};

TEST_F(PullTest, StoresAnImageOnce) {
  FakeSource source;
  source.layer(TarBuilder().file("a", "12345").device("null")).layer(tar_with("b"), image::Compression::zstd);
  const auto first = store().pull(source, {});
  EXPECT_TRUE(first.changed);
  EXPECT_EQ(first.layers_fetched, 2U);
  EXPECT_EQ(first.layers_present, 0U);
  EXPECT_EQ(first.skipped_nodes, 1U);
  const auto manifest = source.resolve({});
  EXPECT_EQ(first.bytes_fetched,
            static_cast<std::uint64_t>(manifest.manifest.layers[0].size + manifest.manifest.layers[1].size));
  EXPECT_EQ(first.image.branch, "ociimage/localhost_2Ftest_3Alatest");
  EXPECT_EQ(first.image.name, "localhost/test:latest");
  EXPECT_EQ(first.image.id, base::digest_of(source.config_text()).hex());
  EXPECT_EQ(first.image.manifest, manifest.text);
  EXPECT_EQ(first.image.manifest_digest, manifest.digest.text());
  EXPECT_EQ(first.image.config, source.config_text());
  EXPECT_EQ(first.image.created, 1'714'979'289);
  EXPECT_EQ(first.image.size, 5 + 12);
  EXPECT_TRUE(first.image.merged);
  EXPECT_THAT(first.image.layers, ElementsAre(source.layer_hex(0), source.layer_hex(1)));

  source.blobs_opened = 0;
  const auto again = store().pull(source, {});
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(source.blobs_opened, 0);
  EXPECT_EQ(again.layers_present, 2U);
  EXPECT_EQ(again.image.commit, first.image.commit);
  EXPECT_EQ(staging_directories(), 0U);
  ostree(options_.repository, {"fsck"});
}

TEST_F(PullTest, AnotherTagOnlyAddsABranch) {
  FakeSource source;
  source.layer(tar_with("a"));
  const auto first = store().pull(source, {});
  FakeSource other("localhost/other:1.0");
  other.layer(tar_with("a"));
  const auto second = store().pull(other, {});
  EXPECT_TRUE(second.changed);
  EXPECT_EQ(other.blobs_opened, 0);
  EXPECT_EQ(second.image.commit, first.image.commit);
  EXPECT_EQ(second.image.name, "localhost/other:1.0");
  EXPECT_EQ(store().images(false).size(), 2U);
}

TEST_F(PullTest, FetchesOnlyNewLayersOfANewImage) {
  FakeSource source;
  source.layer(tar_with("a"));
  store().pull(source, {});
  FakeSource update;
  update.layer(tar_with("a")).layer(tar_with("b"));
  const auto result = store().pull(update, {});
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(result.layers_fetched, 1U);
  EXPECT_EQ(result.layers_present, 1U);
  EXPECT_EQ(update.blobs_opened, 2);  // the configuration and one layer
  EXPECT_EQ(store().images(false).size(), 1U);
}

TEST_F(PullTest, CommitsAreTheSameOnEveryMachine) {
  FakeSource source;
  source.layer(tar_with("a"));
  const auto here = store().pull(source, {}).image.commit;
  const TemporaryDirectory elsewhere;
  options_ = options_for(elsewhere, reporter_);
  EXPECT_EQ(store().pull(source, {}).image.commit, here);
}

TEST_F(PullTest, AcceptsImagesWithoutLayersAndWithTheSameLayerTwice) {
  FakeSource nothing;
  EXPECT_TRUE(store().pull(nothing, {}).image.layers.empty());
  FakeSource twice("localhost/twice");
  twice.layer(tar_with("a")).layer(TarBuilder().file(".wh.a", "")).layer(tar_with("a"));
  const auto result = store().pull(twice, {});
  EXPECT_EQ(result.layers_fetched, 2U);
  store().checkout(result.image.commit, directory_.fd(), "rootfs");
  EXPECT_THAT(listing(directory_.path() + "/rootfs"), ElementsAre("a: file 0644 0:0 content of a"));
}

TEST_F(PullTest, WarnsWhenNothingIsSynced) {
  store();
  ostree(options_.repository, {"config", "set", "core.fsync", "false"});
  FakeSource source;
  source.layer(tar_with("a"));
  store().pull(source, {});
  ASSERT_EQ(reporter_.warnings.size(), 1U);
  EXPECT_THAT(reporter_.warnings[0], HasSubstr("fsync=false"));
}

TEST_F(PullTest, RefusesAWrongDiffIdAndLeavesNoObjects) {
  FakeSource source;
  const auto packed = pack(tar_with("b"), image::Compression::gzip);
  source.layer(tar_with("a"))
      .raw_layer(packed, base::digest_of("x").text(), "application/vnd.oci.image.layer.v1.tar+gzip");
  const auto error = refusal(source);
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.what(), HasSubstr("pulling localhost/test:latest"));
}

TEST_F(PullTest, RefusesTruncatedBlobs) {
  FakeSource source;
  const auto tar = tar_with("a");
  const auto packed = pack(tar, image::Compression::gzip);
  source.raw_layer(packed.substr(0, packed.size() - 4), base::digest_of(tar).text(),
                   "application/vnd.oci.image.layer.v1.tar+gzip");
  EXPECT_THAT(refusal(source).what(), HasSubstr("truncated"));
}

TEST_F(PullTest, RefusesABlobThatDoesNotMatchItsDigest) {
  FakeSource source;
  source.layer(tar_with("a"));
  source.wrap = [](const std::string& hex,
                   std::unique_ptr<base::ByteStream> stream) -> std::unique_ptr<base::ByteStream> {
    const auto bytes = drain(*stream);
    return std::make_unique<base::VerifyingStream>(std::make_unique<MemoryStream>(bytes + " "),
                                                   base::Digest(base::DigestAlgorithm::sha256, hex), -1, "blob");
  };
  EXPECT_EQ(refusal(source).kind(), base::ErrorKind::verification);
}

TEST_F(PullTest, RefusesAConfigurationThatDoesNotMatchItsDigest) {
  FakeSource source;
  source.layer(tar_with("a"));
  source.wrap = [](const std::string&, std::unique_ptr<base::ByteStream>) -> std::unique_ptr<base::ByteStream> {
    return std::make_unique<MemoryStream>("{}");
  };
  EXPECT_THAT(refusal(source).what(), HasSubstr("does not match its digest"));
  source.wrap = [](const std::string&, std::unique_ptr<base::ByteStream>) -> std::unique_ptr<base::ByteStream> {
    return std::make_unique<MemoryStream>(std::string(std::size_t{5} << 20U, ' '));
  };
  EXPECT_THAT(refusal(source).what(), HasSubstr("more than 4194304 bytes"));
}

// `berth update --no-pull` deploys the image of a name, so only its registry may change that image.
TEST_F(PullTest, AFileDoesNotReplaceAnImageOfARegistry) {
  FakeSource fetched("quay.io/etcd:3");
  fetched.registry = true;
  fetched.layer(tar_with("good"));
  const auto commit = store().pull(fetched, {}).image.commit;
  FakeSource file("quay.io/etcd:3");
  file.layer(tar_with("evil"));
  try {
    store().pull(file, {});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr("quay.io/etcd:3 is stored from its registry"));
  }
  EXPECT_EQ(store().find(fetched.name())->commit, commit);
  fetched.registry = false;  // the same image in a file is accepted
  EXPECT_FALSE(store().pull(fetched, {}).changed);
  EXPECT_THROW(store().pull(file, {}), base::Error);
}

TEST_F(PullTest, AFileReplacesAnImageFromAFile) {
  for (const std::string name : {"localhost/etcd:3", "quay.io/etcd:3"}) {
    FakeSource first(name);
    first.layer(tar_with("one"));
    store().pull(first, {});
    FakeSource second(name);
    second.layer(tar_with("two"));
    EXPECT_TRUE(store().pull(second, {}).changed) << name;
    EXPECT_EQ(store().find(second.name())->manifest, second.manifest_text()) << name;
  }
}

TEST_F(PullTest, AnImageConfirmedByItsRegistryIsNotReplacedByAFile) {
  FakeSource file("quay.io/etcd:3");
  file.layer(tar_with("one"));
  store().pull(file, {});
  FakeSource fetched("quay.io/etcd:3");
  fetched.registry = true;
  fetched.layer(tar_with("one"));
  EXPECT_FALSE(store().pull(fetched, {}).changed);
  FakeSource other("quay.io/etcd:3");
  other.layer(tar_with("two"));
  EXPECT_THROW(store().pull(other, {}), base::Error);
}

// The origin belongs to the name, not to the content.
TEST_F(PullTest, TheSameContentUnderTwoNamesHasTwoOrigins) {
  FakeSource file("localhost/etcd:3");
  file.layer(tar_with("one"));
  store().pull(file, {});
  FakeSource fetched("quay.io/etcd:3");
  fetched.registry = true;
  fetched.layer(tar_with("one"));
  store().pull(fetched, {});
  FakeSource second("localhost/etcd:3");
  second.layer(tar_with("two"));
  store().pull(second, {});
  FakeSource evil("quay.io/etcd:3");
  evil.layer(tar_with("two"));
  EXPECT_THROW(store().pull(evil, {}), base::Error);
  EXPECT_EQ(store().find(fetched.name())->manifest, fetched.manifest_text());
}

/// Returns a modified manifest.
class OddSource final : public image::ImageSource {
 public:
  explicit OddSource(FakeSource& inner) : inner_(inner) {}
  const image::ImageName& name() const override { return inner_.name(); }
  image::ResolvedManifest resolve(const image::Platform& platform) override {
    auto resolved = inner_.resolve(platform);
    if (drop_layer) {
      resolved.manifest.layers.pop_back();
    }
    if (config_size > 0) {
      resolved.manifest.config.size = config_size;
    }
    return resolved;
  }
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override {
    return inner_.open_blob(descriptor);
  }
  bool drop_layer = false;
  std::int64_t config_size = 0;

 private:
  FakeSource& inner_;
};

TEST_F(PullTest, RefusesAManifestThatContradictsTheConfiguration) {
  FakeSource source;
  source.layer(tar_with("a")).layer(tar_with("b"));
  OddSource odd(source);
  odd.drop_layer = true;
  try {
    store().pull(odd, {});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 layers, its configuration 2 diff ids"));
  }
  odd.config_size = std::int64_t{1} << 40;
  EXPECT_THROW(store().pull(odd, {}), base::Error);
}

TEST_F(PullTest, StopsOnRequestAndLeavesNoObjects) {
  FakeSource source;
  source.layer(tar_with("a"));
  std::stop_source stop;
  options_.stop = stop.get_token();
  reporter_.on_progress = [&] { stop.request_stop(); };
  EXPECT_THROW(store().pull(source, {}), base::Interrupted);
  options_.stop = {};
  EXPECT_TRUE(store().pull(source, {}).changed);
}

TEST_F(PullTest, TheNextPullCompletesAKilledOne) {
  FakeSource source;
  source.layer(tar_with("a")).layer(tar_with("b"));
  options_.parallel_layers = 1;
  store();
  int ready[2];
  ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // The second layer is never read: the first one is staged by then.
    source.wrap = [&](const std::string& hex, std::unique_ptr<base::ByteStream> stream) {
      if (hex == source.layer_hex(1)) {
        if (::write(ready[1], "x", 1) != 1) {
          ::_exit(1);
        }
        ::pause();
      }
      return stream;
    };
    store().pull(source, {});
    ::_exit(1);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_GT(staging_directories(), 0U);
  EXPECT_TRUE(store().images(true).empty());

  const auto result = store().pull(source, {});
  EXPECT_EQ(result.layers_fetched, 2U);
  EXPECT_EQ(staging_directories(), 0U);
  ostree(options_.repository, {"fsck"});
}

}  // namespace
}  // namespace berth::store
