// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/images/deployments_in_use.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/state/deployment.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/images_test.hpp"

namespace berth::ops {
namespace {

using test::deployments;
using test::web;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class DeploymentsInUse : public test::ImagesTest {
 protected:
  void write_info(const std::string& directory, const std::string& commit) const {
    host::DeploymentInfo info;
    info.image = web;
    info.ostree_commit = commit;
    machine.write(std::string(deployments) + "/" + directory + "/info", host::write_info(info));
  }
  [[nodiscard]] std::string commit() { return open_images(context).images(false).at(0).commit; }
};

TEST_F(DeploymentsInUse, AreDirectoriesWithAnInfo) {
  machine.make_directory(std::string(deployments) + "/empty.0");
  write_info(".mounts/view", commit());
  write_info(".staging-other", commit());
  write_info("web.1", commit());
  const auto found = deployments_in_use(context);
  ASSERT_THAT(found, SizeIs(4));
  EXPECT_EQ(found[0].path, deployment(".mounts/view"));
  EXPECT_EQ(found[0].container, "");
  EXPECT_EQ(found[1].path, deployment(".staging-other"));
  EXPECT_EQ(found[1].container, "");
  EXPECT_EQ(found[2].container, "web");
  EXPECT_TRUE(found[2].live);
  EXPECT_EQ(found[2].image, web);
  EXPECT_EQ(found[3].container, "web");
  EXPECT_FALSE(found[3].live);
  EXPECT_THAT(commits_in_use(found), SizeIs(4));
}

TEST_F(DeploymentsInUse, ADamagedInfoIsAWarningAndAnUnknownUse) {
  EXPECT_FALSE(has_unknown_use(deployments_in_use(context), open_images(context)));
  machine.write(std::string(deployments) + "/web.0/info", "nonsense");
  const auto found = deployments_in_use(context);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].container, "web");
  EXPECT_NE(found[0].damage, "");
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("web.0/info")));
  EXPECT_TRUE(has_unknown_use(deployments_in_use(context), open_images(context)));
}

TEST_F(DeploymentsInUse, ACommitThatIsNotAChecksumIsDamage) {
  write_info("web.0", "../../etc/passwd");
  const auto found = deployments_in_use(context);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].commit, "");
  EXPECT_THAT(found[0].damage, HasSubstr("which is not a checksum"));
}

TEST_F(DeploymentsInUse, ACommitThatIsNotStoredIsAnUnknownUse) {
  write_info("web.0", std::string(64, 'a'));
  EXPECT_TRUE(has_unknown_use(deployments_in_use(context), open_images(context)));
}

TEST_F(DeploymentsInUse, CheckoutsOfContainersWithAServiceAreWhole) {
  write_info(".mounts/view", commit());
  machine.make_directory(std::string(deployments) + "/.mounts/view/rootfs");
  const auto checkouts = checkouts_of(deployments_in_use(context), open_images(context));
  ASSERT_THAT(checkouts, SizeIs(2));
  EXPECT_FALSE(checkouts[0].whole);
  EXPECT_EQ(checkouts[1].path, deployment("web.0/rootfs"));
  EXPECT_EQ(checkouts[1].commit, commit());
  EXPECT_TRUE(checkouts[1].whole);
}

}  // namespace
}  // namespace berth::ops
