// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_text.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

TEST(ConfigText, InsertsInTheAuthorsLayout) {
  EXPECT_EQ(insert_cgroups_path("{\n\t\"linux\": {\n\t\t\"a\": 1\n\t}\n}", "/p"),
            "{\n\t\"linux\": {\n\t\t\"cgroupsPath\": \"/p\",\n\t\t\"a\": 1\n\t}\n}");
  EXPECT_EQ(insert_cgroups_path(R"({"linux":{"a":1}})", "/p"), R"({"linux":{"cgroupsPath": "/p", "a":1}})");
  EXPECT_EQ(insert_cgroups_path(R"({"linux" : { } })", "/p"), R"({"linux" : {"cgroupsPath": "/p" } })");
}

TEST(ConfigText, FindsOnlyTheMemberAtTheTop) {
  EXPECT_EQ(
      insert_cgroups_path(R"({"a": {"linux": {}}, "b": "linux", "c": ["linux"], "d\"linux": {}, "linux": {}})", "/p"),
      R"({"a": {"linux": {}}, "b": "linux", "c": ["linux"], "d\"linux": {}, "linux": {"cgroupsPath": "/p"}})");
}

TEST(ConfigText, ReportsADocumentThatIsNotAnObject) {
  EXPECT_EQ(insert_cgroups_path("[]", "/p"), std::nullopt);
  EXPECT_EQ(insert_cgroups_path(R"({"linux": null})", "/p"), std::nullopt);
}

TEST(ConfigText, AddsTheMemberToADocumentWithoutIt) {
  EXPECT_EQ(insert_cgroups_path("{}", "/p"), R"({"linux": {"cgroupsPath": "/p"}})");
  EXPECT_EQ(insert_cgroups_path("\n{\n\t\"a\": \"linux\"\n}\n", "/p"),
            "\n{\n\t\"linux\": {\"cgroupsPath\": \"/p\"},\n\t\"a\": \"linux\"\n}\n");
}

TEST(ConfigText, EscapesThePath) {
  EXPECT_EQ(insert_cgroups_path(R"({"linux":{}})", "/a\"b"), R"({"linux":{"cgroupsPath": "/a\"b"}})");
}

TEST(ConfigText, ReplacesTheCgroupAndNothingElse) {
  EXPECT_EQ(replace_cgroups_path(
                "{\"cgroupsPath\": \"a\",\n \"linux\" : {\"b\": {\"cgroupsPath\": 1}, \"cgroupsPath\":\t\"x\\\"y\" ,"
                "\"c\": [\"cgroupsPath\"]}}",
                "/p"),
            "{\"cgroupsPath\": \"a\",\n \"linux\" : {\"b\": {\"cgroupsPath\": 1}, \"cgroupsPath\":\t\"/p\" ,"
            "\"c\": [\"cgroupsPath\"]}}");
  EXPECT_EQ(replace_cgroups_path(R"({"linux":{"a":1},"cgroupsPath":"a"})", "/p"), std::nullopt);
  EXPECT_EQ(replace_cgroups_path(R"({"linux":{"cgroupsPath":null}})", "/p"), std::nullopt);
  EXPECT_EQ(replace_cgroups_path(R"({"linux":[]})", "/p"), std::nullopt);
}

}  // namespace
}  // namespace berth::render
