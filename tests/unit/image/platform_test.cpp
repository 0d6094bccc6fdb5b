// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gmock/gmock.h>

#include "failure.hpp"
#include "image/manifest.hpp"

namespace berth::image {
namespace {

using test::failure_of;
using testing::HasSubstr;
using testing::Not;

Descriptor entry(const std::string& platform, char digit) {
  Descriptor descriptor{"application/vnd.oci.image.manifest.v1+json",
                        base::Digest(base::DigestAlgorithm::sha256, std::string(64, digit)),
                        1,
                        std::nullopt,
                        {},
                        {}};
  if (!platform.empty()) {
    descriptor.platform = parse_platform(platform);
  }
  return descriptor;
}

Index index_of(const std::vector<std::string>& platforms) {
  Index index;
  for (std::size_t at = 0; at < platforms.size(); ++at) {
    index.manifests.push_back(entry(platforms[at], static_cast<char>('0' + at)));
  }
  return index;
}

TEST(Platform, ParsesAndPrints) {
  EXPECT_EQ(parse_platform("linux/arm/v7"), (Platform{"linux", "arm", "v7"}));
  EXPECT_EQ(parse_platform("linux/amd64").text(), "linux/amd64");
  EXPECT_EQ(parse_platform("linux/arm64/v8").text(), "linux/arm64/v8");
  for (const std::string text : {"", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d", "linux/a/"}) {
    EXPECT_EQ(failure_of([&] { parse_platform(text); }).kind(), base::ErrorKind::usage) << text;
  }
}

TEST(Platform, HostIsLinuxWithAKnownArchitecture) {
  EXPECT_EQ(host_platform().os, "linux");
  EXPECT_NE(host_platform().architecture, "");
  EXPECT_TRUE(runs_on(host_platform(), host_platform()));
}

TEST(RunsOn, FollowsTheRulesOfVariants) {
  struct Case {
    std::string offered, wanted;
    bool runs;
  };
  const std::vector<Case> cases{
      {"linux/amd64", "linux/amd64", true},
      {"linux/x86_64", "linux/amd64", true},
      {"linux/amd64/v1", "linux/amd64", true},
      {"linux/amd64/v2", "linux/amd64", false},
      {"linux/amd64/v2", "linux/amd64/v3", true},
      {"linux/arm64", "linux/arm64/v8", true},
      {"linux/arm64/v8", "linux/arm64", true},
      {"linux/aarch64/8", "linux/arm64", true},
      {"linux/arm64/v8.2", "linux/arm64", false},
      {"linux/arm64/v8.2", "linux/arm64/v9", true},
      {"linux/arm/v5", "linux/arm/v7", true},
      {"linux/arm/v6", "linux/arm/v7", true},
      {"linux/arm", "linux/arm/v7", true},
      {"linux/arm", "linux/arm/v6", false},
      {"linux/arm/v8", "linux/arm/v7", false},
      {"linux/armhf", "linux/arm", true},
      {"linux/armel", "linux/arm", true},
      {"linux/arm/v7", "linux/arm64", false},
      {"windows/amd64", "linux/amd64", false},
      {"linux/386", "linux/amd64", false},
      {"linux/i686", "linux/386", true},
      {"linux/ppc64le", "linux/ppc64le/power9", true},
      {"linux/ppc64le/power9", "linux/ppc64le", false},
      {"linux/ppc64le/power9", "linux/ppc64le/power9", true},
      {"LINUX/AMD64", "linux/amd64", true},
      {"linux/arm/v99999999999", "linux/arm", false},
      {"linux/arm/v7.", "linux/arm", false},
  };
  for (const auto& [offered, wanted, runs] : cases) {
    EXPECT_EQ(runs_on(parse_platform(offered), parse_platform(wanted)), runs) << offered << " on " << wanted;
  }
}

TEST(ChoosePlatform, TakesTheBestVariant) {
  const auto index = index_of({"linux/arm/v5", "linux/arm/v7", "linux/arm/v6", "linux/arm64", "linux/amd64"});
  EXPECT_EQ(&choose_platform(index, parse_platform("linux/arm/v7"), "x"), &index.manifests[1]);
  EXPECT_EQ(&choose_platform(index, parse_platform("linux/arm/v6"), "x"), &index.manifests[2]);
  EXPECT_EQ(&choose_platform(index, parse_platform("linux/arm64/v8"), "x"), &index.manifests[3]);
  EXPECT_EQ(&choose_platform(index, parse_platform("linux/amd64"), "x"), &index.manifests[4]);
}

TEST(ChoosePlatform, TakesTheFirstOfEquals) {
  const auto index = index_of({"linux/amd64", "linux/amd64/v1"});
  EXPECT_EQ(&choose_platform(index, parse_platform("linux/amd64"), "x"), &index.manifests[0]);
}

TEST(ChoosePlatform, TakesAnEntryWithoutPlatformWhenNoOtherFits) {
  const auto lone = index_of({""});
  EXPECT_EQ(&choose_platform(lone, parse_platform("linux/amd64"), "x"), &lone.manifests[0]);
  const auto several = index_of({"linux/arm64", "", ""});
  EXPECT_EQ(&choose_platform(several, parse_platform("linux/amd64"), "x"), &several.manifests[1]);
  const auto beside = index_of({"", "linux/amd64"});
  EXPECT_EQ(&choose_platform(beside, parse_platform("linux/amd64"), "x"), &beside.manifests[1]);
}

TEST(ChoosePlatform, ReportsTheExistingPlatforms) {
  auto index = index_of({"linux/arm64", "windows/amd64", "linux/arm64", "unknown/unknown"});
  const auto error = failure_of([&] { choose_platform(index, parse_platform("linux/amd64"), "quay.io/a:1"); });
  EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
  EXPECT_EQ(error.message(), "quay.io/a:1 has no image for linux/amd64");
  EXPECT_EQ(error.hint(), "it has images for linux/arm64, windows/amd64");
}

TEST(ChoosePlatform, KeepsAHostileListShort) {
  Index index;
  for (int at = 0; at < 500; ++at) {
    index.manifests.push_back(entry("os" + std::to_string(at) + "/x", 'a'));
  }
  const auto error = failure_of([&] { choose_platform(index, parse_platform("linux/amd64"), "x"); });
  EXPECT_LT(error.hint().size(), 500U);
  EXPECT_THAT(error.hint(), HasSubstr("..."));
}

}  // namespace
}  // namespace berth::image
