// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/registry.hpp"

#include <gmock/gmock.h>

#include "source/registry_fixture.hpp"

namespace berth::source {
namespace {

using base::Json;
using test::failure_of;
using test::HttpServer;
using test::index_of;
using test::manifest_response;
using test::respond;
using test::SampleImage;
using test::Script;
using test::ServerRequest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const image::Platform amd64{"linux", "amd64", ""};

class RegistrySourceTest : public test::RegistryTest {
 protected:
  image::ResolvedManifest resolve(const HttpServer& server, const std::string& rest = "/a/b:1") {
    return RegistrySource(reference(server, rest), options_).resolve(amd64);
  }
  base::Error refusal(const HttpServer& server, const std::string& rest = "/a/b:1") {
    return failure_of([&] { resolve(server, rest); });
  }
  static std::string manifest_path(const std::string& text) { return "/v2/a/b/manifests/" + SampleImage::digest(text); }

  const SampleImage image_;
  const SampleImage other_{"b", 100, "arm64"};
};

TEST_F(RegistrySourceTest, ResolvesATag) {
  HttpServer server(Script().on("/v2/a/b/manifests/1", {manifest_response(image_.manifest)}));
  RegistrySource source(reference(server), options_);
  EXPECT_EQ(source.name().text(), server.location() + "/a/b:1");
  EXPECT_EQ(server.requests().size(), 0U);
  const auto resolved = source.resolve(amd64);
  EXPECT_EQ(resolved.text, image_.manifest);
  EXPECT_EQ(resolved.digest.text(), SampleImage::digest(image_.manifest));
  EXPECT_EQ(resolved.manifest.layers.size(), 1U);
  const auto accept = server.requests().at(0).header("accept");
  for (const auto& type : image::manifest_media_types()) {
    EXPECT_THAT(accept, HasSubstr(type));
  }
}

TEST_F(RegistrySourceTest, ResolvesADigest) {
  HttpServer server(Script().on(manifest_path(image_.manifest), {manifest_response(image_.manifest)}));
  EXPECT_EQ(resolve(server, "/a/b@" + SampleImage::digest(image_.manifest)).text, image_.manifest);
}

TEST_F(RegistrySourceTest, ChoosesAPlatform) {
  const auto index = index_of({other_.entry("arm64"), image_.entry("amd64")});
  HttpServer server(Script()
                        .on("/v2/a/b/manifests/1", {manifest_response(index, SampleImage::index_type)})
                        .on(manifest_path(image_.manifest), {manifest_response(image_.manifest)}));
  const auto resolved = resolve(server);
  EXPECT_EQ(resolved.text, image_.manifest);
  EXPECT_EQ(resolved.digest.text(), SampleImage::digest(image_.manifest));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(RegistrySourceTest, ListsTheAvailablePlatforms) {
  const auto index = index_of(Json::array({other_.entry("arm64")}));
  HttpServer server(Script().on("/v2/a/b/manifests/1", {manifest_response(index, SampleImage::index_type)}));
  const auto error = refusal(server);
  EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr("no image for linux/amd64"));
  EXPECT_THAT(error.hint(), HasSubstr("linux/arm64"));
}

TEST_F(RegistrySourceTest, RefusesAManifestThatDoesNotMatchItsDigest) {
  auto lying = manifest_response(image_.manifest);
  lying.headers[1].second = SampleImage::digest("other");
  HttpServer server(Script()
                        .on("/v2/a/b/manifests/1", {lying})
                        .on(manifest_path(other_.manifest), {manifest_response(image_.manifest)}));
  EXPECT_EQ(refusal(server).kind(), base::ErrorKind::verification);
  EXPECT_THAT(refusal(server).message(), HasSubstr("the registry says"));
  const auto error = refusal(server, "/a/b@" + SampleImage::digest(other_.manifest));
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("the reference says"));
}

TEST_F(RegistrySourceTest, RefusesAManifestThatContradictsItsIndexEntry) {
  auto entry = image_.entry("amd64");
  entry["size"] = 5;
  HttpServer server(
      Script()
          .on("/v2/a/b/manifests/1", {manifest_response(index_of(Json::array({entry})), SampleImage::index_type)})
          .on(manifest_path(image_.manifest), {manifest_response(image_.manifest)}));
  EXPECT_THAT(refusal(server).message(), HasSubstr("the index says 5"));
}

TEST_F(RegistrySourceTest, FollowsOneNestedIndex) {
  const auto around = [](const std::string& inner) {
    auto entry = SampleImage::descriptor(SampleImage::index_type, inner);
    entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
    return index_of(Json::array({SampleImage::descriptor(SampleImage::index_type, "not there"), entry}));
  };
  const auto first = index_of(Json::array({image_.entry("amd64")}));
  const auto second = around(first);
  const auto third = around(second);
  HttpServer server(Script()
                        .on("/v2/a/b/manifests/2", {manifest_response(second, SampleImage::index_type)})
                        .on("/v2/a/b/manifests/3", {manifest_response(third, SampleImage::index_type)})
                        .on(manifest_path(second), {manifest_response(second, SampleImage::index_type)})
                        .on(manifest_path(first), {manifest_response(first, SampleImage::index_type)})
                        .on(manifest_path(image_.manifest), {manifest_response(image_.manifest)}));
  EXPECT_EQ(resolve(server, "/a/b:2").text, image_.manifest);
  EXPECT_THAT(refusal(server, "/a/b:3").message(), HasSubstr("an index inside two others"));
}

TEST_F(RegistrySourceTest, ListsTheAvailableTags) {
  Json tags = Json::array({"1.0", "evil\u001b[2J", "latest"});
  HttpServer server(Script().on("/v2/a/b/tags/list", {respond(200, Json{{"name", "a/b"}, {"tags", tags}}.dump())}));
  auto error = refusal(server);
  EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
  EXPECT_THAT(error.message(), HasSubstr(server.location() + "/a/b:1 does not exist"));
  EXPECT_EQ(error.hint(), "tags there: 1.0, latest");
}

TEST_F(RegistrySourceTest, ListsAtMostTenTags) {
  Json tags = Json::array();
  for (int at = 0; at < 50; ++at) {
    tags.push_back("v" + std::to_string(at));
  }
  HttpServer server(Script().on("/v2/a/b/tags/list", {respond(200, Json{{"tags", tags}}.dump())}));
  EXPECT_THAT(refusal(server).hint(), testing::EndsWith("v8, v9, ..."));
}

TEST_F(RegistrySourceTest, AcceptsRegistriesThatListNoTags) {
  for (const std::string body : {"", "null", "{\"tags\":null}", "{\"tags\":7}", "<html>"}) {
    HttpServer server(Script().on("/v2/a/b/tags/list", {respond(200, body)}));
    EXPECT_EQ(refusal(server).hint(), "check the name and the tag") << body;
  }
  HttpServer server{Script()};
  EXPECT_EQ(refusal(server).kind(), base::ErrorKind::not_found);
}

TEST_F(RegistrySourceTest, DescribesOtherStatuses) {
  const std::vector<std::tuple<int, base::ErrorKind, std::string>> cases{
      {403, base::ErrorKind::not_permitted, "403 Forbidden for the manifest of"},
      {429, base::ErrorKind::failed, "429 Too Many Requests"},
      {500, base::ErrorKind::failed, "500 Internal Server Error"},
      {204, base::ErrorKind::failed, "204"},
  };
  for (const auto& [status, kind, words] : cases) {
    HttpServer server([code = status](const ServerRequest&) { return respond(code); });
    EXPECT_EQ(refusal(server).kind(), kind) << status;
    EXPECT_THAT(refusal(server).message(), HasSubstr(words)) << status;
  }
}

TEST_F(RegistrySourceTest, RefusesWebPagesAndHugeDocuments) {
  HttpServer page([](const ServerRequest&) { return respond(200, "<html>", {{"Content-Type", "text/html"}}); });
  EXPECT_THAT(refusal(page).message(), HasSubstr("web page"));
  HttpServer huge([](const ServerRequest&) { return respond(200, std::string(5U << 20U, ' ')); });
  EXPECT_EQ(refusal(huge).kind(), base::ErrorKind::verification);
}

TEST_F(RegistrySourceTest, RefusesATruncatedManifest) {
  auto cut = manifest_response(image_.manifest);
  cut.cut_after = 10;
  HttpServer server([&](const ServerRequest&) { return cut; });
  EXPECT_THAT(refusal(server).message(), HasSubstr("broke off"));
}

}  // namespace
}  // namespace berth::source
