// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/deployment.hpp"

#include <gmock/gmock.h>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

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

TEST_F(DeploymentsTest, FindsInstalledContainers) {
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
  EXPECT_THAT(refusal("foo"), HasSubstr("foo exists and is not a container"));
  EXPECT_THAT(refusal("foo.1"), HasSubstr("foo.1 is the path of a deployment of the container foo"));
  EXPECT_THAT(refusal("foo.0"), HasSubstr("foo.0 exists and is not a container"));
  install("bar.1", 0, "two");
  EXPECT_THAT(refusal("bar"), HasSubstr("the container bar.1 has the path of a deployment of bar"));
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

TEST_F(DeploymentsTest, ListsBrokenContainersBesideTheOthers) {
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

TEST_F(DeploymentsTest, AnInstalledContainerHidesAPreinstalledOne) {
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
