// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/tmpfiles_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth::render {

using base::Finding;
using base::Findings;
using base::Severity;
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string problem(const std::string& line) {
  const auto findings = check_tmpfiles(line, "t");
  return findings.empty() ? "" : findings.front().message;
}

TEST(TmpfilesCheck, AcceptsTheExamplesOfTheManual) {
  EXPECT_THAT(check_tmpfiles("# comment\n\n  \n"
                             "d /run/x 0755 root root 10d -\n"
                             "D! /tmp/.X11-unix 1777 root root 10d\n"
                             "d /var/lib/etcd - - - - -\n"
                             "L+ /etc/os-release - - - - ../usr/lib/os-release\n"
                             "f \"/run/with blank\" 0644 - - - some text, 100%%\n"
                             "w /proc/sys/kernel/x - - - - 1\n"
                             "x /var/tmp/podman*\n"
                             "c+ /dev/fuse 0600 - - - 10:229\n"
                             "z %t/log ~2755 :root systemd-journal - -\n"
                             "q /home 0755 - - ~1h30min\n"
                             "e /tmp - - - abM:10d\n"
                             "a+ /var/log/journal - - - - d:group:adm:r-x\n"
                             "f^= /run/cred - - - - name\n"
                             "v /var/tmp 1777 root root 1w 2d",
                             "t"),
              IsEmpty());
}

TEST(TmpfilesCheck, ReportsLinesThatSystemdRefuses) {
  EXPECT_THAT(problem("d"), HasSubstr("a type and a path"));
  EXPECT_THAT(problem("\"\" /run/x"), HasSubstr("a type and a path"));
  EXPECT_THAT(problem("k /run/x"), HasSubstr("`k` is not a type"));
  EXPECT_THAT(problem("d? /run/x"), HasSubstr("`?` is not a type modifier"));
  EXPECT_THAT(problem("d run/x"), HasSubstr("`run/x` is not absolute"));
  EXPECT_THAT(problem("d /run/../x"), HasSubstr("`..`"));
  EXPECT_THAT(problem("d /run/%k"), HasSubstr("`%k` is not a specifier"));
  EXPECT_THAT(problem("d /run/50%"), HasSubstr("`%` is not a specifier"));
  EXPECT_THAT(problem("d /run/x 0789"), HasSubstr("`0789` is not a mode"));
  EXPECT_THAT(problem("d /run/x 70000"), HasSubstr("is not a mode"));
  EXPECT_THAT(problem("d /run/x u=rwx"), HasSubstr("is not a mode"));
  EXPECT_THAT(problem("d /run/x 0700 ro/ot"), HasSubstr("is not a user or group name"));
  EXPECT_THAT(problem("d /run/x 0700 root -x"), HasSubstr("is not a user or group name"));
  EXPECT_THAT(problem("d /run/x 0700 root root soon"), HasSubstr("`soon` is not an age"));
  EXPECT_THAT(problem("d /run/x 0700 root root z:10d"), HasSubstr("before the colon"));
  EXPECT_THAT(problem("w /run/x"), HasSubstr("needs an argument"));
  EXPECT_THAT(problem("c /dev/x 0600 - - - fuse"), HasSubstr("MAJOR:MINOR"));
  EXPECT_THAT(problem("d \"/run/x"), HasSubstr("unclosed quote"));
}

TEST(TmpfilesCheck, NumbersTheLines) {
  const auto findings = check_tmpfiles("d /run/a\n# no\nd b\nd /c\nk /d", "exports/tmpfiles.template");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0].line, 3U);
  EXPECT_EQ(findings[1].line, 5U);
  EXPECT_EQ(findings[1].file, "exports/tmpfiles.template");
  EXPECT_EQ(findings[1].severity, Severity::error);
}

}  // namespace
}  // namespace berth::render
