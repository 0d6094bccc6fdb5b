// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/unit_links.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

constexpr const char* units = "/etc/systemd/system/";
constexpr const char* secret = "secret";

/// The unit `web.service`, enabled for two targets.
class UnitLinks : public ::testing::Test {
 protected:
  UnitLinks() {
    machine.write("etc/systemd/system/web.service", "[Install]\nWantedBy=multi-user.target\n");
    link("etc/systemd/system/multi-user.target.wants");
    link("etc/systemd/system/special.target.requires");
  }
  void link(const std::string& directory) const {
    machine.make_directory(directory);
    fs::create_symlink("/etc/systemd/system/web.service", machine.on_disk(directory + "/web.service"));
  }
  static std::string wants() { return std::string(units) + "multi-user.target.wants/web.service"; }
  static std::string requires_link() { return std::string(units) + "special.target.requires/web.service"; }

  test::Machine machine;
  Context context = machine.context();
};

TEST_F(UnitLinks, FindsLinksToTheUnit) {
  EXPECT_THAT(present_links(context, "web"), UnorderedElementsAre(wants(), requires_link()));
  link("run/systemd/system/basic.target.requires");
  EXPECT_THAT(all_links(context, "web"),
              UnorderedElementsAre(wants(), requires_link(), "/run/systemd/system/basic.target.requires/web.service"));
}

TEST_F(UnitLinks, KeepsOnlyLinksOfTheInstallSection) {
  keep_wanted_links(context, "web");
  EXPECT_THAT(present_links(context, "web"), ElementsAre(wants()));
  remove_links(context, "web");
  EXPECT_THAT(present_links(context, "web"), IsEmpty());
}

TEST_F(UnitLinks, AMissingUnitHasNoInstallSection) {
  ASSERT_TRUE(find_install_section(context, "web"));
  EXPECT_THAT(find_install_section(context, "web")->wanted_by, ElementsAre("multi-user.target"));
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  EXPECT_FALSE(find_install_section(context, "web"));
  restore_links(context, "web");
  EXPECT_THAT(present_links(context, "web"), UnorderedElementsAre(wants(), requires_link()));
}

TEST_F(UnitLinks, FindsTheDirectoriesOfAChange) {
  EXPECT_THAT(link_directories(context, "web", "[Install]\nWantedBy=graphical.target\nWantedBy=multi-user.target\n"),
              UnorderedElementsAre(HasSubstr("graphical.target.wants"), HasSubstr("multi-user.target.wants"),
                                   HasSubstr("special.target.requires")));
}

TEST_F(UnitLinks, RemovesEmptyDirectoriesOnly) {
  machine.make_directory("etc/systemd/system/empty.target.wants");
  remove_empty(context, {std::string(units) + "empty.target.wants", std::string(units) + "multi-user.target.wants"});
  EXPECT_FALSE(machine.exists("etc/systemd/system/empty.target.wants"));
  EXPECT_TRUE(machine.exists("etc/systemd/system/multi-user.target.wants"));
}

TEST_F(UnitLinks, BacksUpAndRestoresLinks) {
  const auto before = test::tree_text(machine.on_disk("etc"));
  back_up_links(context, secret, {wants()});
  EXPECT_THAT(present_links(context, "web"), ElementsAre(requires_link()));
  put_links_back(context, secret, {wants()});
  EXPECT_EQ(test::tree_text(machine.on_disk("etc")), before);
  put_links_back(context, secret, {wants()});
  back_up_links(context, secret, {wants()});
  drop_link_backups(context, secret, {wants()});
  EXPECT_FALSE(machine.exists("etc/systemd/system/multi-user.target.wants"));
}

}  // namespace
}  // namespace berth::ops
