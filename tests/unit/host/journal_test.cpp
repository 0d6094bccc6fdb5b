#include "host/journal.hpp"

#include <gmock/gmock.h>

#include "scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() : layout_(layout_in(root_)) {}

  static constexpr const char* folder_ = "var/lib/containers/berth/.transactions";
  Scratch root_;
  Layout layout_;
};

TEST_F(JournalTest, WritesReadsReplacesRemoves) {
  EXPECT_FALSE(read_journal(layout_, "web"));
  EXPECT_THAT(list_journals(layout_), IsEmpty());
  write_journal(layout_, "web", {{"verb", "install"}, {"step", 1}});
  write_journal(layout_, "web", {{"verb", "install"}, {"step", 2}});
  write_journal(layout_, "api.0", {{"verb", "update"}});
  EXPECT_THAT(list_journals(layout_), ElementsAre("api.0", "web"));
  EXPECT_EQ(2, (*read_journal(layout_, "web"))["step"]);
  EXPECT_EQ(0600U, root_.status(std::string(folder_) + "/web").st_mode & 07777U);
  EXPECT_EQ(0700U, root_.status(folder_).st_mode & 07777U);
  remove_journal(layout_, "web");
  EXPECT_FALSE(read_journal(layout_, "web"));
  EXPECT_TRUE(root_.has(folder_));
  remove_journal(layout_, "api.0");
  EXPECT_FALSE(root_.has(folder_));
  EXPECT_NO_THROW(remove_journal(layout_, "api.0"));
}

TEST_F(JournalTest, HalfWrittenNotesAreNoNotes) {
  root_.file(std::string(folder_) + "/.berth-1234", "{");
  EXPECT_THAT(list_journals(layout_), IsEmpty());
  EXPECT_NO_THROW(remove_journal(layout_, "web"));
}

TEST_F(JournalTest, WhatAKillLeavesIsListedAndRemoved) {
  root_.file(std::string(folder_) + "/.new-web", "{");
  EXPECT_THAT(list_journals(layout_), ElementsAre("web"));
  EXPECT_FALSE(read_journal(layout_, "web"));
  remove_empty_journals(layout_);
  EXPECT_TRUE(root_.has(folder_));
  remove_journal(layout_, "web");
  EXPECT_FALSE(root_.has(folder_));
  root_.folder(folder_);
  remove_empty_journals(layout_);
  EXPECT_FALSE(root_.has(folder_));
}

TEST_F(JournalTest, AGarbledNoteIsNamed) {
  root_.file(std::string(folder_) + "/web", "{");
  EXPECT_THAT(error_of([&] { read_journal(layout_, "web"); }).what(), HasSubstr(".transactions/web"));
}

}  // namespace
}  // namespace berth::host::testing
