// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/health_check.hpp"

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

HealthCheck parse(const std::string& text) {
  const auto json = base::parse_json(text, "manifest.json");
  return parse_health_check(base::JsonView(json, "manifest.json", "healthCheck"));
}

TEST(HealthCheck, EveryKey) {
  const auto check = parse(R"({"command":["a","b"],"interval":0.5,"timeout":2,"startPeriod":10,"retries":7})");
  EXPECT_THAT(check.command, ElementsAre("a", "b"));
  EXPECT_EQ(check.interval, milliseconds(500));
  EXPECT_EQ(check.timeout, milliseconds(2000));
  EXPECT_EQ(check.start_period, milliseconds(10'000));
  EXPECT_EQ(check.retries, 7);
  EXPECT_EQ(to_json(check), to_json(parse(to_json(check).dump())));
}

TEST(HealthCheck, RunsATextInTheShell) {
  const auto check = parse(R"({"command":"test -e /ready"})");
  EXPECT_THAT(check.command, ElementsAre("/bin/sh", "-c", "test -e /ready"));
  EXPECT_EQ(check.interval, milliseconds(5000));
  EXPECT_EQ(check.retries, 3);
}

TEST(HealthCheck, InvalidValuesNameTheKey) {
  for (const auto* text :
       {R"([])", R"({})", R"({"command":[]})", R"({"command":[""]})", R"({"command":["a\u0000"]})",
        R"({"command":"a","interval":"5s"})", R"({"command":"a","interval":-1})", R"({"command":"a","timeout":0})",
        R"({"command":"a","timeout":1e9})", R"({"command":"a","retries":0})", R"({"command":"a","retries":1.5})"}) {
    try {
      parse(text);
      ADD_FAILURE() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification);
      EXPECT_THAT(error.message(), HasSubstr("healthCheck")) << text;
    }
  }
}

TEST(HealthCheck, OfAnImageConfiguration) {
  image::Healthcheck docker;
  docker.test = {"CMD", "/bin/check", "it"};
  docker.interval_ns = 1'500'000'000;
  auto check = health_check_of(docker);
  EXPECT_THAT(check->command, ElementsAre("/bin/check", "it"));
  EXPECT_EQ(check->interval, milliseconds(1500));
  EXPECT_EQ(check->timeout, milliseconds(30'000));
  EXPECT_EQ(check->retries, 3);
  docker.test = {"CMD-SHELL", "true && true"};
  docker.retries = 9;
  check = health_check_of(docker);
  EXPECT_THAT(check->command, ElementsAre("/bin/sh", "-c", "true && true"));
  EXPECT_EQ(check->retries, 9);
}

TEST(HealthCheck, IgnoresOtherForms) {
  for (const auto& test : std::vector<std::vector<std::string>>{{}, {"NONE"}, {"CMD"}, {"CMD-SHELL"}, {"odd", "x"}}) {
    image::Healthcheck docker;
    docker.test = test;
    EXPECT_FALSE(health_check_of(docker));
  }
}

}  // namespace
}  // namespace berth::render
