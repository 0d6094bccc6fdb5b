// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gmock/gmock.h>

#include "host/fake_systemd.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* unit_text =
    "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nAlso=x.socket\n";
constexpr const char* wants_link = "etc/systemd/system/multi-user.target.wants/web.service";

class OfflineTest : public ::testing::Test {
 protected:
  OfflineTest() : layout_(layout_in(root_)), systemd_(make_offline_systemd(layout_, reporter_)) {}

  Scratch root_;
  Layout layout_;
  RecordingReporter reporter_;
  std::unique_ptr<Systemd> systemd_;
};

TEST_F(OfflineTest, EnablesAndDisables) {
  root_.file("etc/systemd/system/web.service", unit_text);
  const std::string before = root_.listing();
  EXPECT_THAT(systemd_->enable("web.service").created_links,
              ElementsAre("/etc/systemd/system/multi-user.target.wants/web.service"));
  EXPECT_EQ("/etc/systemd/system/web.service", root_.target(wants_link));
  EXPECT_THAT(reporter_.warnings, ElementsAre(HasSubstr("Also=x.socket is not followed")));
  EXPECT_THAT(systemd_->enable("web.service").created_links, IsEmpty());
  systemd_->disable("web.service");
  EXPECT_EQ(before, root_.listing());
  EXPECT_NO_THROW(systemd_->disable("web.service"));
}

TEST_F(OfflineTest, PreinstalledUnitsAreEnabledInUsr) {
  LayoutSettings settings;
  settings.root = root_.path();
  settings.preinstalling = true;
  const auto systemd = make_offline_systemd(Layout(settings), reporter_);
  root_.file("usr/lib/systemd/system/web.service", unit_text);
  const std::string before = root_.listing();
  EXPECT_THAT(systemd->enable("web.service").created_links,
              ElementsAre("/usr/lib/systemd/system/multi-user.target.wants/web.service"));
  EXPECT_EQ("enabled", systemd->state("web.service").unit_file_state);
  systemd->disable("web.service");
  EXPECT_EQ(before, root_.listing());
}

TEST_F(OfflineTest, EnablingAMissingUnitIsAnError) {
  const base::Error error = error_of([&] { systemd_->enable("web.service"); });
  EXPECT_EQ(base::ErrorKind::not_found, error.kind());
  EXPECT_THAT(error.what(), HasSubstr(root_.at("etc/systemd/system/web.service")));
}

TEST_F(OfflineTest, ADirectoryInsteadOfAUnitIsAnError) {
  root_.directory("etc/systemd/system/web.service");
  EXPECT_THAT(error_of([&] { systemd_->enable("web.service"); }).what(), HasSubstr("web.service"));
}

TEST_F(OfflineTest, ReportsThatNoUnitRuns) {
  root_.file("etc/systemd/system/web.service", unit_text);
  const base::Error error = error_of([&] { systemd_->start("web.service"); });
  EXPECT_EQ(base::ErrorKind::not_permitted, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("the system in " + root_.path() + " is not running"));
  EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { systemd_->stop("web.service"); }).kind());
  const auto states = systemd_->states({"web.service", "api.service"});
  EXPECT_EQ("loaded", states.at("web.service").load_state);
  EXPECT_EQ("inactive", states.at("web.service").active_state);
  EXPECT_EQ("not-found", states.at("api.service").load_state);
}

TEST_F(OfflineTest, TheOtherMethodsDoNothing) {
  const std::string before = root_.listing();
  systemd_->reload();
  systemd_->create_tmpfiles("/etc/tmpfiles.d/web.conf");
  systemd_->remove_tmpfiles("/etc/tmpfiles.d/web.conf");
  systemd_->reset_failed("web.service");
  EXPECT_THAT(systemd_->journal_tail("web.service", 5), IsEmpty());
  EXPECT_EQ(before, root_.listing());
}

TEST_F(OfflineTest, TheFakeMakesTheSameLinks) {
  root_.file("etc/systemd/system/web.service", unit_text);
  FakeSystemd fake(layout_);
  fake.enable("web.service");
  EXPECT_TRUE(root_.has(wants_link));
  EXPECT_EQ("enabled", fake.state("web.service").unit_file_state);
  fake.start_results["web.service"] = {false, "failed", "exited with status 3"};
  EXPECT_FALSE(fake.start("web.service").done);
  EXPECT_EQ("failed", fake.state("web.service").active_state);
  fake.reset_failed("web.service");
  fake.disable("web.service");
  EXPECT_FALSE(root_.has(wants_link));
  EXPECT_THAT(fake.calls, ElementsAre("enable web.service", "start web.service", "reset_failed web.service",
                                      "disable web.service"));
}

TEST(FakeSystemdTest, FailsOnDemand) {
  FakeSystemd fake;
  fake.fail_at = 2;
  fake.reload();
  EXPECT_EQ("systemd refused", error_of([&] { fake.start("web.service"); }).message());
  EXPECT_TRUE(fake.start("web.service").done);
  EXPECT_EQ("active", fake.states({"web.service"}).at("web.service").active_state);
  fake.fail_on = "stop web.service";
  EXPECT_THROW(fake.stop("web.service"), base::Error);
  fake.fail_on = "reload";
  EXPECT_THROW(fake.reload(), base::Error);
  EXPECT_TRUE(fake.stop("api.service").done);
  fake.journal["web.service"] = {"one", "two", "three"};
  EXPECT_THAT(fake.journal_tail("web.service", 2), ElementsAre("two", "three"));
}

}  // namespace
}  // namespace berth::host::testing
