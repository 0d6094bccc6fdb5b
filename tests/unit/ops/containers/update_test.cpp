// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/update.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/images/pull.hpp"
#include "ops/killed_work.hpp"
#include "ops/tree.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::full_image;
using test::ImageSpec;
using test::newer_image;
using test::replace_all;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class UpdateTest : public test::WebTest {};

TEST_F(UpdateTest, MovesToTheNewImageAndKeepsValues) {
  install_web();
  const auto before = live().info;
  store(newer_image());
  const auto outcome = update(context, web());
  EXPECT_TRUE(outcome.changed);
  EXPECT_EQ(outcome.id_before, before.revision);
  EXPECT_NE(outcome.id_after, before.revision);
  const auto now = live();
  EXPECT_EQ(now.slot, 1);
  EXPECT_EQ(now.info.revision, outcome.id_after);
  EXPECT_EQ(now.info.values.at("PORT"), "8080");
  EXPECT_EQ(now.info.values.at("UUID"), before.values.at("UUID"));
  EXPECT_EQ(now.info.values.at("COLOUR"), "red");
  EXPECT_EQ(now.info.values.at("DESTDIR"), "/var/lib/containers/berth/web.1");
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello in red\n");
  EXPECT_EQ(machine.read("etc/web/more/added"), "added\n");
  EXPECT_FALSE(machine.exists("etc/web/current"));
  EXPECT_FALSE(machine.exists("var/lib/web-data"));
  EXPECT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("Description=Newer web"));
  EXPECT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("web.1"));
  EXPECT_EQ(machine.read("etc/tmpfiles.d/web.conf"), "d /var/lib/web 0700 0 0 - -\n");
  EXPECT_THAT(machine.systemd.calls, ElementsAre("stop web.service", "remove_tmpfiles /etc/tmpfiles.d/web.conf",
                                                 "reload", "create_tmpfiles /etc/tmpfiles.d/web.conf",
                                                 "reset_failed web.service", "restart web.service"));
  EXPECT_FALSE(host::read_journal(machine.layout, "web"));
  EXPECT_FALSE(is_littered());
}

TEST_F(UpdateTest, DoesNothingWithoutAChange) {
  install_web();
  const auto before = tree();
  EXPECT_FALSE(update(context, web()).changed);
  EXPECT_FALSE(update(context, web({"PORT=8080"})).changed);
  EXPECT_EQ(tree(), before);
  EXPECT_THAT(machine.systemd.calls, IsEmpty());
}

TEST_F(UpdateTest, AnotherValueAloneIsAnUpdate) {
  install_web();
  EXPECT_TRUE(update(context, web({"PORT=9090"})).changed);
  EXPECT_EQ(live().info.values.at("PORT"), "9090");
}

TEST_F(UpdateTest, AStoppedServiceStaysStoppedAndADisabledOneDisabled) {
  install_web(false);
  machine.systemd.disable("web.service");
  machine.systemd.calls.clear();
  store(newer_image());
  update(context, web());
  for (const std::string verb : {"start", "restart", "stop", "enable"}) {
    EXPECT_THAT(machine.systemd.calls, Not(Contains(verb + " web.service")));
  }
  EXPECT_THAT(machine.systemd.calls, Contains("reset_failed web.service")) << "the next start is not one too many";
  EXPECT_FALSE(machine.exists("etc/systemd/system/multi-user.target.wants/web.service"));
}

TEST_F(UpdateTest, AChangedInstallSectionChangesTheLinks) {
  install_web();
  auto spec = newer_image();
  for (auto& file : spec.files) {
    replace_all(file.content, "WantedBy=multi-user.target", "WantedBy=graphical.target");
  }
  store(spec);
  update(context, web());
  EXPECT_FALSE(machine.exists("etc/systemd/system/multi-user.target.wants/web.service"));
  EXPECT_TRUE(machine.exists("etc/systemd/system/graphical.target.wants/web.service"));
  rollback(context, {"web", {}});
  EXPECT_TRUE(machine.exists("etc/systemd/system/multi-user.target.wants/web.service"));
  EXPECT_FALSE(machine.exists("etc/systemd/system/graphical.target.wants/web.service"));
}

TEST_F(UpdateTest, AnInstallSectionAfterTwoBackslashesChangesTheLinks) {
  install_web();
  auto spec = newer_image();
  for (auto& file : spec.files) {
    replace_all(file.content, "[Install]\nWantedBy=multi-user.target",
                "[Unit]\nDescription=\\\\\n[Install]\nWantedBy=graphical.target");
  }
  store(spec);
  update(context, web());
  EXPECT_FALSE(machine.exists("etc/systemd/system/multi-user.target.wants/web.service"));
  EXPECT_TRUE(machine.exists("etc/systemd/system/graphical.target.wants/web.service"));
}

TEST_F(UpdateTest, AThirdImageRemovesFilesOfTheSecond) {
  install_web();
  store(newer_image());
  update(context, web());
  auto third = newer_image();
  third.files.pop_back();
  store(third);
  update(context, web());
  EXPECT_EQ(live().slot, 0);
  EXPECT_FALSE(machine.exists("etc/web/more"));
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/web.0/rootfs/exports/hostfs/etc/web/more"));
  EXPECT_TRUE(machine.exists("etc/web/web.conf"));
}

TEST_F(UpdateTest, KeepsAndReportsEditedFiles) {
  install_web();
  machine.write("etc/web/web.conf", "mine\n");
  store(newer_image());
  update(context, web());
  EXPECT_EQ(machine.read("etc/web/web.conf"), "mine\n");
  EXPECT_THAT(machine.reporter.warnings, Contains("/etc/web/web.conf was edited and stays as it is"));
  EXPECT_THAT(live().info.installed_files, Not(Contains("/etc/web/web.conf")));
  uninstall(context, "web");
  EXPECT_EQ(machine.read("etc/web/web.conf"), "mine\n");
  EXPECT_FALSE(machine.exists("etc/web/more"));
}

TEST_F(UpdateTest, AnEditedUnitIsReplacedWithAWarning) {
  install_web();
  machine.write("etc/systemd/system/web.service", "[Service]\nExecStart=/bin/mine\n[Install]\nWantedBy=x.target\n");
  store(newer_image());
  update(context, web());
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/etc/systemd/system/web.service was edited")));
  EXPECT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("Newer"));
}

/// Fails at every step, and compares the whole tree each time.
TEST_F(UpdateTest, AFailureAtAnyStepLeavesTheOldDeploymentRunning) {
  install_web();
  update(context, web({"PORT=1"}));  // the other slot is used, too
  store(newer_image());
  const auto before = tree();
  std::size_t steps = 0;
  for (std::size_t fail_at = 0;; ++fail_at) {
    try {
      update(context, web(), [&](std::size_t index) {
        steps = std::max(steps, index);
        if (index == fail_at) {
          throw base::Error(ErrorKind::failed, "injected");
        }
      });
      break;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.message(), "injected");
    }
    ASSERT_EQ(tree(), before) << "after a failure at step " << fail_at;
    ASSERT_TRUE(machine.systemd.active.contains("web.service")) << fail_at;
    ASSERT_TRUE(machine.systemd.enabled.contains("web.service")) << fail_at;
  }
  EXPECT_GE(steps, 14U);
}

TEST_F(UpdateTest, AFailureOfSystemdLeavesTheOldDeploymentRunning) {
  install_web();
  store(newer_image());
  const auto before = tree();
  for (const std::string call : {"stop", "reload", "create_tmpfiles", "restart"}) {
    machine.systemd.fail_on = call;
    EXPECT_EQ(error_of([&] { update(context, web()); }).message(), "systemd refused") << call;
    machine.systemd.fail_on.clear();
    recover_all(context);  // for a reload that fails the second time, too
    ASSERT_EQ(tree(), before) << call;
    ASSERT_EQ(machine.systemd.active.contains("web.service"), call != "start") << call;
  }
}

TEST_F(UpdateTest, OldTmpfilesThatCannotBeRemovedAreAWarning) {
  install_web();
  machine.systemd.fail_on = "remove_tmpfiles";
  EXPECT_TRUE(update(context, web({"PORT=1"})).changed);
  EXPECT_THAT(machine.reporter.warnings, Contains("systemd refused"));
}

TEST_F(UpdateTest, AServiceThatDoesNotStartIsRolledBack) {
  install_web();
  store(newer_image());
  const auto before = tree();
  machine.systemd.start_results["web.service"] = {false, "failed", "exited with status 3"};
  machine.systemd.journal["web.service"] = {"cannot bind"};
  const auto error = error_of([&] { update(context, web()); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed);
  EXPECT_THAT(error.what(), HasSubstr("exited with status 3"));
  EXPECT_THAT(error.details(), HasSubstr("cannot bind"));
  EXPECT_EQ(tree(), before);
  EXPECT_THAT(machine.reporter.warnings, Contains("the update of web failed and was rolled back"));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("did not start again")));  // the fake never starts it
}

TEST_F(UpdateTest, AServiceThatExitsWithinTheSettleTimeIsRolledBack) {
  install_web();
  store(newer_image());
  const auto before = tree();
  int queries = 0;
  machine.systemd.on_state = [&](host::UnitState& state) {
    if (!machine.systemd.calls.empty() && machine.systemd.calls.back() == "restart web.service" && ++queries > 2) {
      state.active_state = "failed";
      state.exec_main_code = CLD_EXITED;
      state.exec_main_status = 4;
    }
  };
  auto request = web();
  request.gate.settle = std::chrono::seconds(20);
  const auto error = error_of([&] { update(context, request); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed);
  EXPECT_THAT(error.message(), HasSubstr("did not stay up: it exited with status 4"));
  EXPECT_EQ(tree(), before);
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
}

TEST_F(UpdateTest, WithoutAGateNothingIsChecked) {
  install_web();
  store(newer_image());
  machine.systemd.on_state = [&](host::UnitState& state) { state.restarts = machine.systemd.queries.size(); };
  auto request = web();
  request.gate.enabled = false;
  EXPECT_TRUE(update(context, request).changed);
}

/// A runtime whose answer to `exec` is set by the test.
void answer_checks(const test::Machine& machine, const std::string& script) {
  machine.write("usr/bin/runc",
                "#!/bin/sh\ncase $1 in\n  exec) ;;\n  state) echo '{\"status\": \"running\"}'; exit ;;\n"
                "  *) echo 'runc version 1.1.5'; echo --pid-file; exit ;;\nesac\n" +
                    script,
                0755);
}

ImageSpec with_check(const std::string& check) {
  auto spec = newer_image();
  for (auto& file : spec.files) {
    replace_all(file.content, R"({"version":"1.0")", R"({"version":"1.0","healthCheck":)" + check);
  }
  return spec;
}

TEST_F(UpdateTest, AnUnhealthyServiceIsRolledBackAndTheOutputOfItsCheckReported) {
  install_web();
  store(with_check(R"({"command":["/bin/check","it"],"interval":0.01,"retries":2})"));
  answer_checks(machine, "echo \"$@\" >> " + (machine.directory / "asked") + "\necho 'no leader'\nexit 9\n");
  const auto before = tree();
  const auto error = error_of([&] { update(context, web()); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed) << error.what();
  EXPECT_THAT(error.message(), HasSubstr("failed its health check: `/bin/check it` exited with status 9"));
  EXPECT_THAT(error.details(), HasSubstr("no leader"));
  EXPECT_EQ(tree(), before);
  std::ifstream asked(machine.directory / "asked");
  const std::string lines{std::istreambuf_iterator<char>(asked), {}};
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
  EXPECT_THAT(lines, HasSubstr("web /bin/check it"));
}

/// As after a kill: the record exists, and the steps before step i are done.
TEST_F(UpdateTest, TheNextCommandRevertsAnUpdateThatWasKilledAtAnyStep) {
  install_web();
  update(context, web({"PORT=1"}));
  store(newer_image());
  const auto before = tree();
  for (std::size_t kill_at = 0;; ++kill_at) {
    const int ended = test::run_until(kill_at, [this](const StepHook& hook) { update(context, web(), hook); });
    if (ended == test::completed) {
      EXPECT_GE(kill_at, 14U);
      return;
    }
    ASSERT_EQ(ended, test::killed);
    machine.reporter.warnings.clear();
    recover_pending(context);
    ASSERT_EQ(tree(), before) << "killed before step " << kill_at;
    ASSERT_THAT(machine.reporter.warnings, IsEmpty());
  }
}

/// The same, between the beginning and the end of a step.
TEST_F(UpdateTest, KilledAtAnyMomentTheOldOrTheNewDeploymentIsLive) {
  install_web();
  store(newer_image());
  const auto before = tree();
  std::string after;
  for (int time_spec = 1; after.empty(); ++time_spec) {
    const pid_t child = start_update();
    ::usleep(static_cast<useconds_t>(time_spec * time_spec) * 150);
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    recover_pending(context);
    lock_container(context, "web");  // its file is left when its holder is killed
    const auto now = tree();
    ASSERT_FALSE(is_littered());
    if (live().slot == 1) {
      after = now;
    } else {
      ASSERT_EQ(now, before) << "killed at moment " << time_spec;
    }
  }
  EXPECT_EQ(update(context, web()).changed, false);
  EXPECT_EQ(tree(), after);
}

TEST_F(UpdateTest, AContainerNamedLikeTheOtherSlotIsAConflict) {
  install_web();
  machine.make_directory(std::string(deployments) + "/web.1.0");
  std::filesystem::create_symlink("web.1.0", machine.on_disk(std::string(deployments) + "/web.1"));
  store(newer_image());
  const auto before = tree();
  EXPECT_EQ(error_of([&] { update(context, web()); }).kind(), ErrorKind::conflict);
  EXPECT_EQ(tree(), before);
}

TEST_F(UpdateTest, RevertingTwiceIsRevertingOnce) {
  install_web();
  update(context, web({"PORT=1"}));
  store(newer_image());
  const auto before = tree();
  base::Json record;
  try {
    update(context, web(), [&](std::size_t index) {
      if (index == 6) {
        record = host::read_journal(machine.layout, "web").value();
        throw base::Error(ErrorKind::failed, "injected");
      }
    });
  } catch (const base::Error&) {
  }
  host::write_journal(machine.layout, "web", record);
  recover_pending(context);
  EXPECT_EQ(tree(), before);
}

TEST_F(UpdateTest, ACommittedUpdateIsFinished) {
  install_web();
  store(newer_image());
  base::Json record;
  update(context, web(), [&](std::size_t) { record = host::read_journal(machine.layout, "web").value(); });
  const auto after = tree();
  record["committed"] = true;
  host::write_journal(machine.layout, "web", record);
  machine.write(std::string(deployments) + "/.waiting-web/rootfs/x", "x");
  recover_pending(context);
  EXPECT_EQ(tree(), after);
  EXPECT_THAT(machine.reporter.steps, Contains("finishing an interrupted update of web"));
}

TEST_F(UpdateTest, InAnotherBootNoStoppedServiceIsStarted) {
  install_web();
  store(newer_image());
  base::Json record;
  update(context, web(), [&](std::size_t) { record = host::read_journal(machine.layout, "web").value(); });
  machine.systemd.active.clear();
  machine.systemd.calls.clear();
  host::write_journal(machine.layout, "web", record);
  context.facts.boot_id = "another";
  recover_pending(context);
  EXPECT_THAT(machine.systemd.calls, Not(Contains("start web.service")));
  EXPECT_EQ(live().slot, 0);
}

TEST_F(UpdateTest, Refusals) {
  install_web();
  UpdateRequest nothing;
  nothing.name = "nothing";
  EXPECT_EQ(error_of([&] { update(context, nothing); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { update(context, web({"NAME=x"})); }).kind(), ErrorKind::usage);
  EXPECT_EQ(error_of([&] { update(context, web({"RUNTIME=/nope"})); }).kind(), ErrorKind::not_found);
  auto other = web();
  other.rebase = "registry.example/nothing";
  other.pull = false;
  EXPECT_EQ(error_of([&] { update(context, other); }).kind(), ErrorKind::not_found);
  EXPECT_THAT(error_of([&] { rollback(context, {"web", {}}); }).message(), HasSubstr("web has no other deployment"));
  EXPECT_EQ(error_of([&] { rollback(context, {"nothing", {}}); }).kind(), ErrorKind::not_found);
}

TEST_F(UpdateTest, PreinstalledContainersAreLeftAlone) {
  const std::string directory = "usr/lib/containers/berth/os.0";
  machine.write(directory + "/info", "{}");
  std::filesystem::create_symlink("os.0", machine.on_disk("usr/lib/containers/berth/os"));
  UpdateRequest request;
  request.name = "os";
  EXPECT_EQ(error_of([&] { update(context, request); }).kind(), ErrorKind::not_permitted);
  EXPECT_THAT(update_all(context, {}), IsEmpty());
}

TEST_F(UpdateTest, RebaseMovesToAnotherImage) {
  install_web();
  auto request = web();
  request.rebase = machine.image("other", newer_image());
  EXPECT_TRUE(update(context, request).changed);
  EXPECT_EQ(live().info.image, "localhost/other:latest");
  EXPECT_TRUE(live().info.local);
  EXPECT_FALSE(update(context, request).changed);
  rollback(context, {"web", {}});
  EXPECT_EQ(live().info.image, "localhost/web:latest");
}

TEST_F(UpdateTest, RollingBackTwiceReturns) {
  install_web();
  store(newer_image());
  update(context, web());
  const auto newer = tree();
  const auto outcome = rollback(context, {"web", {}});
  EXPECT_EQ(live().slot, 0);
  EXPECT_EQ(live().info.revision, outcome.id_after);
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n");
  EXPECT_EQ(std::filesystem::read_symlink(machine.on_disk("etc/web/current")), "web.conf");
  EXPECT_TRUE(machine.exists("var/lib/web-data"));
  EXPECT_FALSE(machine.exists("etc/web/more"));
  EXPECT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("Description=Test"));
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
  rollback(context, {"web", {}});
  EXPECT_EQ(tree(), newer);
}

TEST_F(UpdateTest, AFailedRollbackLeavesTheLiveDeploymentRunning) {
  install_web();
  store(newer_image());
  update(context, web());
  const auto before = tree();
  for (std::size_t fail_at = 0;; ++fail_at) {
    try {
      rollback(context, {"web", {}}, [&](std::size_t index) {
        if (index == fail_at) {
          throw base::Error(ErrorKind::failed, "injected");
        }
      });
      EXPECT_GE(fail_at, 12U);
      break;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.message(), "injected");
    }
    ASSERT_EQ(tree(), before) << "after a failure at step " << fail_at;
    ASSERT_TRUE(machine.systemd.active.contains("web.service"));
  }
}

TEST_F(UpdateTest, UpdatesContainersWithHostFilesOnly) {
  const auto spec = [](const std::string& text) {
    return ImageSpec{{{"exports/manifest.json", R"({"noContainerService":true})", 0644, ""},
                      {"exports/hostfs/usr/local/bin/tool", text, 0755, ""}}};
  };
  InstallRequest request;
  request.image = machine.image("web", spec("old\n"));
  request.name = "web";
  install(context, request);
  store(spec("new\n"));
  update(context, web());
  EXPECT_EQ(machine.read("usr/local/bin/tool"), "new\n");
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/web.1/rootfs"));
  rollback(context, {"web", {}});
  EXPECT_EQ(machine.read("usr/local/bin/tool"), "old\n");
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/web.0/rootfs"));
  EXPECT_THAT(machine.systemd.calls, IsEmpty());
}

TEST_F(UpdateTest, UpdateAllContinuesAfterAFailure) {
  install_web();
  InstallRequest second;
  second.image = machine.image("api", full_image());
  second.name = "api";
  second.start = true;
  install(context, second);
  std::filesystem::remove_all(machine.directory / "api");
  pull(context, {machine.image("api", newer_image()), "", ""});
  store(newer_image());
  machine.systemd.fail_on = "restart api.service";
  machine.systemd.failure = base::Error(ErrorKind::start_failed, "api did not start");
  machine.write(std::string(deployments) + "/broken.0/info", "{ not json");
  std::filesystem::create_symlink("broken.0", machine.on_disk(std::string(deployments) + "/broken"));
  const auto rows = update_all(context, {});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].status, "rolled back");
  EXPECT_EQ(rows[0].outcome.id_before, rows[0].outcome.id_after);
  EXPECT_NE(rows[0].outcome.id_latest, rows[0].outcome.id_after);
  EXPECT_EQ(rows[1].status, "failed");
  EXPECT_EQ(rows[2].status, "updated");
  EXPECT_EQ(rows[2].outcome.id_latest, rows[2].outcome.id_after);
}

/// The directory exists now, and without the line it would be missing after a reboot.
TEST_F(UpdateTest, LinesForBindSourcesAreKept) {
  install_web();
  machine.make_directory("var/lib/web");
  store(newer_image());
  update(context, web());
  EXPECT_EQ(machine.read("etc/tmpfiles.d/web.conf"), "d /var/lib/web 0700 0 0 - -\n");
}

}  // namespace
}  // namespace berth::ops
