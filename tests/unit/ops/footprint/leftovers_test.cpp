// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/leftovers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "host/state/deployment.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// A deployment whose tmpfiles.d lines create directories, without anything else of a container.
class LeftoversTest : public ::testing::Test {
 protected:
  LeftoversTest() {
    machine.write("var/lib/containers/berth/web.0/tmpfiles-web.conf",
                  "d /var/lib/web 0700 - - -\nd /run/web 0755 - - -\nd /var/cache/web 0755 - - -\n");
    machine.write("var/lib/web/data", "x");
    machine.write("run/web/pid", "1");
    machine.make_directory("var/cache/web");
  }
  std::vector<std::string> remarks() { return Leftovers(context, "web").remarks(); }

  test::Machine machine;
  Context context = machine.context();
};

TEST_F(LeftoversTest, ReportsDirectoriesWithDataThatSurviveABoot) {
  EXPECT_THAT(remarks(), ElementsAre("/var/lib/web is kept, because it contains data of the container"));
}

TEST_F(LeftoversTest, ReportsOtherFilesInDirectoriesOfTheImage) {
  host::DeploymentInfo info;
  info.installed_files = {"/etc/web", "/etc/web/web.conf"};
  info.installed_files_checksum = {{"/etc/web/web.conf", std::string(64, 'a')}};
  machine.write("var/lib/containers/berth/web.1/info", host::write_info(info));
  std::filesystem::remove(machine.on_disk("var/lib/web/data"));
  machine.write("etc/web/web.conf", "x");
  EXPECT_THAT(remarks(), IsEmpty());
  machine.write("etc/web/mine.conf", "x");
  EXPECT_THAT(remarks(), ElementsAre("/etc/web is kept, because it contains files that are not of the image"));
}

TEST_F(LeftoversTest, ReportsDropIns) {
  std::filesystem::remove(machine.on_disk("var/lib/web/data"));
  machine.write("etc/systemd/system/web.service.d/limits.conf", "[Service]\nMemoryMax=1G\n");
  EXPECT_THAT(remarks(), ElementsAre("/etc/systemd/system/web.service.d/limits.conf is kept, and applies to the next "
                                     "container named web"));
}

TEST_F(LeftoversTest, IgnoresDamagedDeployments) {
  machine.write("var/lib/containers/berth/web.1/info", "nonsense");
  EXPECT_THAT(remarks(), ElementsAre("/var/lib/web is kept, because it contains data of the container"));
}

}  // namespace
}  // namespace berth::ops
