// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hostile_json.hpp"
#include "render/exports/exports.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(ExportsManifest, ReadsEveryKey) {
  test::Listener listener;
  const auto manifest = parse_exports_manifest(R"({"version": "1.0", "defaultValues": {"A": "b", "E": ""},
      "installedFilesTemplate": ["/etc/x"], "renameFiles": {"etc//x/": "/etc/$NAME"},
      "noContainerService": true, "useLinks": false, "healthCheck": {"command": "true"}})",
                                               listener);
  EXPECT_EQ(manifest.version, "1.0");
  EXPECT_EQ(manifest.default_values.at("A"), "b");
  EXPECT_EQ(manifest.default_values.at("E"), "");
  EXPECT_THAT(manifest.installed_files_template, ElementsAre("/etc/x"));
  EXPECT_EQ(manifest.rename_files.at("/etc/x"), "/etc/$NAME");
  EXPECT_TRUE(manifest.no_container_service);
  EXPECT_FALSE(manifest.use_links);
  EXPECT_THAT(listener.warnings, IsEmpty());
}

TEST(ExportsManifest, HasDefaults) {
  test::Listener listener;
  const auto manifest = parse_exports_manifest("{}", listener);
  EXPECT_FALSE(manifest.no_container_service);
  EXPECT_TRUE(manifest.use_links);
  EXPECT_THAT(manifest.default_values, IsEmpty());
  EXPECT_THAT(listener.warnings, IsEmpty());
}

TEST(ExportsManifest, KeepsUnknownKeysWithAWarning) {
  test::Listener listener;
  const auto manifest = parse_exports_manifest(R"({"version": "2.0", "color": "red"})", listener);
  EXPECT_EQ(manifest.document["color"], "red");
  EXPECT_THAT(listener.warnings, ElementsAre("exports/manifest.json: the key color is unknown and has no effect",
                                             "exports/manifest.json: version 2.0 is unknown; reading it as 1.0"));
}

TEST(ExportsManifest, WrongTypesNameTheKey) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"[]", "object"},
      {R"({"version": 1})", "version"},
      {R"({"defaultValues": []})", "defaultValues"},
      {R"({"defaultValues": {"A": 1}})", "defaultValues.A"},
      {R"({"defaultValues": {"A-B": "x"}})", "cannot be the name of a variable"},
      {R"({"installedFilesTemplate": "x"})", "installedFilesTemplate"},
      {R"({"renameFiles": {"/a": 1}})", "renameFiles"},
      {R"({"renameFiles": {"/a/../b": "/c"}})", "renameFiles"},
      {R"({"noContainerService": "true"})", "noContainerService"},
      {R"({"useLinks": 1})", "useLinks"},
      {R"({"healthCheck": "x"})", "healthCheck"},
      {"{", "exports/manifest.json"},
      {R"({"version": "1.0", "version": "1.0"})", "version"},
  };
  for (const auto& [text, expected] : cases) {
    test::Listener listener;
    const auto error = error_of([&, document = text] { parse_exports_manifest(document, listener); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << text;
    EXPECT_THAT(error.message(), HasSubstr(expected)) << text;
    EXPECT_THAT(error.message(), HasSubstr("exports/manifest.json")) << text;
    EXPECT_THAT(error.hint(), HasSubstr("exports/manifest.json")) << text;
  }
}

TEST(ExportsManifest, RefusesAnInvalidDocument) {
  for (const auto& broken : berth::test::broken_json(R"({"version": "1.0"})")) {
    test::Listener listener;
    const auto error = error_of([&] { parse_exports_manifest(broken.text, listener); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << broken.label;
    EXPECT_THAT(error.message(), HasSubstr("exports/manifest.json")) << broken.label;
    EXPECT_THAT(error.message(), HasSubstr(broken.words)) << broken.label;
    EXPECT_FALSE(error.hint().empty()) << broken.label;
  }
}

}  // namespace
}  // namespace berth::render
