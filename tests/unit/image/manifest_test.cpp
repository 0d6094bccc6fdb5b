// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/manifest.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "failure.hpp"

namespace berth::image {
namespace {

using base::Json;
using test::failure_of;
using testing::HasSubstr;

const std::string digest = "sha256:" + std::string(64, 'a');
constexpr auto oci_manifest = "application/vnd.oci.image.manifest.v1+json";
constexpr auto oci_index = "application/vnd.oci.image.index.v1+json";
constexpr auto docker_manifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr auto docker_list = "application/vnd.docker.distribution.manifest.list.v2+json";

Json descriptor(const std::string& type, std::int64_t size = 10) {
  return {{"mediaType", type}, {"digest", digest}, {"size", size}};
}

Json oci_document() {
  return {{"schemaVersion", 2},
          {"mediaType", oci_manifest},
          {"config", descriptor("application/vnd.oci.image.config.v1+json")},
          {"layers", Json::array({descriptor("application/vnd.oci.image.layer.v1.tar+gzip")})},
          {"annotations", {{"a", "b"}}}};
}

Json index_document() {
  auto entry = descriptor(oci_manifest);
  entry["platform"] = {{"os", "linux"}, {"architecture", "arm"}, {"variant", "v7"}};
  return {{"schemaVersion", 2}, {"mediaType", oci_index}, {"manifests", Json::array({entry})}};
}

base::Error refusal(const Json& document, const std::string& media_type = "") {
  return failure_of([&] { parse_manifest(document.dump(), media_type, "DOC"); });
}

TEST(ParseManifest, ReadsOci) {
  const auto manifest = std::get<Manifest>(parse_manifest(oci_document().dump(), oci_manifest, "DOC"));
  EXPECT_EQ(manifest.config.digest.text(), digest);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].size, 10);
  EXPECT_EQ(layer_compression(manifest.layers[0]), Compression::gzip);
  EXPECT_EQ(manifest.annotations.at("a"), "b");
}

TEST(ParseManifest, ReadsDockerSchema2) {
  const Json document = {{"schemaVersion", 2},
                         {"mediaType", docker_manifest},
                         {"config", descriptor("application/vnd.docker.container.image.v1+json")},
                         {"layers", Json::array({descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip")})}};
  EXPECT_EQ(std::get<Manifest>(parse_manifest(document.dump(), docker_manifest, "DOC")).layers.size(), 1U);
}

TEST(ParseManifest, ReadsIndexes) {
  auto document = index_document();
  const auto index = std::get<Index>(parse_manifest(document.dump(), oci_index, "DOC"));
  ASSERT_EQ(index.manifests.size(), 1U);
  EXPECT_EQ(index.manifests[0].platform->text(), "linux/arm/v7");
  document["mediaType"] = docker_list;
  EXPECT_NO_THROW(parse_manifest(document.dump(), docker_list, "DOC"));
}

TEST(ParseManifest, TheDocumentDecidesWhenNothingIsAnnounced) {
  auto document = oci_document();
  for (const std::string type :
       {"", "application/json", "application/octet-stream", "text/plain; charset=utf-8", "application/json ; x=y"}) {
    EXPECT_NO_THROW(parse_manifest(document.dump(), type, "DOC")) << type;
  }
  document.erase("mediaType");
  EXPECT_NO_THROW(parse_manifest(document.dump(), "", "DOC"));
  EXPECT_NO_THROW(parse_manifest(document.dump(), std::string(oci_manifest) + "; charset=utf-8", "DOC"));
}

TEST(ParseManifest, TheDocumentDecidesWhateverIsAnnounced) {
  for (const std::string type :
       {oci_index, docker_manifest, "application/pdf", "text/html", "Application/JSON",
        "APPLICATION/VND.OCI.IMAGE.MANIFEST.V1+JSON", "application/vnd.docker.distribution.manifest.v1+prettyjws"}) {
    EXPECT_NO_THROW(std::get<Manifest>(parse_manifest(oci_document().dump(), type, "DOC"))) << type;
  }
  EXPECT_NO_THROW(std::get<Index>(parse_manifest(index_document().dump(), oci_manifest, "DOC")));
  auto document = oci_document();
  for (const std::string own : {"x/y", "", "Application/vnd.OCI.image.manifest.v1+json; charset=utf-8"}) {
    document["mediaType"] = own;
    EXPECT_NO_THROW(std::get<Manifest>(parse_manifest(document.dump(), "", "DOC"))) << own;
  }
}

TEST(ParseManifest, RefusesAContradictingMediaType) {
  auto document = oci_document();
  for (const std::string own : {oci_index, docker_list, "application/vnd.OCI.image.index.v1+json"}) {
    document["mediaType"] = own;
    EXPECT_THAT(refusal(document).message(), HasSubstr("DOC: mediaType: it says")) << own;
  }
  auto index = index_document();
  index["mediaType"] = oci_manifest;
  EXPECT_THAT(refusal(index).message(), HasSubstr("but the document is an index"));
}

TEST(ParseManifest, RecognizesAWebPage) {
  EXPECT_THAT(failure_of([] { parse_manifest("<html>", "Text/HTML; charset=utf-8", "DOC"); }).message(),
              HasSubstr("web page"));
  EXPECT_THAT(failure_of([] { parse_manifest("<html>", "", "DOC"); }).hint(), HasSubstr("the address of a registry"));
}

TEST(ParseManifest, AcceptsAnyTypeOfConfigurationInDockersManifests) {
  for (const std::string type : {"application/octet-stream", "", "application/json"}) {
    auto document = oci_document();
    document["config"]["mediaType"] = type;
    EXPECT_THROW(parse_manifest(document.dump(), docker_manifest, "DOC"), base::Error) << type;
    document["mediaType"] = docker_manifest;
    EXPECT_NO_THROW(parse_manifest(document.dump(), "", "DOC")) << type;
    document.erase("mediaType");
    EXPECT_NO_THROW(parse_manifest(document.dump(), docker_manifest, "DOC")) << type;
    document["config"].erase("mediaType");
    EXPECT_NO_THROW(parse_manifest(document.dump(), docker_manifest, "DOC")) << type;
    document["config"]["mediaType"] = "application/vnd.docker.plugin.v1+json";
    EXPECT_THROW(parse_manifest(document.dump(), docker_manifest, "DOC"), base::Error);
  }
}

TEST(ParseManifest, TreatsNullAsAbsent) {
  auto document = oci_document();
  document["layers"] = nullptr;
  document["annotations"] = nullptr;
  document["schemaVersion"] = nullptr;
  EXPECT_TRUE(std::get<Manifest>(parse_manifest(document.dump(), "", "DOC")).layers.empty());
  document.erase("layers");
  document.erase("schemaVersion");
  document["annotations"] = {{"a", nullptr}};
  const auto manifest = std::get<Manifest>(parse_manifest(document.dump(), "", "DOC"));
  EXPECT_EQ(manifest.annotations.at("a"), "");
  document["schemaVersion"] = 0;
  EXPECT_NO_THROW(parse_manifest(document.dump(), "", "DOC"));
  auto index = index_document();
  index["manifests"] = nullptr;
  index.erase("schemaVersion");
  EXPECT_TRUE(std::get<Index>(parse_manifest(index.dump(), "", "DOC")).manifests.empty());
}

TEST(ParseManifest, KeepsIndexesWithUnreadableEntries) {
  auto document = index_document();
  document["manifests"].push_back(7);
  document["manifests"].push_back({{"digest", "md5:1"}, {"size", 1}});
  document["manifests"].push_back(descriptor(oci_index));
  document["manifests"].push_back({{"digest", digest}, {"size", 1}, {"platform", {{"os", "linux"}}}});
  document["manifests"].push_back({{"digest", digest}, {"size", 1}, {"platform", {{"os", 1}}}});
  const auto index = std::get<Index>(parse_manifest(document.dump(), "", "DOC"));
  EXPECT_EQ(index.manifests.size(), 3U);
  EXPECT_THAT(index.unreadable, testing::ElementsAre(HasSubstr("DOC: manifests[1]"), HasSubstr("manifests[2].digest"),
                                                     HasSubstr("manifests[5].platform.os")));
  EXPECT_EQ(&choose_platform(index, parse_platform("linux/arm/v7"), "x"), &index.manifests[0]);
  EXPECT_THAT(failure_of([&] {
                choose_platform({{}, index.unreadable}, parse_platform("linux/amd64"), "x");
              }).hint(),
              HasSubstr("3 of its entries cannot be read: DOC: manifests[1]"));
}

TEST(ParseManifest, RefusesADocumentThatIsBoth) {
  for (const std::string key : {"config", "layers", "fsLayers"}) {
    auto document = index_document();
    document[key] = Json::array();
    EXPECT_THAT(refusal(document).message(), HasSubstr("both 'manifests' and '" + key + "'")) << key;
  }
}

TEST(ParseManifest, RefusesSchema1) {
  const Json document = {{"schemaVersion", 1}, {"fsLayers", Json::array()}};
  EXPECT_THAT(refusal(document).message(), HasSubstr("schema 1"));
  EXPECT_THAT(refusal(document).hint(), HasSubstr("skopeo copy"));
  EXPECT_THAT(refusal({{"schemaVersion", 2}, {"fsLayers", Json::array()}}).message(), HasSubstr("schema 1"));
  EXPECT_THAT(refusal({{"schemaVersion", 3}}).message(), HasSubstr("expected 2, found 3"));
}

TEST(ParseManifest, RefusesArtefacts) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"application/vnd.cncf.helm.config.v1+json", "a Helm chart"},
      {"application/vnd.wasm.config.v1+json", "WebAssembly"},
      {"application/vnd.example.thing\n", "an artefact of type 'application/vnd.example.thing\\n'"},
      {"application/vnd.oci.empty.v1+json", "without configuration"},
  };
  for (const auto& [type, words] : cases) {
    auto document = oci_document();
    document["config"] = descriptor(type);
    const auto error = refusal(document);
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr(words));
    EXPECT_THAT(error.message(), HasSubstr("DOC: config.mediaType"));
    EXPECT_NE(error.hint(), "");
  }
  auto typed = oci_document();
  typed["config"] = descriptor("application/vnd.oci.empty.v1+json");
  typed["artifactType"] = "application/vnd.example.sbom";
  EXPECT_THAT(refusal(typed).message(), HasSubstr("application/vnd.example.sbom"));
}

TEST(ParseManifest, RefusesUnusableLayers) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"application/vnd.dev.cosign.simplesigning.v1+json", "unknown type"},
      {"application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"},
      {"application/vnd.oci.image.layer.v1.tar+encrypted", "encrypted"},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "foreign"},
      {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign"},
      {"application/json", "unknown type"},
      {"text/spdx", "unknown type"},
  };
  for (const auto& [type, words] : cases) {
    auto document = oci_document();
    document["layers"].push_back(descriptor(type));
    document["layers"][1]["urls"] = {"https://elsewhere.example/layer"};
    const auto error = refusal(document);
    EXPECT_THAT(error.message(), HasSubstr(words)) << type;
    EXPECT_THAT(error.what(), HasSubstr("DOC: layers[1]")) << type;
    EXPECT_NE(error.hint(), "") << type;
  }
}

TEST(ParseManifest, RefusesWrongTypesAndValues) {
  const std::vector<std::array<std::string, 3>> cases{
      {"/config", "[]", "DOC: config"},
      {"/config/size", "-1", "DOC: config.size: a size cannot be negative"},
      {"/config/size", "9223372036854775808", "DOC: config.size"},
      {"/config/size", "1.5", "DOC: config.size"},
      {"/config/size", "\"10\"", "DOC: config.size"},
      {"/config/size", "5000000", "DOC: config.size: an image configuration has at most"},
      {"/config/digest", "\"sha256:../../x\"", "DOC: config.digest"},
      {"/config/digest", "\"sha256:aa\"", "DOC: config.digest"},
      {"/config/digest", "7", "DOC: config.digest"},
      {"/config/mediaType", "null", "mediaType"},
      {"/config/mediaType", "7", "mediaType"},
      {"/layers", "{}", "DOC: layers"},
      {"/layers/0", "3", "DOC: layers[0]"},
      {"/layers/0/size", "-5", "DOC: layers[0].size"},
      {"/layers/0/urls", "\"x\"", "DOC: layers[0].urls"},
      {"/layers/0/annotations", "{\"a\":1}", "DOC: layers[0].annotations.a"},
      {"/layers/0/platform", "{\"os\":1}", "DOC: layers[0].platform.os"},
      {"/annotations", "[]", "DOC: annotations"},
      {"/schemaVersion", "\"2\"", "DOC: schemaVersion"},
      {"/mediaType", "{}", "DOC: mediaType"},
  };
  for (const auto& [pointer, value, words] : cases) {
    auto document = oci_document();
    document[Json::json_pointer(pointer)] = Json::parse(value);
    const auto error = refusal(document);
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << pointer << value;
    EXPECT_THAT(error.message(), HasSubstr(words)) << pointer << value;
  }
}

TEST(ParseManifest, RefusesInvalidJson) {
  for (const std::string text : {"", "[]", "null", "7", "{", "{}", "{\"schemaVersion\":2,\"schemaVersion\":2}"}) {
    const auto error = failure_of([&] { parse_manifest(text, "", "DOC"); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << text;
    EXPECT_THAT(error.message(), HasSubstr("DOC")) << text;
  }
}

TEST(ParseManifest, LimitsLayersAndEntries) {
  auto manifest = oci_document();
  for (std::size_t at = 0; at < layer_count_limit; ++at) {
    manifest["layers"].push_back(manifest["layers"][0]);
  }
  EXPECT_THAT(refusal(manifest).message(), HasSubstr("501 layers"));
  auto index = index_document();
  for (std::size_t at = 0; at < index_entry_limit; ++at) {
    index["manifests"].push_back(index["manifests"][0]);
  }
  EXPECT_THAT(refusal(index).message(), HasSubstr("1001 entries"));
}

TEST(LayerCompression, KnowsOciAndDocker) {
  const std::vector<std::pair<std::string, Compression>> cases{
      {"application/vnd.oci.image.layer.v1.tar", Compression::none},
      {"application/vnd.oci.image.layer.v1.tar+gzip", Compression::gzip},
      {"application/vnd.oci.image.layer.v1.tar+zstd", Compression::zstd},
      {"application/vnd.docker.image.rootfs.diff.tar", Compression::none},
      {"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::gzip},
      {"application/vnd.docker.image.rootfs.diff.tar.zstd", Compression::zstd},
      {"Application/vnd.oci.image.layer.v1.TAR+gzip", Compression::gzip},
      {"application/vnd.oci.image.layer.v1.tar+xz", Compression::none},
      {"application/octet-stream", Compression::none},
      {"", Compression::none},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Compression::none},
  };
  for (const auto& [type, compression] : cases) {
    const Descriptor layer{type, base::Digest::parse(digest), 1, std::nullopt, {}, {}};
    EXPECT_EQ(layer_compression(layer), compression) << type;
  }
}

TEST(ParseLayoutIndex, AllowsIndexesAndArtefactsAsEntries) {
  auto document = index_document();
  document["manifests"].push_back(descriptor(oci_index));
  document["manifests"].push_back(descriptor("application/vnd.example"));
  document.erase("mediaType");
  EXPECT_EQ(parse_layout_index(document.dump(), "DOC").manifests.size(), 3U);
}

TEST(ParseLayoutIndex, RefusesOtherDocuments) {
  EXPECT_THAT(failure_of([] { parse_layout_index(oci_document().dump(), "DOC"); }).message(),
              HasSubstr("no 'manifests'"));
  auto both = index_document();
  both["layers"] = Json::array();
  EXPECT_THAT(failure_of([&] { parse_layout_index(both.dump(), "DOC"); }).message(), HasSubstr("both"));
}

TEST(ManifestMediaTypes, AreTheFourSupportedTypes) {
  EXPECT_EQ(manifest_media_types().size(), 4U);
}

}  // namespace
}  // namespace berth::image
