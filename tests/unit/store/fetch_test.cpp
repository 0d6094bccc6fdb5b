// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/fetch.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <thread>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/ostree/refs.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::HasSubstr;

class Fetch : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);
  Repository repository_ = Repository::open(options_);

  std::vector<LayerRequest> requests(FakeSource& source) {
    const auto manifest = source.resolve({}).manifest;
    const auto config = image::parse_image_config(source.config_text(), "config");
    std::vector<LayerRequest> result;
    for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
      result.push_back({manifest.layers[i], config.diff_ids[i], 0, options_.stop, &reporter_});
    }
    return result;
  }
  FetchResult fetch(FakeSource& source) {
    Transaction transaction(repository_);
    auto result = fetch_layers(repository_, source, requests(source), options_);
    for (const auto& layer : result.layers) {
      transaction.set_branch(layer_branch(layer.digest.hex()), layer.commit);
    }
    transaction.commit();
    return result;
  }
};

TEST_F(Fetch, FetchesOnlyMissingDigestsAndEachOnce) {
  FakeSource source;
  source.layer(tar_with("a")).layer(tar_with("b")).layer(tar_with("a"));
  const auto first = fetch(source);
  ASSERT_EQ(first.layers.size(), 2U);
  EXPECT_EQ(source.blobs_opened, 2);
  EXPECT_TRUE(first.layers[0].fetched);
  EXPECT_EQ(first.layers[0].digest.hex(), source.layer_hex(0));
  source.layer(tar_with("c"));
  const auto second = fetch(source);
  EXPECT_EQ(source.blobs_opened, 3);
  EXPECT_FALSE(second.layers[0].fetched);
  EXPECT_EQ(second.layers[0].commit, first.layers[0].commit);
  EXPECT_TRUE(second.layers[2].fetched);
  EXPECT_THAT(reporter_.steps, ::testing::Contains("layer " + source.layer_hex(1).substr(0, 12) + " present"));
}

TEST_F(Fetch, StartsWithTheLargestLayer) {
  FakeSource source;
  source.layer(TarBuilder().file("a", std::string(30, 'a')), image::Compression::none)
      .layer(TarBuilder().file("b", std::string(30'000, 'b')), image::Compression::none)
      .layer(TarBuilder().file("c", std::string(3'000, 'c')), image::Compression::none);
  std::vector<std::string> opened;
  source.wrap = [&opened](const std::string& digest, std::unique_ptr<base::ByteStream> stream) {
    opened.push_back(digest);
    return stream;
  };
  options_.parallel_layers = 1;
  const auto result = fetch(source);
  EXPECT_EQ(opened, (std::vector{source.layer_hex(1), source.layer_hex(2), source.layer_hex(0)}));
  EXPECT_EQ(result.layers[0].digest.hex(), source.layer_hex(0));  // in the order of the manifest
}

TEST_F(Fetch, ReportsTheResultOfEachLayer) {
  FakeSource source;
  source.layer(tar_with("a"));
  fetch(source);
  EXPECT_EQ(reporter_.progresses.front().task, base::ProgressTask::fetching);
  EXPECT_EQ(reporter_.progresses.front().phase, base::ProgressPhase::waiting);
  EXPECT_EQ(reporter_.progresses.back().phase, base::ProgressPhase::done);
  EXPECT_EQ(reporter_.progresses.back().id, source.layer_hex(0).substr(0, 12));
  EXPECT_EQ(reporter_.progresses.back().done, reporter_.progresses.back().total);
  fetch(source);
  EXPECT_EQ(reporter_.progresses.back().task, base::ProgressTask::present);
}

TEST_F(Fetch, FetchesInParallel) {
  FakeSource source;
  source.layer(tar_with("a")).layer(tar_with("b"));
  std::mutex lock;
  std::condition_variable changed;
  int opened = 0;
  bool alone = false;
  source.wrap = [&](const std::string&, std::unique_ptr<base::ByteStream> stream) {
    std::unique_lock guard(lock);
    ++opened;
    changed.notify_all();
    alone |= !changed.wait_for(guard, std::chrono::seconds(20), [&] { return opened == 2; });
    return stream;
  };
  fetch(source);
  EXPECT_FALSE(alone) << "one layer was opened, and the other one not within 20 s";
  EXPECT_EQ(opened, 2);
}

TEST_F(Fetch, StoresManyFilesFromSeveralThreads) {
  FakeSource source;
  for (int layer = 0; layer < 6; ++layer) {
    TarBuilder tar;
    for (int i = 0; i < 200; ++i) {
      // Half of the contents are shared, so that threads write the same objects at once.
      tar.file("d/" + std::to_string(layer) + "-" + std::to_string(i), std::to_string(i % 2 == 0 ? i : i * layer));
    }
    source.layer(tar);
  }
  options_.parallel_layers = 4;
  fetch(source);
  ostree(options_.repository, {"fsck"});
}

TEST_F(Fetch, TheFirstFailureStopsTheOthersAndIsReported) {
  FakeSource source;
  source.layer(tar_with("a")).layer(raw_entry("../x", '0') + tar_end()).layer(tar_with("c")).layer(tar_with("d"));
  try {
    fetch(source);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.what(), HasSubstr("'../x'"));
  }
  EXPECT_TRUE(repository_.branches().empty());
}

TEST_F(Fetch, StopsOnRequest) {
  FakeSource source;
  source.layer(tar_with("a")).layer(tar_with("b"));
  std::stop_source stop;
  options_.stop = stop.get_token();
  reporter_.on_progress = [&] { stop.request_stop(); };
  EXPECT_THROW(fetch(source), base::Interrupted);
  EXPECT_TRUE(repository_.branches().empty());
}

TEST_F(Fetch, RefusesADiffIdThatDiffersFromTheStoredOne) {
  FakeSource source;
  source.layer(tar_with("a"));
  fetch(source);
  Transaction transaction(repository_);
  auto wanted = requests(source);
  wanted[0].diff_id = base::digest_of("another");
  try {
    fetch_layers(repository_, source, wanted, options_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr("image configuration says"));
  }
}

TEST_F(Fetch, RefusesUnknownTypesBeforeFetching) {
  FakeSource source;
  source.raw_layer("bytes", base::digest_of("bytes").text(), "application/vnd.oci.image.layer.v1.tar+gzip");
  auto wanted = requests(source);
  wanted[0].descriptor.media_type = "application/vnd.in-toto+json";
  Transaction transaction(repository_);
  EXPECT_THROW(fetch_layers(repository_, source, wanted, options_), base::Error);
  EXPECT_EQ(source.blobs_opened, 0);
}

}  // namespace
}  // namespace berth::store
