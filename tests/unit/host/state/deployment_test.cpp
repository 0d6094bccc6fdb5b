#include "host/state/deployment.hpp"

#include <gmock/gmock.h>

#include <array>

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

TEST(DeploymentInfo, WrittenByTheOlderTool) {
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
  const DeploymentInfo info = parse_brief_info(old_info, "info", wanted);
  EXPECT_EQ(info.image, parse_info(old_info, "info").image);
  EXPECT_EQ(info.revision, parse_info(old_info, "info").revision);
  EXPECT_TRUE(info.values.empty());
  EXPECT_THROW(parse_brief_info("[]", "info", wanted), base::Error);
}

TEST(DeploymentInfo, MissingKeysHaveDefaults) {
  const DeploymentInfo info = parse_info("{}", "info");
  EXPECT_TRUE(info.has_container_service);
  EXPECT_TRUE(info.use_links);
  EXPECT_FALSE(info.rpm_installed);
  EXPECT_EQ("no", info.system_package);
  EXPECT_EQ(0, info.created);
}

TEST(DeploymentInfo, UnknownKeysSurviveBehindTheKnownOnes) {
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

TEST(DeploymentInfo, ThePackageNameOfTheOlderToolSurvives) {
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

class DeploymentsTest : public ::testing::Test {
 protected:
  DeploymentsTest() : layout_(layout_in(root_)) {}

  void install(const std::string& name, int slot, const std::string& image, const std::string& directory = berth_) {
    const std::string deployment = name + "." + std::to_string(slot);
    root_.file(directory + "/" + deployment + "/info", "{\"image\": \"" + image + "\"}");
    root_.link(directory + "/" + name, deployment);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Deployment& deployment : list_deployments(layout_).deployments) {
      names.push_back(deployment.name);
    }
    return names;
  }

  static constexpr const char* berth_ = "var/lib/containers/berth";
  Scratch root_;
  Layout layout_;
};

TEST_F(DeploymentsTest, NothingInstalled) {
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(find_deployment(layout_, "web"));
  EXPECT_FALSE(current_slot(layout_, "web"));
}

TEST_F(DeploymentsTest, FindsWhatIsInstalled) {
  install("web", 1, "registry/web");
  install("api", 0, "registry/api");
  root_.directory(std::string(berth_) + "/web.0");
  root_.directory(std::string(berth_) + "/.storage/ostree");
  root_.link(std::string(berth_) + "/.tmp", "web.1");
  root_.file(std::string(berth_) + "/stray", "");
  EXPECT_THAT(names(), ElementsAre("api", "web"));
  EXPECT_EQ(1, current_slot(layout_, "web"));
  const auto found = find_deployment(layout_, "web");
  ASSERT_TRUE(found);
  EXPECT_EQ(1, found->slot);
  EXPECT_EQ("registry/web", found->info.image);
  EXPECT_EQ(root_.at(std::string(berth_) + "/web.1"), found->path);
  EXPECT_FALSE(found->preinstalled);
}

TEST_F(DeploymentsTest, NamesThatExcludeEachOther) {
  const auto refusal = [this](const std::string& name) {
    try {
      refuse_name_conflict(layout_, name);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
      return error.message();
    }
    return std::string();
  };
  EXPECT_EQ(refusal("foo"), "");
  install("foo", 0, "one");
  EXPECT_THAT(refusal("foo"), HasSubstr("foo exists and is no container"));
  EXPECT_THAT(refusal("foo.1"), HasSubstr("foo.1 is where a deployment of the container foo goes"));
  EXPECT_THAT(refusal("foo.0"), HasSubstr("foo.0 exists and is no container"));
  install("bar.1", 0, "two");
  EXPECT_THAT(refusal("bar"), HasSubstr("the container bar.1 stands where a deployment of bar would"));
  root_.file(std::string(berth_) + "/old.0/info", "{}");
  EXPECT_THAT(refusal("old"), HasSubstr("old.0 is left over from a container"));
}

TEST_F(DeploymentsTest, ANameEndingLikeASlotAlone) {
  install("foo.0", 0, "two");
  install("foo.1", 1, "three");
  EXPECT_THAT(names(), ElementsAre("foo.0", "foo.1"));
  EXPECT_EQ(0, current_slot(layout_, "foo.0"));
  EXPECT_EQ(1, current_slot(layout_, "foo.1"));
  EXPECT_FALSE(find_deployment(layout_, "foo"));
  EXPECT_FALSE(find_deployment(layout_, "foo.0.0"));
}

TEST_F(DeploymentsTest, AbsoluteTargets) {
  const std::string directory = berth_;
  root_.file(directory + "/web.0/info", "{}");
  root_.link(directory + "/web", "/var/lib/containers/berth/web.0");
  root_.file(directory + "/api.1/info", "{}");
  root_.link(directory + "/api", "./api.1");
  EXPECT_THAT(names(), ElementsAre("api", "web"));
  EXPECT_EQ(0, current_slot(layout_, "web"));
}

TEST_F(DeploymentsTest, BrokenOnesAreListedBesideTheOthers) {
  const std::string directory = std::string(berth_) + "/";
  install("good", 0, "x");
  root_.link(directory + "dangling", "dangling.0");
  root_.link(directory + "foreign", "good.0");
  root_.link(directory + "deep", "x/deep.0");
  root_.directory(directory + "empty.0");
  root_.link(directory + "empty", "empty.0");
  root_.file(directory + "garbled.0/info", "{");
  root_.link(directory + "garbled", "garbled.0");
  root_.file(directory + "flat.0", "");
  root_.link(directory + "flat", "flat.0");
  root_.link(directory + "linked.0", "good.0");
  root_.link(directory + "linked", "linked.0");
  root_.link(directory + "infolink.0/info", "/etc/shadow");
  root_.link(directory + "infolink", "infolink.0");

  const DeploymentList list = list_deployments(layout_);
  EXPECT_THAT(names(), ElementsAre("good"));
  std::map<std::string, std::string> reasons;
  for (const BrokenDeployment& broken : list.broken) {
    reasons[broken.name] = broken.reason;
  }
  EXPECT_THAT(reasons["dangling"], HasSubstr("points to dangling.0, which does not exist"));
  EXPECT_THAT(reasons["foreign"], HasSubstr("points to good.0 instead of foreign.0 or foreign.1"));
  EXPECT_THAT(reasons["deep"], HasSubstr("points to x/deep.0"));
  EXPECT_THAT(reasons["empty"], HasSubstr("has no info file"));
  EXPECT_THAT(reasons["garbled"], HasSubstr("garbled.0/info"));
  EXPECT_THAT(reasons["flat"], HasSubstr("is not a directory"));
  EXPECT_THAT(reasons["linked"], HasSubstr("is not a directory"));
  EXPECT_THAT(reasons["infolink"], HasSubstr("link"));
  // linked.0 is a link to good.0 too: a container of that name whose link is foreign.
  EXPECT_THAT(reasons["linked.0"], HasSubstr("points to good.0"));
  EXPECT_EQ(9U, reasons.size());

  EXPECT_THAT(error_of([&] { find_deployment(layout_, "dangling"); }).what(), HasSubstr("container dangling: "));
  const auto garbled = error_of([&] { find_deployment(layout_, "garbled"); });
  EXPECT_THAT(garbled.what(), HasSubstr("garbled.0/info is not valid JSON"));
  EXPECT_THAT(garbled.hint(), HasSubstr("berth uninstall"));
  EXPECT_FALSE(current_slot(layout_, "foreign"));
  EXPECT_EQ(0, current_slot(layout_, "dangling"));
}

TEST_F(DeploymentsTest, PreinstalledUnlessInstalled) {
  install("web", 0, "vendor", "usr/lib/containers/berth");
  install("agent", 0, "vendor", "usr/lib/containers/berth");
  install("web", 1, "admin");
  const DeploymentList list = list_deployments(layout_);
  ASSERT_EQ(2U, list.deployments.size());
  EXPECT_EQ("agent", list.deployments[0].name);
  EXPECT_TRUE(list.deployments[0].preinstalled);
  EXPECT_EQ("admin", list.deployments[1].info.image);
  EXPECT_TRUE(find_deployment(layout_, "agent")->preinstalled);
  EXPECT_FALSE(find_deployment(layout_, "web")->preinstalled);
  EXPECT_FALSE(current_slot(layout_, "agent"));
}

TEST_F(DeploymentsTest, BadNamesAreRefused) {
  EXPECT_EQ(base::ErrorKind::usage, error_of([&] { find_deployment(layout_, "../x"); }).kind());
}

}  // namespace
}  // namespace berth::host::testing
