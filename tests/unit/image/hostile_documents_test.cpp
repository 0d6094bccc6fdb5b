// SPDX-License-Identifier: LGPL-2.1-or-later
// Manifests, indexes and image configurations that must be refused: each refusal names the document, the key and a
// remedy.
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "failure.hpp"
#include "hostile_json.hpp"
#include "image/manifest.hpp"

namespace berth::image {
namespace {

using base::Json;
using test::failure_of;
using testing::HasSubstr;

const std::string sha256 = "sha256:" + std::string(64, 'a');  // NOLINT(cert-err58-cpp): what the tables share

Json descriptor(const std::string& media_type) {
  return {{"mediaType", media_type}, {"digest", sha256}, {"size", 10}};
}

Json manifest() {
  return {{"schemaVersion", 2},
          {"mediaType", "application/vnd.oci.image.manifest.v1+json"},
          {"config", descriptor("application/vnd.oci.image.config.v1+json")},
          {"layers", Json::array({descriptor("application/vnd.oci.image.layer.v1.tar+gzip")})}};
}

Json index() {
  auto entry = descriptor("application/vnd.oci.image.manifest.v1+json");
  entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
  return {{"schemaVersion", 2},
          {"mediaType", "application/vnd.oci.image.index.v1+json"},
          {"manifests", Json::array({entry})}};
}

Json config() {
  return {{"architecture", "amd64"},
          {"os", "linux"},
          {"config", {{"Env", {"A=b"}}}},
          {"rootfs", {{"type", "layers"}, {"diff_ids", {sha256}}}}};
}

struct Kind {
  std::string name;
  std::string good;
  std::function<void(const std::string& text)> parse;
};

std::vector<Kind> kinds() {
  // An entry that cannot be read matters when nothing else is chosen.
  const auto use = [](const Index& index) {
    if (!index.unreadable.empty()) {
      throw base::Error(base::ErrorKind::verification, index.unreadable.front(), "hint");
    }
  };
  const auto parse = [use](const std::string& text) {
    const auto parsed = parse_manifest(text, "", "DOC");
    if (const auto* index = std::get_if<Index>(&parsed)) {
      use(*index);
    }
  };
  return {
      {"manifest", manifest().dump(), parse},
      {"index", index().dump(), parse},
      {"index of a layout", index().dump(), [use](const std::string& text) { use(parse_layout_index(text, "DOC")); }},
      {"image configuration", config().dump(), [](const std::string& text) { parse_image_config(text, "DOC"); }}};
}

void expect_refusal(const Kind& kind, const std::string& text, const std::string& words) {
  const auto error = failure_of([&] { kind.parse(text); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.what(), HasSubstr("DOC"));
  EXPECT_THAT(error.what(), HasSubstr(words));
  EXPECT_FALSE(error.hint().empty()) << error.what();
}

TEST(HostileDocuments, EveryParserRefusesInvalidJson) {
  for (const auto& kind : kinds()) {
    EXPECT_NO_THROW(kind.parse(kind.good)) << kind.name;
    for (const auto& broken : test::broken_json(kind.good)) {
      SCOPED_TRACE(kind.name + ", " + broken.label);
      expect_refusal(kind, broken.text, broken.words);
    }
    for (const std::string other : {"[]", "null", "7", "\"x\"", "true"}) {
      SCOPED_TRACE(kind.name + ", " + other);
      expect_refusal(kind, other, "DOC: expected an object, found");
    }
  }
}

TEST(HostileDocuments, TruncatedDocumentsAreRefused) {
  for (const auto& kind : kinds()) {
    for (std::size_t size = 0; size < kind.good.size(); ++size) {
      EXPECT_THROW(kind.parse(kind.good.substr(0, size)), base::Error) << kind.name << size;
    }
  }
}

/// Every required key taken away, and given every other type.
TEST(HostileDocuments, MissingKeysAndWrongTypesAreRefused) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> required = {
      {"manifest",
       {"/config", "/config/mediaType", "/config/digest", "/config/size", "/layers/0/digest", "/layers/0/size"}},
      {"index", {"/manifests/0/digest", "/manifests/0/size"}},
      {"index of a layout", {"/manifests/0/digest", "/manifests/0/size"}},
      {"image configuration", {"/rootfs"}}};
  for (const auto& kind : kinds()) {
    const auto list =
        std::find_if(required.begin(), required.end(), [&](const auto& r) { return r.first == kind.name; });
    ASSERT_NE(list, required.end());
    for (const auto& pointer : list->second) {
      const auto slash = pointer.rfind('/');
      const auto key = pointer.substr(slash + 1);
      auto without = Json::parse(kind.good);
      without[Json::json_pointer(pointer.substr(0, slash))].erase(key);
      SCOPED_TRACE(kind.name + pointer);
      expect_refusal(kind, without.dump(), key);
      const bool any_text = key == "os" || key == "architecture" || key == "mediaType";
      for (const char* other : {"null", "true", "1.5", any_text ? "2" : "\"\"", "[1]", "{\"a\":1}"}) {
        auto changed = Json::parse(kind.good);
        changed[Json::json_pointer(pointer)] = Json::parse(other);
        SCOPED_TRACE(other);
        expect_refusal(kind, changed.dump(), key);
      }
    }
  }
}

TEST(HostileDocuments, InvalidDigestsAreRefused) {
  const std::vector<std::pair<std::string, std::string>> places = {{"manifest", "/config/digest"},
                                                                   {"manifest", "/layers/0/digest"},
                                                                   {"index", "/manifests/0/digest"},
                                                                   {"index of a layout", "/manifests/0/digest"},
                                                                   {"image configuration", "/rootfs/diff_ids/0"}};
  const std::vector<std::string> digests = {"sha256:",
                                            "sha256:" + std::string(63, 'a'),
                                            "sha256:" + std::string(65, 'a'),
                                            "sha256:" + std::string(64, 'A'),
                                            "sha256:" + std::string(64, 'g'),
                                            "sha256:" + std::string(128, 'a'),
                                            "sha512:" + std::string(64, 'a'),
                                            "md5:" + std::string(32, 'a'),
                                            "sha1:" + std::string(40, 'a'),
                                            "SHA256:" + std::string(64, 'a'),
                                            std::string(64, 'a'),
                                            ":" + std::string(64, 'a'),
                                            "sha256:../../../../etc/passwd",
                                            "sha256:" + std::string(61, 'a') + "/..",
                                            "sha256/" + std::string(64, 'a'),
                                            "../sha256:" + std::string(64, 'a'),
                                            sha256 + "\n",
                                            sha256 + "?x=y",
                                            " " + sha256};
  for (const auto& kind : kinds()) {
    for (const auto& [name, pointer] : places) {
      for (const auto& digest : digests) {
        if (name == kind.name) {
          auto document = Json::parse(kind.good);
          document[Json::json_pointer(pointer)] = digest;
          SCOPED_TRACE(kind.name + pointer + " " + digest);
          expect_refusal(kind, document.dump(),
                         pointer.find("diff_ids") == std::string::npos ? "digest" : "diff_ids[0]");
        }
      }
    }
  }
}

TEST(HostileDocuments, InvalidSizesAreRefused) {
  const std::vector<std::pair<const char*, const char*>> sizes = {{"-1", "a size cannot be negative"},
                                                                  {"-9223372036854775808", "cannot be negative"},
                                                                  {"9223372036854775808", "does not fit into 63 bits"},
                                                                  {"18446744073709551615", "does not fit into 63 bits"},
                                                                  {"18446744073709551616", "expected an integer"},
                                                                  {"1e3", "expected an integer"},
                                                                  {"10.0", "expected an integer"},
                                                                  {"\"10\"", "expected an integer"}};
  for (const auto& kind : kinds()) {
    if (kind.name == "image configuration") {
      continue;
    }
    for (const auto& [size, words] : sizes) {
      auto text = kind.good;
      const auto at = text.find("\"size\":10");
      text.replace(at, 9, std::string("\"size\":") + size);
      SCOPED_TRACE(kind.name + " " + size);
      expect_refusal(kind, text, words);
      expect_refusal(kind, text, ".size: ");
    }
  }
}

TEST(HostileDocuments, AManifestThatIsAlsoAnIndex) {
  const auto kind = kinds().front();
  for (const char* key : {"config", "layers", "fsLayers"}) {
    auto both = index();
    both[key] = manifest().value(key, Json::array());
    for (const auto* type : {"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"}) {
      both["mediaType"] = type;
      expect_refusal(kind, both.dump(), std::string("both 'manifests' and '") + key + "'");
    }
  }
}

TEST(HostileDocuments, AContradictingMediaTypeNamesTheKey) {
  const auto kind = kinds().front();
  for (const auto* type :
       {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}) {
    auto document = manifest();
    document["mediaType"] = type;
    expect_refusal(kind, document.dump(), "DOC: mediaType: it says");
  }
}

TEST(HostileDocuments, UnusableLayersAndConfigurationsAreRefused) {
  const std::vector<std::array<std::string, 3>> cases = {
      {"/layers/0/mediaType", "application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"},
      {"/layers/0/mediaType", "application/vnd.oci.image.layer.nondistributable.v1.tar", "foreign"},
      {"/layers/0/mediaType", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign"},
      {"/layers/0/mediaType", "application/vnd.in-toto+json", "unknown type"},
      {"/config/mediaType", "application/vnd.cncf.helm.config.v1+json", "a Helm chart, not a container image"},
      {"/config/mediaType", "application/vnd.oci.empty.v1+json", "not a container image"},
      {"/config/mediaType", "application/vnd.oci.image.manifest.v1+json", "not a container image"}};
  const auto kind = kinds().front();
  for (const auto& [pointer, type, words] : cases) {
    auto document = manifest();
    document[Json::json_pointer(pointer)] = type;
    document["layers"][0]["urls"] = {"https://elsewhere.example/layer"};
    SCOPED_TRACE(type);
    expect_refusal(kind, document.dump(), words);
    expect_refusal(kind, document.dump(), pointer.starts_with("/layers") ? "layers[0]" : "config.mediaType");
  }
}

TEST(HostileDocuments, ThousandsOfKeysTakeLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) {
    text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  }
  const auto kind = kinds().front();
  expect_refusal(kind, text + "\"schemaVersion\":2}", "config");
  EXPECT_NO_THROW(kind.parse(text + manifest().dump().substr(1)));
}

}  // namespace
}  // namespace berth::image
