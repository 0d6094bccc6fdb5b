// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/unit_file.hpp"

#include <gmock/gmock.h>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* units = "etc/systemd/system/";

TEST(InstallSectionTest, ReadsTheSettingsThatMakeLinks) {
  const InstallSection section = parse_install_section(R"(
[Unit]
WantedBy=not.target
[Install]
# a comment
; another
WantedBy=multi-user.target  graphical.target
RequiredBy = \
  # inside
  network.target \
  a@b.service
Alias=%p-alias.service %n
Also=other.socket
nonsense
[X-Other]
WantedBy=also-not.target
)",
                                                       "web.service");
  EXPECT_THAT(section.wanted_by, ElementsAre("multi-user.target", "graphical.target"));
  EXPECT_THAT(section.required_by, ElementsAre("network.target", "a@b.service"));
  EXPECT_THAT(section.aliases, ElementsAre("web-alias.service", "web.service"));
  EXPECT_THAT(section.not_followed, ElementsAre("Also=other.socket"));
}

TEST(InstallSectionTest, AnEmptyAssignmentResets) {
  const auto section =
      parse_install_section("[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target\\", "web.service");
  EXPECT_THAT(section.wanted_by, ElementsAre("b.target"));
}

TEST(InstallSectionTest, FollowsALineThatEndsInTwoBackslashes) {
  const auto section =
      parse_install_section("[Service]\nEnvironment=ESCAPE=\\\\\n[Install]\nWantedBy=a.target\n", "web.service");
  EXPECT_THAT(section.wanted_by, ElementsAre("a.target"));
}

TEST(InstallSectionTest, IsHiddenByAContinuedLine) {
  const auto section =
      parse_install_section("[Service]\nEnvironment=ESCAPE=\\\n[Install]\nWantedBy=a.target\n", "web.service");
  EXPECT_THAT(section.wanted_by, IsEmpty());
}

TEST(InstallSectionTest, NamesMayBeQuoted) {
  const auto section = parse_install_section("[Install]\nWantedBy=\"a.target\" 'b\\x2dc.target'\n", "web.service");
  EXPECT_THAT(section.wanted_by, ElementsAre("a.target", "b\\x2dc.target"));
  EXPECT_THAT(error_of([] { parse_install_section("[Install]\nWantedBy=\"a.target\n", "web.service"); }).what(),
              HasSubstr("unclosed quote in '\"a.target'"));
}

TEST(InstallSectionTest, RefusesInvalidUnitNames) {
  for (const char* name : {"../../tmp/x", "a/b.target", "target", ".target", "x.wants", "a%i.target", "a%", "ä.target",
                           "\x1b[2J.target"}) {
    const base::Error error =
        error_of([&] { parse_install_section(std::string("[Install]\nWantedBy=") + name + "\n", "web.service"); });
    EXPECT_EQ(base::ErrorKind::verification, error.kind()) << name;
    EXPECT_THAT(error.what(), HasSubstr(base::printable(name)));
  }
  const base::Error error = error_of([] { parse_install_section("[Install]\nAlias=web.target\n", "web.service"); });
  EXPECT_THAT(error.what(), HasSubstr("another type"));
  EXPECT_THAT(error_of([] { parse_install_section("[Install]\nWantedBy=%H.target\n", "web.service"); }).what(),
              HasSubstr("'%H.target', a specifier"));
}

class UnitLinksTest : public ::testing::Test {
 protected:
  UnitLinksTest() : fd_(root_.open()) { root_.file(std::string(units) + "web.service", "[Service]\n"); }

  std::vector<std::string> make() { return make_unit_links(fd_.get(), "web.service", section_); }

  Scratch root_;
  base::Fd fd_;
  InstallSection section_{{"multi-user.target"}, {"x.target"}, {"www.service", "web.service"}, {}};
};

TEST_F(UnitLinksTest, LinksAreMadeOnceAndRemoved) {
  const std::string before = root_.listing();
  EXPECT_THAT(make(),
              ElementsAre("/etc/systemd/system/multi-user.target.wants/web.service",
                          "/etc/systemd/system/x.target.requires/web.service", "/etc/systemd/system/www.service"));
  EXPECT_EQ("/etc/systemd/system/web.service",
            root_.target(std::string(units) + "multi-user.target.wants/web.service"));
  EXPECT_EQ("/etc/systemd/system/web.service", root_.target(std::string(units) + "www.service"));
  EXPECT_THAT(make(), IsEmpty());
  remove_unit_links(fd_.get(), "web.service");
  EXPECT_EQ(before, root_.listing());
}

TEST_F(UnitLinksTest, OtherLinksAreKept) {
  root_.link(std::string(units) + "multi-user.target.wants/api.service", "/etc/systemd/system/api.service");
  root_.directory(std::string(units) + "empty.target.wants");
  root_.link(std::string(units) + "linked.target.wants", "multi-user.target.wants");
  const std::string before = root_.listing();
  make();
  remove_unit_links(fd_.get(), "web.service");
  EXPECT_EQ(before, root_.listing());
}

TEST_F(UnitLinksTest, LinksOfTheKeptSectionAreKept) {
  make();
  root_.link(std::string(units) + "old.target.wants/web.service", "../web.service");
  root_.link(std::string(units) + "old.service", "web.service");
  const auto section =
      parse_install_section("[Install]\nWantedBy=multi-user.target\nAlias=www.service\n", "web.service");
  remove_unit_links(fd_.get(), "web.service", section);
  EXPECT_TRUE(root_.has(std::string(units) + "multi-user.target.wants/web.service"));
  EXPECT_TRUE(root_.has(std::string(units) + "www.service"));
  EXPECT_FALSE(root_.has(std::string(units) + "old.target.wants"));
  EXPECT_FALSE(root_.has(std::string(units) + "old.service"));
  remove_unit_links(fd_.get(), "web.service",
                    parse_install_section("[Install]\nRequiredBy=multi-user.target\n", "web.service"));
  EXPECT_FALSE(root_.has(std::string(units) + "multi-user.target.wants/web.service"));
}

TEST_F(UnitLinksTest, LinksOfARemovedUnitAreRemoved) {
  std::filesystem::remove(root_.at(std::string(units) + "web.service"));
  root_.link(std::string(units) + "old.target.wants/web.service", "../web.service");
  remove_unit_links(fd_.get(), "web.service");
  EXPECT_FALSE(root_.has(std::string(units) + "old.target.wants"));
}

TEST_F(UnitLinksTest, OnlyTheNamedLinksAreMadeAndRemoved) {
  const base::Fd root = root_.open();
  const std::string directory = "/etc/systemd/system";
  InstallSection section;
  section.wanted_by = {"a.target"};
  section.required_by = {"b.target"};
  section.aliases = {"other.service", "web.service"};
  const auto links = link_paths("web.service", section, directory);
  EXPECT_THAT(links, ElementsAre(directory + "/a.target.wants/web.service",
                                 directory + "/b.target.requires/web.service", directory + "/other.service"));
  EXPECT_THAT(present_links(root.get(), "web.service", links), IsEmpty());
  EXPECT_EQ(make_links(root.get(), "web.service", links, directory), links);
  EXPECT_THAT(make_links(root.get(), "web.service", links, directory), IsEmpty());
  EXPECT_EQ(present_links(root.get(), "web.service", links), links);
  remove_links(root.get(), "web.service", {links.at(0), links.at(2)});
  EXPECT_THAT(present_links(root.get(), "web.service", links), ElementsAre(links.at(1)));
  EXPECT_FALSE(root_.has(std::string(units) + "a.target.wants"));
}

TEST_F(UnitLinksTest, MissingLinksAreNotRemoved) {
  const Scratch empty;
  EXPECT_NO_THROW(remove_unit_links(empty.open().get(), "web.service"));
  EXPECT_THAT(empty.listing(), IsEmpty());
}

TEST_F(UnitLinksTest, ATakenNameIsAConflictAndIsUndone) {
  root_.file(std::string(units) + "www.service", "[Service]\n");
  const std::string before = root_.listing();
  const base::Error error = error_of([&] { make(); });
  EXPECT_EQ(base::ErrorKind::conflict, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("/etc/systemd/system/www.service exists and is not a link to it"));
  EXPECT_EQ(before, root_.listing());
}

TEST_F(UnitLinksTest, DirectoriesReachedThroughLinksStayInsideTheRoot) {
  const Scratch outside;
  root_.directory("srv/wants");
  root_.link(std::string(units) + "multi-user.target.wants", "/srv/wants");
  root_.link(std::string(units) + "x.target.requires", outside.path());  // dangling inside the root
  EXPECT_EQ(base::ErrorKind::conflict, error_of([&] { make(); }).kind());
  EXPECT_FALSE(root_.has("srv/wants/web.service"));
  EXPECT_THAT(outside.listing(), IsEmpty());
}

TEST(UnitName, FollowsTheRulesOfSystemd) {
  for (const auto* name : {"a.service", "a@b.timer", "dev-disk-by\\x2duuid.device", "a:b_c-d.e.socket", "x@.path"}) {
    EXPECT_TRUE(is_unit_name(name)) << name;
  }
  for (const auto& name : std::vector<std::string>{"a b.socket", ".service", ".a.service", "@a.service", "a.conf", "a",
                                                   "a/b.service", std::string(250, 'a') + ".service"}) {
    EXPECT_FALSE(is_unit_name(name)) << name;
  }
}

}  // namespace
}  // namespace berth::host::testing
