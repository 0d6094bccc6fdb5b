// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/blob_stream.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "packed.hpp"
#include "source/registry/registry.hpp"
#include "source/registry_fixture.hpp"

namespace berth::source {
namespace {

using test::drain;
using test::failure_of;
using test::HttpServer;
using test::respond;
using test::SampleImage;
using test::Script;
using test::ServerRequest;
using test::ServerResponse;
using testing::HasSubstr;

class BlobStreamTest : public test::RegistryTest {
 protected:
  // The requested range, truncated after `cut` bytes.
  static ServerResponse part(const ServerRequest& request, const std::string& bytes, std::optional<std::size_t> cut) {
    const auto range = request.header("range");
    auto response = respond(200, bytes);
    if (!range.empty()) {
      const auto start = static_cast<std::size_t>(std::stoul(range.substr(6)));
      response = respond(206, bytes.substr(start),
                         {{"Content-Range", "bytes " + std::to_string(start) + "-" + std::to_string(bytes.size() - 1) +
                                                "/" + std::to_string(bytes.size())}});
    }
    response.cut_after = cut;
    return response;
  }
  std::string fetch(const HttpServer& server) {
    RegistrySource source(reference(server), options_);
    return drain(*source.open_blob(layer_of(image_)));
  }

  const SampleImage image_{"a", 3'000'000};
};

TEST_F(BlobStreamTest, ReadsAndVerifies) {
  HttpServer server([&](const ServerRequest&) { return respond(200, image_.layer); });
  EXPECT_EQ(fetch(server), image_.layer);
  EXPECT_EQ(server.targets().at(0), blob_path(image_.layer));
}

TEST_F(BlobStreamTest, ResumesAtTheBreak) {
  std::atomic<int> count = 0;
  HttpServer server([&](const ServerRequest& request) {
    return part(request, image_.layer, ++count < 3 ? std::optional<std::size_t>(1'000'000 / count) : std::nullopt);
  });
  EXPECT_EQ(fetch(server), image_.layer);
  ASSERT_EQ(server.requests().size(), 3U);
  EXPECT_EQ(server.requests()[1].header("range"), "bytes=1000000-");
  EXPECT_EQ(server.requests()[2].header("range"), "bytes=1500000-");
  EXPECT_THAT(reporter_.warnings().at(0), HasSubstr("trying again"));
}

TEST_F(BlobStreamTest, SkipsRepeatedBytesOfARegistryWithoutRanges) {
  std::atomic<int> count = 0;
  HttpServer server([&](const ServerRequest&) {
    auto response = respond(200, image_.layer);
    response.cut_after = ++count == 1 ? std::optional<std::size_t>(777'777) : std::nullopt;
    return response;
  });
  EXPECT_EQ(fetch(server), image_.layer);
}

TEST_F(BlobStreamTest, ProgressResetsTheRetries) {
  std::atomic<int> count = 0;
  const SampleImage big("b", 9'000'000);
  HttpServer server([&](const ServerRequest& request) {
    return part(request, big.layer, ++count < 6 ? std::optional<std::size_t>(1'500'000) : std::nullopt);
  });
  RegistrySource source(reference(server), options_);
  EXPECT_EQ(drain(*source.open_blob(layer_of(big))), big.layer);
}

TEST_F(BlobStreamTest, GivesUpWithoutProgress) {
  HttpServer server([&](const ServerRequest& request) { return part(request, image_.layer, 100); });
  const auto error = failure_of([&] { fetch(server); });
  EXPECT_EQ(error.kind(), base::ErrorKind::failed);
  EXPECT_THAT(error.message(), HasSubstr("broke off"));
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(BlobStreamTest, DetectsTruncationWithoutContentLength) {
  HttpServer server([&](const ServerRequest& request) {
    auto response = part(request, image_.layer, 1000);
    response.with_length = false;
    return response;
  });
  EXPECT_THAT(failure_of([&] { fetch(server); }).message(), HasSubstr("ended after 3000 of 3000000 bytes"));
}

TEST_F(BlobStreamTest, RefusesWrongContent) {
  auto wrong = image_.layer;
  wrong[5] = '!';
  HttpServer server([&](const ServerRequest&) { return respond(200, wrong); });
  EXPECT_EQ(failure_of([&] { fetch(server); }).kind(), base::ErrorKind::verification);
}

TEST_F(BlobStreamTest, RefusesAWrongContentLengthAtOnce) {
  HttpServer server([&](const ServerRequest&) { return respond(200, image_.layer + "x"); });
  const auto error = failure_of([&] { fetch(server); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("the manifest says 3000000 bytes remain"));
}

TEST_F(BlobStreamTest, RefusesExcessBytesWithoutContentLength) {
  HttpServer server([&](const ServerRequest&) {
    auto response = respond(200, image_.layer + "x");
    response.with_length = false;
    return response;
  });
  EXPECT_EQ(failure_of([&] { fetch(server); }).kind(), base::ErrorKind::verification);
}

TEST_F(BlobStreamTest, RefusesAWrongRange) {
  for (const std::string range : {"bytes 5-9/10", "pages 1-2", "bytes x-", "bytes 99999999999999999999-", ""}) {
    std::atomic<int> count = 0;
    HttpServer server([&](const ServerRequest&) {
      auto response =
          ++count == 1 ? respond(200, image_.layer) : respond(206, image_.layer, {{"Content-Range", range}});
      response.cut_after = 1000;
      return response;
    });
    EXPECT_THAT(failure_of([&] { fetch(server); }).message(), HasSubstr("another part")) << range;
  }
}

TEST_F(BlobStreamTest, NamesAMissingBlob) {
  HttpServer server([](const ServerRequest&) { return respond(404); });
  const auto error = failure_of([&] { fetch(server); });
  EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr("404 Not Found for blob"));
}

TEST_F(BlobStreamTest, FollowsRedirectsToAnotherHost) {
  HttpServer store([&](const ServerRequest& request) { return part(request, image_.layer, std::nullopt); });
  HttpServer server(Script().on(blob_path(image_.layer), {respond(307, "", {{"Location", store.url("/x?sig=1")}})}));
  EXPECT_EQ(fetch(server), image_.layer);
  EXPECT_EQ(store.targets().at(0), "/x?sig=1");
}

TEST_F(BlobStreamTest, SupportsSeveralThreads) {
  std::atomic<int> count = 0;
  HttpServer server([&](const ServerRequest& request) {
    return part(request, image_.layer, ++count % 3 == 0 ? std::optional<std::size_t>(1'200'000) : std::nullopt);
  });
  RegistrySource source(reference(server), options_);
  std::atomic<int> good = 0;
  std::vector<std::jthread> threads;
  for (int at = 0; at < 6; ++at) {
    threads.emplace_back([&] { good += drain(*source.open_blob(layer_of(image_))) == image_.layer; });
  }
  threads.clear();
  EXPECT_EQ(good, 6);
}

TEST_F(BlobStreamTest, ReadsEmptyBlobs) {
  HttpServer server([](const ServerRequest&) { return respond(200); });
  RegistrySource source(reference(server), options_);
  EXPECT_EQ(drain(*source.open_blob({"x", base::digest_of(""), 0, std::nullopt, {}, {}})), "");
}

}  // namespace
}  // namespace berth::source
