// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/exports.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::HasSubstr;

ExportsManifest renames(std::map<std::string, std::string> rename_files) {
  ExportsManifest manifest;
  manifest.rename_files = std::move(rename_files);
  return manifest;
}

const Values values = {
    {"NAME", "etcd1"}, {"CONF_DIRECTORY", "/etc"}, {"EVIL", "../../x"}, {"REL", "x"}, {"NL", "a\nb"}};

TEST(HostDestination, IsThePathWithoutRenames) {
  EXPECT_EQ(host_destination("usr/local/bin/x", {}, values), "/usr/local/bin/x");
  EXPECT_EQ(host_destination("etc/$NAME", {}, values), "/etc/$NAME");
}

TEST(HostDestination, MatchesExactNamesWithAndWithoutSlash) {
  const auto manifest = renames({{"/etc/etcd/etcd.conf", "$CONF_DIRECTORY/$NAME/etcd.conf"},
                                 {"usr/local/bin/etcdctl", "/usr/local/bin/${NAME}ctl"}});
  EXPECT_EQ(host_destination("etc/etcd/etcd.conf", manifest, values), "/etc/etcd1/etcd.conf");
  EXPECT_EQ(host_destination("usr/local/bin/etcdctl", manifest, values), "/usr/local/bin/etcd1ctl");
  EXPECT_EQ(host_destination("etc/etcd", manifest, values), "/etc/etcd");
}

TEST(HostDestination, TheLongestDirectoryWins) {
  const auto manifest = renames({{"/etc", "/e"}, {"/etc/a/", "/ea//"}, {"/etc/a/b", "/file"}});
  EXPECT_EQ(host_destination("etc/x/y", manifest, values), "/e/x/y");
  EXPECT_EQ(host_destination("etc/a/c", manifest, values), "/ea/c");
  EXPECT_EQ(host_destination("etc/a", manifest, values), "/ea");
  EXPECT_EQ(host_destination("etc/a/b", manifest, values), "/file");
  EXPECT_EQ(host_destination("etc/ab", manifest, values), "/e/ab");
  EXPECT_EQ(host_destination("etcetera", manifest, values), "/etcetera");
}

TEST(HostDestination, RefusesInvalidDestinations) {
  const std::map<std::string, std::string> cases = {{"/a/../b", ".."},     {"$REL/b", "is not absolute"},
                                                    {"/a/$EVIL", ".."},    {"", "is not absolute"},
                                                    {"/", "root"},         {"/$NL", "the path holds a line break"},
                                                    {"/x$", "a lone `$`"}, {"/x/$MISSING", "no value for $MISSING"}};
  for (const auto& [to, reason] : cases) {
    EXPECT_THAT(error_of([&, target = to] {
                  host_destination("f", renames({{"/f", target}}), values);
                }).message(),
                HasSubstr(reason))
        << to;
  }
  EXPECT_THAT(error_of([&] {
                host_destination("f", renames({{"/f", "/$MISSING"}}), values);
              }).hint(),
              HasSubstr("--set MISSING=…"));
  EXPECT_THROW(host_destination("a/../b", {}, values), base::Error);
  EXPECT_THROW(host_destination("a\nb", {}, values), base::Error);
  EXPECT_THROW(host_destination("", {}, values), base::Error);
}

TEST(HostDestination, RefusesEntriesWithTheSameDestination) {
  const std::vector<HostEntry> entries = {{"a", HostEntryKind::directory, 0, 0, 0, {}, false},
                                          {"a/f", HostEntryKind::file, 0, 0, 0, {}, false},
                                          {"b", HostEntryKind::directory, 0, 0, 0, {}, false},
                                          {"b/f", HostEntryKind::link, 0, 0, 0, "x", false}};
  EXPECT_NO_THROW(check_destinations(entries, {}, values));
  const auto error = error_of([&] { check_destinations(entries, renames({{"/b", "/a"}}), values); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_EQ(error.message(), "exports/hostfs/a/f and exports/hostfs/b/f would both become /a/f on the host");
}

}  // namespace
}  // namespace berth::render
