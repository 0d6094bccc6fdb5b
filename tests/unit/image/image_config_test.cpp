// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "failure.hpp"
#include "image/manifest.hpp"

namespace berth::image {
namespace {

using base::Json;
using test::failure_of;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string diff_id = "sha256:" + std::string(64, 'b');

Json document() {
  return Json::parse(R"({"architecture":"arm64","os":"linux","variant":"v8","created":"2024-01-02T03:04:05Z",
    "config":{"Entrypoint":["/e"],"Cmd":["a","b"],"Env":["PATH=/bin","EMPTY="],"WorkingDir":"/w","User":"1:2",
      "StopSignal":"SIGINT","ExposedPorts":{"80/tcp":{},"53/udp":{}},"Volumes":{"/data":{}},
      "Labels":{"atomic.type":"system"},
      "Healthcheck":{"Test":["CMD","x"],"Interval":1000000000,"Timeout":2,"StartPeriod":3,"Retries":4}},
    "rootfs":{"type":"layers","diff_ids":[")" +
                     diff_id + R"("]},"history":[{"created_by":"x"}]})");
}

TEST(ParseImageConfig, ReadsEverything) {
  const auto config = parse_image_config(document().dump(), "DOC");
  EXPECT_EQ(config.platform.text(), "linux/arm64/v8");
  EXPECT_EQ(config.created, "2024-01-02T03:04:05Z");
  EXPECT_THAT(config.entrypoint, ElementsAre("/e"));
  EXPECT_THAT(config.command, ElementsAre("a", "b"));
  EXPECT_THAT(config.environment, ElementsAre("PATH=/bin", "EMPTY="));
  EXPECT_EQ(config.working_dir, "/w");
  EXPECT_EQ(config.user, "1:2");
  EXPECT_EQ(config.stop_signal, "SIGINT");
  EXPECT_THAT(config.exposed_ports, ElementsAre("80/tcp", "53/udp"));
  EXPECT_THAT(config.volumes, ElementsAre("/data"));
  EXPECT_EQ(config.labels.at("atomic.type"), "system");
  ASSERT_TRUE(config.healthcheck);
  EXPECT_EQ(config.healthcheck->interval_ns, 1'000'000'000);
  EXPECT_EQ(config.healthcheck->retries, 4);
  ASSERT_EQ(config.diff_ids.size(), 1U);
  EXPECT_EQ(config.diff_ids[0].text(), diff_id);
}

TEST(ParseImageConfig, TreatsNullAsAbsent) {
  const auto config = parse_image_config(
      R"({"architecture":"amd64","os":"linux","config":{"Entrypoint":null,"Cmd":null,"Env":null,"Labels":null,
          "Volumes":null},"rootfs":{"type":"layers","diff_ids":[]}})",
      "DOC");
  EXPECT_TRUE(config.entrypoint.empty());
  EXPECT_TRUE(config.labels.empty());
  EXPECT_FALSE(config.healthcheck);
  EXPECT_NO_THROW(
      parse_image_config(R"({"architecture":"a","os":"b","rootfs":{"type":"layers","diff_ids":[]}})", "DOC"));
}

// As tools written in Go read them.
TEST(ParseImageConfig, LeavesMissingMembersEmpty) {
  const auto config = parse_image_config(
      R"({"config":{"Env":["A=b","FOO","=x","",null],"Labels":{"a":null}},"rootfs":{"diff_ids":null}})", "DOC");
  EXPECT_EQ(config.platform, (Platform{"", "", ""}));
  EXPECT_THAT(config.environment, ElementsAre("A=b", "FOO", "=x", "", ""));
  EXPECT_EQ(config.labels.at("a"), "");
  EXPECT_TRUE(config.diff_ids.empty());
  EXPECT_TRUE(parse_image_config(R"({"rootfs":{"type":"layers"}})", "DOC").diff_ids.empty());
}

TEST(ParseImageConfig, RefusesWrongTypesAndValues) {
  const std::vector<std::array<std::string, 3>> cases{
      {"/os", "7", "DOC: os"},
      {"/architecture", "[]", "architecture"},
      {"/config", "[]", "DOC: config"},
      {"/config/Entrypoint", "\"sh\"", "DOC: config.Entrypoint"},
      {"/config/Cmd/0", "1", "DOC: config.Cmd[0]"},
      {"/config/Cmd/0", "\"a\\u0000b\"", "DOC: config.Cmd[0]: the text holds a NUL byte"},
      {"/config/Env/0", "\"A=\\u0000\"", "NUL"},
      {"/config/User", "0", "DOC: config.User"},
      {"/config/ExposedPorts", "[]", "DOC: config.ExposedPorts"},
      {"/config/Volumes", "{\"\":{}}", "DOC: config.Volumes"},
      {"/config/Labels", "{\"a\":1}", "DOC: config.Labels.a"},
      {"/config/Healthcheck/Interval", "-1", "DOC: config.Healthcheck.Interval: it is negative"},
      {"/rootfs", "null", "rootfs"},
      {"/rootfs/type", "\"squashfs\"", "expected 'layers'"},
      {"/rootfs/diff_ids", "{}", "DOC: rootfs.diff_ids"},
      {"/rootfs/diff_ids/0", "\"sha256:xyz\"", "DOC: rootfs.diff_ids[0]"},
  };
  for (const auto& [pointer, value, words] : cases) {
    auto json = document();
    json[Json::json_pointer(pointer)] = Json::parse(value);
    const auto error = failure_of([&] { parse_image_config(json.dump(), "DOC"); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << pointer << value;
    EXPECT_THAT(error.message(), HasSubstr(words)) << pointer << value;
  }
}

TEST(ParseImageConfig, LimitsTheLayers) {
  auto json = document();
  for (std::size_t at = 0; at < layer_count_limit; ++at) {
    json["rootfs"]["diff_ids"].push_back(diff_id);
  }
  EXPECT_THAT(failure_of([&] { parse_image_config(json.dump(), "DOC"); }).message(), HasSubstr("501 layers"));
}

}  // namespace
}  // namespace berth::image
