// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/tmpfiles_undo.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* lines =
    "d /srv/web 0755 - - -\nf /srv/web/text 0644 - - - content\nL /srv/web/link - - - - /usr/share/x\n";

class TmpfilesUndo : public ::testing::Test {
 protected:
  TmpfilesUndo() {
    machine.write("srv/web/text", "content");
    std::filesystem::create_symlink("/usr/share/x", machine.on_disk("srv/web/link"));
  }
  void undo() { undo_tmpfiles(context, {"/srv/web", "/srv/web/text", "/srv/web/link"}, lines); }

  test::Machine machine;
  Context context = machine.context();
};

TEST_F(TmpfilesUndo, RemovesFilesAndDirectories) {
  undo();
  EXPECT_FALSE(machine.exists("srv/web"));
  EXPECT_TRUE(machine.exists("srv"));
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
  undo();
}

TEST_F(TmpfilesUndo, KeepsChangedFiles) {
  machine.write("srv/web/text", "changed");
  undo();
  EXPECT_EQ(machine.read("srv/web/text"), "changed");
  EXPECT_FALSE(machine.exists("srv/web/link"));
  EXPECT_THAT(machine.reporter.warnings, ElementsAre(HasSubstr("/srv/web/text was changed")));
}

TEST_F(TmpfilesUndo, KeepsDirectoriesWithOtherFiles) {
  machine.write("srv/web/mine", "x");
  undo();
  EXPECT_TRUE(machine.exists("srv/web/mine"));
  EXPECT_FALSE(machine.exists("srv/web/text"));
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
}

TEST_F(TmpfilesUndo, KeepsFilesWhoseOriginalContentIsNotKnown) {
  undo_tmpfiles(context, {"/srv/web/text"}, "");
  EXPECT_TRUE(machine.exists("srv/web/text"));
}

}  // namespace
}  // namespace berth::ops
