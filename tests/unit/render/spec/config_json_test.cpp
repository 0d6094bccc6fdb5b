// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_json.hpp"

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::HasSubstr;
using testing::IsEmpty;

std::string modern(const std::string& linux_section) {
  return "{\"ociVersion\": \"1.0.2\",\n  \"process\": {\"args\": [\"a\"], \"cwd\": \"/\"},\n"
         "  \"root\":   {\"path\": \"rootfs\", \"readonly\": true}" +
         (linux_section.empty() ? "" : ",\n  \"linux\": " + linux_section) + "}\n\n";
}

RuntimeConfig finish(const std::string& text, const std::string& remote = {}) {
  return finish_config(text, "exports/config.json", {}, "/system.slice/x.service/payload", remote);
}

TEST(ConfigJson, KeepsAModernDocumentByteForByte) {
  const std::string text = modern(R"({"cgroupsPath": "/own", "namespaces": [{"type": "pid"}]})");
  const auto config = finish(text);
  EXPECT_EQ(config.text, text);
  EXPECT_THAT(config.conversions, IsEmpty());
}

TEST(ConfigJson, InsertsOnlyTheCgroupsPath) {
  const auto config = finish(modern("{\n    \"namespaces\": []}"));
  EXPECT_EQ(config.text,
            modern("{\n    \"cgroupsPath\": \"/system.slice/x.service/payload\",\n    \"namespaces\": []}"));
  EXPECT_THAT(config.conversions, IsEmpty());
  EXPECT_EQ(config.document["linux"]["cgroupsPath"], "/system.slice/x.service/payload");
}

TEST(ConfigJson, KeepsTheRestOfADocumentWithoutLinux) {
  const auto text = modern("");
  const auto config = finish(text);
  EXPECT_EQ(config.text, "{\"linux\": {\"cgroupsPath\": \"/system.slice/x.service/payload\"}, " + text.substr(1));
  EXPECT_EQ(base::parse_json(config.text, "c"), config.document);
  EXPECT_THAT(config.conversions, IsEmpty());
}

TEST(ConfigJson, SerializesADocumentWithAnEmptyCgroupsPath) {
  const auto config = finish(modern(R"({"cgroupsPath": ""})"));
  EXPECT_EQ(base::parse_json(config.text, "c"), config.document);
  EXPECT_EQ(config.document["linux"]["cgroupsPath"], "/system.slice/x.service/payload");
  EXPECT_THAT(config.conversions, IsEmpty());
}

TEST(ConfigJson, SerializesAConvertedDocumentWithItsCgroupsPath) {
  const auto config = finish(modern(R"({"devices": null})"));
  EXPECT_EQ(config.conversions.size(), 1U);
  EXPECT_EQ(base::parse_json(config.text, "c"), config.document);
  EXPECT_THAT(config.text, HasSubstr("\n    \"linux\": {\n        \"cgroupsPath\": "));
  EXPECT_EQ(finish(config.text).text, config.text);
}

TEST(ConfigJson, SetsARemoteRootFileSystem) {
  const auto config = finish(modern(R"({"cgroupsPath": "/own"})"), "/srv/tree");
  EXPECT_EQ(config.document["root"]["path"], "/srv/tree");
  EXPECT_EQ(base::parse_json(config.text, "c"), config.document);
  EXPECT_THAT(config.conversions, IsEmpty());
  const auto inserted = finish(modern("{}"), "/srv/tree");
  EXPECT_EQ(inserted.document["linux"]["cgroupsPath"], "/system.slice/x.service/payload");
}

/// A finished configuration of a unit that notifies.
RuntimeConfig relayed(const std::string& mounts, const std::string& environment) {
  HostFeatures features;
  features.unit_notifies = true;
  auto text = modern(R"({"cgroupsPath": "/own"})");
  text.replace(text.find("\"args\""), 0, "\"env\": " + environment + ", ");
  text.insert(1, "\"mounts\": " + mounts + ", ");
  return finish_config(text, "exports/config.json", features, "/x");
}

const char* const host_run = R"([{"destination": "/run", "type": "bind", "source": "/run", "options": ["rbind"]}])";

TEST(ConfigJson, LetsAPayloadWithTheHostsRunNotifySystemdItself) {
  const auto config = relayed(host_run, R"(["A=b"])");
  EXPECT_TRUE(config.notifies_itself);
  EXPECT_EQ(config.document["process"]["env"], base::Json::array({"A=b", "NOTIFY_SOCKET=/run/systemd/notify"}));
  EXPECT_EQ(config.conversions.size(), 1U);
  EXPECT_EQ(base::parse_json(config.text, "c"), config.document);
}

TEST(ConfigJson, LeavesOtherPayloadsToTheRuntime) {
  EXPECT_FALSE(relayed("[]", "[]").notifies_itself);
  EXPECT_THAT(relayed("[]", "[]").conversions, IsEmpty());
  const auto own = relayed(host_run, R"(["NOTIFY_SOCKET=/x"])");
  EXPECT_TRUE(own.notifies_itself);
  EXPECT_THAT(own.conversions, IsEmpty());
}

TEST(ConfigJson, EveryRefusalHasARemedy) {
  for (const char* text : {"", "{", "[]", "{}", R"({"process": 1})", R"({"ociVersion": "x"})"}) {
    EXPECT_FALSE(error_of([&] { finish(text); }).hint().empty()) << text;
  }
}

TEST(ConfigJson, NamesTheFileOfAnInvalidDocument) {
  const auto error = error_of([] { finish("{\n\"a\": }"); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("exports/config.json"));
  EXPECT_THAT(error.message(), HasSubstr("line 2"));
  EXPECT_THAT(error_of([] { finish(R"({"linux": {}, "linux": {}})"); }).message(), HasSubstr("twice"));
  EXPECT_THROW(finish(""), base::Error);
}

TEST(ConfigJson, RefusesAWritableRoot) {
  std::string text = modern("{}");
  text.replace(text.find("true"), 4, "false");
  EXPECT_THAT(error_of([&] { finish(text); }).hint(), HasSubstr("berth shares files between containers"));
}

}  // namespace
}  // namespace berth::render
