// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/host_file_backup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "host/files/host_file.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* path = "/etc/web.conf";
constexpr const char* secret = "7d0e";

std::string checksum(const std::string& text) {
  const auto digest = base::digest_of(text).text();
  return digest.substr(digest.find(':') + 1);
}

class HostFileBackup : public ::testing::Test {
 protected:
  /// Names in /etc that begin with "web.conf", or that are hidden.
  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const auto& name : base::list_directory(base::open_host_directory(machine_.on_disk("etc")).get())) {
      if (name.starts_with("web.conf") || name.starts_with(".")) {
        result.push_back(name);
      }
    }
    return result;
  }
  std::string hidden() { return host::hidden_name(secret, path); }

  test::Machine machine_;
  Context context_ = machine_.context();
};

TEST_F(HostFileBackup, MayBeRepeated) {
  machine_.write("etc/web.conf", "old\n");
  for (int again = 0; again < 2; ++again) {
    back_up(context_, secret, path);
    EXPECT_THAT(names(), ElementsAre(hidden()));
    EXPECT_TRUE(is_backed_up(context_, secret, path));
  }
  for (int again = 0; again < 2; ++again) {
    put_back(context_, secret, path);
    EXPECT_THAT(names(), ElementsAre("web.conf"));
    EXPECT_FALSE(is_backed_up(context_, secret, path));
  }
  EXPECT_EQ(machine_.read("etc/web.conf"), "old\n");
}

TEST_F(HostFileBackup, DoesNotOverwriteANewFile) {
  machine_.write("etc/web.conf", "old\n");
  back_up(context_, secret, path);
  machine_.write("etc/web.conf", "somebody's\n");
  EXPECT_THROW(put_back(context_, secret, path), base::Error);
  EXPECT_EQ(machine_.read("etc/web.conf"), "somebody's\n");
  EXPECT_EQ(machine_.read("etc/" + hidden()), "old\n");
}

TEST_F(HostFileBackup, DropsOnlyAnUnchangedBackup) {
  machine_.write("etc/web.conf", "old\n");
  back_up(context_, secret, path);
  machine_.write("etc/" + hidden(), "written into it meanwhile\n");
  drop_backup(context_, secret, path, checksum("old\n"));
  EXPECT_THAT(names(), ElementsAre(hidden()));
  EXPECT_THAT(machine_.reporter.warnings, ElementsAre(HasSubstr("was changed while it was being removed")));
  drop_backup(context_, secret, path, checksum("written into it meanwhile\n"));
  EXPECT_THAT(names(), IsEmpty());
  drop_backup(context_, secret, path);
}

TEST_F(HostFileBackup, KeepsABackupUnderAnotherName) {
  machine_.write("etc/web.conf", "edited\n");
  back_up(context_, secret, path);
  save_backup(context_, secret, path, "/etc/web.conf.saved");
  EXPECT_THAT(names(), ElementsAre("web.conf.saved"));
}

TEST_F(HostFileBackup, FindsABackupByItsContent) {
  machine_.write("etc/web.conf", "old\n");
  back_up(context_, secret, path);
  const auto none = [](const std::string& /*name*/) { return false; };
  find_lost_backup(context_, path, {checksum("another\n")}, none);
  EXPECT_FALSE(is_backed_up(context_, "", path));
  find_lost_backup(context_, path, {checksum("old\n")}, [](const std::string& /*name*/) { return true; });
  EXPECT_FALSE(is_backed_up(context_, "", path)) << "it is of another change";
  find_lost_backup(context_, path, {"", checksum("old\n")}, none);
  EXPECT_TRUE(is_backed_up(context_, "", path));
}

TEST_F(HostFileBackup, RevertsAReplacedText) {
  machine_.write("etc/web.conf", "old\n");
  put_text(context_, secret, path, "new\n", true);
  EXPECT_EQ(machine_.read("etc/web.conf"), "new\n");
  EXPECT_EQ(machine_.read("etc/" + hidden()), "old\n");
  for (int again = 0; again < 2; ++again) {
    take_text_back(context_, secret, path, true, checksum("new\n"));
    EXPECT_EQ(machine_.read("etc/web.conf"), "old\n");
    EXPECT_THAT(names(), ElementsAre("web.conf"));
  }
}

TEST_F(HostFileBackup, KeepsAnEditOfARevertedText) {
  machine_.write("etc/web.conf", "old\n");
  put_text(context_, secret, path, "new\n", true);
  machine_.write("etc/web.conf", "edited\n");
  take_text_back(context_, secret, path, true, checksum("new\n"));
  EXPECT_EQ(machine_.read("etc/web.conf"), "old\n");
  EXPECT_EQ(machine_.read("etc/web.conf.changed"), "edited\n");
  EXPECT_THAT(machine_.reporter.warnings, ElementsAre(HasSubstr("kept as /etc/web.conf.changed")));
}

TEST_F(HostFileBackup, ANewTextDoesNotReplaceAFile) {
  put_text(context_, secret, path, "new\n", false);
  EXPECT_EQ(machine_.read("etc/web.conf"), "new\n");
  EXPECT_THROW(put_text(context_, secret, path, "newer\n", false), base::Error);
  EXPECT_EQ(machine_.read("etc/web.conf"), "new\n");
  take_text_back(context_, secret, path, false, checksum("new\n"));
  EXPECT_THAT(names(), IsEmpty());
}

TEST_F(HostFileBackup, KeepsFilesThatWereChanged) {
  machine_.write("etc/web.conf", "edited\n");
  EXPECT_FALSE(remove_own(context_, secret, path, checksum("new\n")));
  EXPECT_EQ(machine_.read("etc/web.conf"), "edited\n");
  EXPECT_THAT(machine_.reporter.warnings, ElementsAre(HasSubstr("was changed during the operation and is kept")));
  EXPECT_TRUE(remove_own(context_, secret, path, checksum("edited\n")));
  EXPECT_FALSE(machine_.exists("etc/web.conf"));
}

TEST_F(HostFileBackup, RefusesPathsThroughDirectoriesOfAnotherUser) {
  machine_.write("srv/guest/inner/web.conf", "old\n");
  ASSERT_EQ(::chown(machine_.on_disk("srv/guest").c_str(), 1000, 1000), 0) << "the tests are for root";
  const auto work = {+[](const Context& context) { back_up(context, secret, "/srv/guest/inner/web.conf"); },
                     +[](const Context& context) { put_back(context, secret, "/srv/guest/inner/web.conf"); },
                     +[](const Context& context) { drop_backup(context, secret, "/srv/guest/inner/web.conf"); }};
  for (const auto& each : work) {
    try {
      each(context_);
      ADD_FAILURE() << "went there";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted);
    }
  }
  EXPECT_EQ(machine_.read("srv/guest/inner/web.conf"), "old\n");
}

}  // namespace
}  // namespace berth::ops
