// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/deployment.hpp"

#include <gmock/gmock.h>

#include <array>
#include <string>
#include <string_view>

#include "host/scratch.hpp"
#include "hostile_json.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr const char* old_info = R"({
    "has-container-service": true,
    "image": "docker.io/gscrivano/etcd",
    "revision": "abc",
    "ostree-commit": "def",
    "created": 1500000000,
    "values": {"PORT": 2379, "SECURE": true, "NAME": "etcd", "NOTHING": null, "RATIO": 1.5},
    "installed-files": null,
    "installed-files-checksum": {"/usr/local/bin/a": "00", "/usr/local/share/a": ""},
    "installed-files-template": null,
    "rename-installed-files": null,
    "rpm-installed": null,
    "system-package": "no",
    "remote": null,
    "runtime": null,
    "colour": {"of": "the sea"}
})";

TEST(DeploymentInfo, ReadsInfosOfAtomic) {
  const DeploymentInfo info = parse_info(old_info, "info");
  EXPECT_EQ("docker.io/gscrivano/etcd", info.image);
  EXPECT_EQ(1'500'000'000, info.created);
  EXPECT_THAT(info.values,
              ElementsAre(Pair("NAME", "etcd"), Pair("PORT", "2379"), Pair("RATIO", "1.5"), Pair("SECURE", "true")));
  EXPECT_THAT(info.installed_files, IsEmpty());
  EXPECT_THAT(info.installed_files_checksum,
              ElementsAre(Pair("/usr/local/bin/a", "00"), Pair("/usr/local/share/a", "")));
  EXPECT_FALSE(info.rpm_installed);
  EXPECT_TRUE(info.use_links);
  EXPECT_EQ("", info.remote);
  EXPECT_EQ("", info.runtime);
}

TEST(DeploymentInfo, CanBeReadInPart) {
  constexpr std::array<std::string_view, 2> wanted{"revision", "image"};
  const DeploymentInfo info = parse_info_summary(old_info, "info", wanted);
  EXPECT_EQ(info.image, parse_info(old_info, "info").image);
  EXPECT_EQ(info.revision, parse_info(old_info, "info").revision);
  EXPECT_TRUE(info.values.empty());
  EXPECT_THROW(parse_info_summary("[]", "info", wanted), base::Error);
}

TEST(DeploymentInfo, MissingKeysHaveDefaults) {
  const DeploymentInfo info = parse_info("{}", "info");
  EXPECT_TRUE(info.has_container_service);
  EXPECT_TRUE(info.use_links);
  EXPECT_FALSE(info.rpm_installed);
  EXPECT_EQ("no", info.system_package);
  EXPECT_EQ(0, info.created);
}

TEST(DeploymentInfo, KeepsUnknownKeysBehindTheKnownOnes) {
  DeploymentInfo info = parse_info(old_info, "info");
  info.image = "new";
  const std::string text = write_info(info);
  EXPECT_TRUE(text.starts_with("{\n    \"image\": \"new\",\n    \"revision\""));
  EXPECT_TRUE(text.ends_with("}\n"));
  const DeploymentInfo again = parse_info(text, "info");
  EXPECT_EQ("the sea", again.document["colour"]["of"]);
  EXPECT_EQ("new", again.image);
  EXPECT_EQ(info.values, again.values);
  EXPECT_EQ(text, write_info(again));
}

TEST(DeploymentInfo, KeepsThePackageNameOfAtomic) {
  DeploymentInfo info = parse_info(R"({"rpm-installed": "atomic-container-x"})", "info");
  EXPECT_TRUE(info.rpm_installed);
  EXPECT_THAT(write_info(info), HasSubstr(R"("rpm-installed": "atomic-container-x")"));
  info.rpm_installed = false;
  EXPECT_THAT(write_info(info), HasSubstr(R"("rpm-installed": false)"));
  EXPECT_TRUE(parse_info(R"({"rpm-installed": true})", "info").rpm_installed);
}

TEST(DeploymentInfo, Times) {
  EXPECT_EQ(12, parse_info(R"({"created": 12.9})", "info").created);
  EXPECT_EQ(base::ErrorKind::verification, error_of([] { parse_info(R"({"created": 1e300})", "info"); }).kind());
}

TEST(DeploymentInfo, WrongTypesNameTheKey) {
  const auto refused = [](const char* text) {
    const base::Error error = error_of([&] { parse_info(text, "web.0/info"); });
    EXPECT_EQ(base::ErrorKind::verification, error.kind()) << text;
    return std::string(error.what());
  };
  EXPECT_THAT(refused(R"({"image": 3})"), HasSubstr("image"));
  EXPECT_THAT(refused(R"({"image": 3})"), HasSubstr("web.0/info"));
  EXPECT_THAT(refused(R"({"values": []})"), HasSubstr("values"));
  EXPECT_THAT(refused(R"({"values": {"A": {}}})"), HasSubstr("A"));
  EXPECT_THAT(refused(R"({"installed-files": "x"})"), HasSubstr("installed-files"));
  EXPECT_THAT(refused(R"({"installed-files-checksum": ["x"]})"), HasSubstr("installed-files-checksum"));
  EXPECT_THAT(refused(R"({"use-links": "yes"})"), HasSubstr("use-links"));
  EXPECT_THAT(refused(R"({"created": "now"})"), HasSubstr("created"));
  EXPECT_THAT(refused(R"([])"), HasSubstr("object"));
  EXPECT_THAT(refused(""), HasSubstr("web.0/info"));
}

TEST(DeploymentInfo, BrokenTextIsRefused) {
  for (const auto& broken : berth::test::broken_json(old_info)) {
    const base::Error error = error_of([&] { parse_info(broken.text, "web.0/info"); });
    EXPECT_EQ(base::ErrorKind::verification, error.kind()) << broken.label;
    EXPECT_THAT(error.message(), HasSubstr("web.0/info")) << broken.label;
    EXPECT_THAT(error.message(), HasSubstr(broken.words)) << broken.label;
  }
}

}  // namespace
}  // namespace berth::host::testing
