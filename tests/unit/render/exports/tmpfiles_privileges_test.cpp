// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/tmpfiles_privileges.hpp"

#include "render/messages.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::messages;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(TmpfilesPrivileges, AreEmptyForStateOfAContainer) {
  EXPECT_THAT(tmpfiles_privileges(
                  "# comment\n\nd /var/lib/web 0700 0 0 - -\n  f /run/web/x - - - - -\n"
                  "L /srv/web/link - - - - target\nC /var/lib/web/x - - - - /usr/share/web/x\nC /var/lib/web/y\n"
                  "L /srv/web/usr - - - - /usr/lib/web\nx /var/lib/web\nd! /run/web\n"
                  "q \"/var/lib/with space\" - - - - -\n"),
              IsEmpty());
}

TEST(TmpfilesPrivileges, IncludeExistingFilesAndOtherPaths) {
  const std::vector<std::pair<std::string, bool>> lines = {{"d /etc/web 0755 0 0 - -", true},
                                                           {"d /var/../etc 0777 0 0 - -", true},
                                                           {"w /proc/sys/kernel/core_pattern - - - - |/x", true},
                                                           {"R /var/lib/web", false},
                                                           {"L+ /run/web - - - - /x", false},
                                                           {"Z /var/lib/web 0777 - - - -", false},
                                                           {"f+ /var/lib/web/x - - - - y", false},
                                                           {"f /var/spool/cron/root - - - - * * * * * x", true},
                                                           {"f /run/systemd/system/x.service - - - - y", true},
                                                           {"d %S/web - - - -", true},
                                                           {"c /run/node - - - - 1:3", false}};
  for (const auto& [line, over_host] : lines) {
    EXPECT_THAT(tmpfiles_privileges(line + "\n"),
                ElementsAre(Privilege{"changes the host by a tmpfiles.d line: " + line, over_host}))
        << line;
  }
}

TEST(TmpfilesPrivileges, IncludeCopiesAndLinksOfTheHostsFiles) {
  const std::vector<std::pair<std::string, bool>> lines = {{"C /var/lib/web/x - - - - /etc/shadow", true},
                                                           {"C+! /var/lib/web/x - - - - /root", true},
                                                           {"C /var/lib/web/x - - - - /var/lib/other/key", false},
                                                           {"C /var/lib/web/x - - - - /usr/../etc/shadow", true},
                                                           {"C /var/lib/web/x - - - - %h/.ssh", true},
                                                           {"L /var/lib/web/x - - - - /etc/shadow", true},
                                                           {"L /var/lib/web/x - - - - /etc/cron.d", true},
                                                           {"L /var/lib/web/x - - - - /etc", true},
                                                           {"L /var/lib/web/x - - - - /", true},
                                                           {"L /var/lib/web/x - - - - ../../../etc/shadow", true},
                                                           {"L /var/lib/web/x - - - - /srv/other", false},
                                                           {"'C' \"/var/lib/web/x\" - - - - /etc/shadow", true},
                                                           {"f^ /var/lib/web/x - - - - secret", true}};
  for (const auto& [line, over_host] : lines) {
    EXPECT_THAT(tmpfiles_privileges(line + "\n"),
                ElementsAre(Privilege{"changes the host by a tmpfiles.d line: " + line, over_host}))
        << line;
  }
}

TEST(TmpfilesPrivileges, IncludeOtherTypesThatChangeTheHost) {
  const std::vector<std::pair<std::string, bool>> lines = {{"w+ /sys/kernel/x - - - - 1", true},
                                                           {"f /var/lib/web/su 4755 0 0 - x", true},
                                                           {"z /var/lib/web/su :~6755 0 0 - -", true},
                                                           {"b /var/lib/web/disk 0666 - - - 8:0", true},
                                                           {"c /run/web/mem 0666 - - - 1:1", true},
                                                           {"d /var/lib 0777", true},
                                                           {"d /run/systemd/system 0777", true},
                                                           {"f /var/run/udev/rules.d/x - - - - y", true},
                                                           {"f /var/lib/cloud/scripts/per-boot/x - - - - y", true},
                                                           {"d /var/lib/containers/storage", true},
                                                           {"d /v\\x61r/../etc/web", true},
                                                           {"d \"/var/lib\\057..\\057..\\057etc\"", true},
                                                           {"d= /var/lib/web/x", false},
                                                           {"p+ /run/web/pipe", false},
                                                           {"e /var/lib/web 0777", false},
                                                           {"r! /var/lib/web/*", false},
                                                           {"R- /etc/ssh", true},
                                                           {"a+ /var/lib/web - - - - u:1:rwx", false},
                                                           {"A /etc - - - - u:1:rwx", true},
                                                           {"t /etc/x - - - - user.a=b", true},
                                                           {"h /etc/x - - - - +i", true},
                                                           {"x /etc", false},
                                                           {"X /tmp", false},
                                                           {"d \"/run/open", true}};
  for (const auto& [line, over_host] : lines) {
    EXPECT_THAT(tmpfiles_privileges(line + "\n"),
                ElementsAre(Privilege{"changes the host by a tmpfiles.d line: " + line, over_host}))
        << line;
  }
}

TEST(TmpfilesPrivileges, LongLinesAreAbbreviated) {
  const auto privileges = tmpfiles_privileges("C /var/lib/web/x" + std::string(300, ' ') + "- - - - /etc/shadow\n");
  EXPECT_THAT(privileges,
              ElementsAre(Privilege{"changes the host by a tmpfiles.d line: C /var/lib/web/x ... /etc/shadow", true}));
}

TEST(TmpfilesPrivileges, ACarriageReturnEndsALine) {
  EXPECT_THAT(messages(tmpfiles_privileges("# comment\rR /etc\n")),
              ElementsAre("changes the host by a tmpfiles.d line: R /etc"));
}

}  // namespace
}  // namespace berth::render
