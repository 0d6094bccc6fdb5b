// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/transaction_journal.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() : layout_(layout_in(root_)) {}

  static constexpr const char* directory_ = "var/lib/containers/berth/.transactions";
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
  EXPECT_EQ(0600U, root_.status(std::string(directory_) + "/web").st_mode & 07777U);
  EXPECT_EQ(0700U, root_.status(directory_).st_mode & 07777U);
  remove_journal(layout_, "web");
  EXPECT_FALSE(read_journal(layout_, "web"));
  EXPECT_TRUE(root_.has(directory_));
  remove_journal(layout_, "api.0");
  EXPECT_FALSE(root_.has(directory_));
  EXPECT_NO_THROW(remove_journal(layout_, "api.0"));
}

TEST_F(JournalTest, IgnoresIncompleteRecords) {
  root_.file(std::string(directory_) + "/.berth-1234", "{");
  EXPECT_THAT(list_journals(layout_), IsEmpty());
  EXPECT_NO_THROW(remove_journal(layout_, "web"));
}

TEST_F(JournalTest, ListsAndRemovesWhatAKillLeft) {
  root_.file(std::string(directory_) + "/.new-web", "{");
  EXPECT_THAT(list_journals(layout_), ElementsAre("web"));
  EXPECT_FALSE(read_journal(layout_, "web"));
  remove_empty_journals(layout_);
  EXPECT_TRUE(root_.has(directory_));
  remove_journal(layout_, "web");
  EXPECT_FALSE(root_.has(directory_));
  root_.directory(directory_);
  remove_empty_journals(layout_);
  EXPECT_FALSE(root_.has(directory_));
}

TEST_F(JournalTest, RefusesARecordThatDoesNotMatchItsChecksum) {
  write_journal(layout_, "web", {{"verb", "update"}, {"slot", 1}});
  const std::string path = std::string(directory_) + "/web";
  auto text = root_.text(path);
  EXPECT_EQ(1, (*read_journal(layout_, "web"))["slot"]);
  EXPECT_FALSE(read_journal(layout_, "web")->contains("checksum"));
  text.replace(text.find("\"slot\": 1"), 9, "\"slot\": 0");
  root_.file(path, text);
  const auto error = error_of([&] { read_journal(layout_, "web"); });
  EXPECT_EQ(base::ErrorKind::verification, error.kind());
  EXPECT_THAT(error.what(), HasSubstr(".transactions/web"));
}

TEST_F(JournalTest, AcceptsRecordsWithoutAChecksum) {
  root_.file(std::string(directory_) + "/web", "{\"verb\": \"update\"}");
  EXPECT_EQ("update", (*read_journal(layout_, "web"))["verb"]);
}

TEST_F(JournalTest, NamesAndRemovesOtherFiles) {
  const std::string path = std::string(directory_) + "/web";
  root_.directory(path + "/below");
  EXPECT_EQ(base::ErrorKind::verification, error_of([&] { read_journal(layout_, "web"); }).kind());
  remove_journal(layout_, "web");
  root_.directory(directory_);
  ASSERT_EQ(0, ::mkfifo(root_.at(path).c_str(), 0600));
  EXPECT_THAT(error_of([&] { read_journal(layout_, "web"); }).what(), HasSubstr("is not a regular file"));
  remove_journal(layout_, "web");
  EXPECT_FALSE(root_.has(directory_));
}

TEST_F(JournalTest, NamesAPathThatIsInTheWay) {
  root_.directory("var/lib/containers/berth");
  const auto refused = [&] {
    const auto error = error_of([&] { list_journals(layout_); });
    EXPECT_EQ(base::ErrorKind::conflict, error.kind());
    EXPECT_THAT(error.message(), HasSubstr(".transactions is in the way"));
    EXPECT_THAT(error.hint(), HasSubstr("rm "));
    EXPECT_EQ(base::ErrorKind::conflict, error_of([&] { write_journal(layout_, "web", {{"a", 1}}); }).kind());
    ASSERT_EQ(0, ::unlink(root_.at(directory_).c_str()));
  };
  root_.file(directory_, "");
  refused();
  ASSERT_EQ(0, ::symlink("/nowhere", root_.at(directory_).c_str()));
  refused();
  ASSERT_EQ(0, ::mkfifo(root_.at(directory_).c_str(), 0600));
  refused();
}

TEST_F(JournalTest, NamesAGarbledRecord) {
  root_.file(std::string(directory_) + "/web", "{");
  EXPECT_THAT(error_of([&] { read_journal(layout_, "web"); }).what(), HasSubstr(".transactions/web"));
}

}  // namespace
}  // namespace berth::host::testing
