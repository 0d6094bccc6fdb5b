// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/writable_paths.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string closed(const std::string& lines, const std::vector<std::string>& paths) {
  return close_tmpfiles(lines, paths).text;
}

TEST(WritablePaths, SourcesOfWritableBinds) {
  const auto config = base::parse_json(
      R"({"mounts": [
        {"destination": "/a", "type": "bind", "source": "/var/lib/a/", "options": ["rbind", "rw"]},
        {"destination": "/b", "type": "none", "source": "/srv/b", "options": ["bind"]},
        {"destination": "/c", "type": "bind", "source": "/etc/c", "options": ["bind", "ro"]},
        {"destination": "/d", "type": "bind", "source": "/run/d", "options": ["bind"]},
        {"destination": "/e", "type": "tmpfs", "source": "/var/e"}]})",
      "config");
  EXPECT_THAT(writable_host_paths(config), ElementsAre("/var/lib/a", "/srv/b"));
}

TEST(WritablePaths, OthersLoseAccessToWhatAContainerWrites) {
  EXPECT_EQ(closed("d /var/lib/a 0755 root root - -\n", {"/var/lib/a"}), "d /var/lib/a 0750 root root - -\n");
  EXPECT_EQ(closed("d /var/lib/a - - - - -", {"/var/lib/a"}), "d /var/lib/a 0750 - - - -");
  EXPECT_EQ(closed("d /var/lib/a\n", {"/var/lib/a"}), "d /var/lib/a 0750\n");
  EXPECT_EQ(closed("d \"/var/lib/a b\"   ~0711 7 8 - -\n", {"/var/lib/a b"}), "d \"/var/lib/a b\"   ~0710 7 8 - -\n");
  EXPECT_EQ(closed("d /var/'lib'/\\x61 \"0711\" 7 8\n", {"/var/lib/a"}), "d /var/'lib'/\\x61 0710 7 8\n");
  EXPECT_EQ(closed("d /var/lib/a/ 0777\nd /var/lib/a/b 0777\n", {"/var/lib/a/b"}),
            "d /var/lib/a/ 0770\nd /var/lib/a/b 0777\n");
  EXPECT_EQ(closed("d /var/lib/a 0700\nd /var/lib/a/b 0755\n", {"/var/lib/a/b"}),
            "d /var/lib/a 0700\nd /var/lib/a/b 0755\n");
}

TEST(WritablePaths, OtherLinesStayByteForByte) {
  for (const std::string lines : {"d /var/lib/a 0750 0 0 - -\n", "d /var/lib/a 0777 0 0 - -\n",
                                  "d /var/log 0755\nd /var 0755\n", "f /var/lib/a 0755\n", "# d /var/lib/a 0755\n",
                                  "d /var/lib/other 0755", "d /var/lib/%b 0755\n", "d /var/lib/a/deeper 0755\n"}) {
    const auto result = close_tmpfiles(lines, {"/var/lib/a", "/var/log"});
    EXPECT_EQ(result.text, lines);
    EXPECT_THAT(result.changes, IsEmpty()) << lines;
  }
}

TEST(WritablePaths, LinesThatChangeModesApply) {
  const auto mode_of_a = [](const std::string& line) {
    return made_directories("d /var/lib/a 0700 0 0 - -\nd /var/lib/b 0700\n" + line + "\n").at(0).mode;
  };
  for (const char* line : {"z /var/lib/a 0777", "z /var/lib/* 0777", "Z /var/lib 0777", "z \"/var/lib//a\" ~0777",
                           "m /var/lib/a 0777 - - - -"}) {
    EXPECT_EQ(mode_of_a(line), 0777U) << line;
  }
  for (const char* line : {"z /var/lib/b 0777", "z /var/lib/a - 5 5", "z /var/lib 0777", "# z /var/lib/a 0777"}) {
    EXPECT_EQ(mode_of_a(line), 0700U) << line;
  }
  EXPECT_EQ(mode_of_a("a+ /var/lib/a - - - - u:1000:rwx"), 0701U);
  EXPECT_EQ(mode_of_a("A /var/lib - - - - u:1000:rwx"), 0701U);
}

}  // namespace
}  // namespace berth::render
