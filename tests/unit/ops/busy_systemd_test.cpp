// SPDX-License-Identifier: LGPL-2.1-or-later
// Concurrent actions of systemd and other commands while berth changes a container: they start it during the change, or
// stop units that require it; jobs may also have no effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <map>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/service.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::ImageSpec;
using test::Machine;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ImageSpec newer_image() {
  auto spec = full_image();
  spec.files.push_back({"usr/share/newer", "newer\n", 0644, ""});
  return spec;
}

class BusySystemdTest : public ::testing::Test {
 protected:
  BusySystemdTest() : context(machine.context()) {
    context.config.settle_seconds = 0;
    machine.systemd.on_start = [this](const std::string& unit) {
      started[unit] = machine.read("etc/systemd/system/" + unit);
    };
  }

  void install_one(const std::string& name, bool start = true) {
    InstallRequest request;
    request.image = machine.image(name, full_image());
    request.name = name;
    request.start = start;
    install(context, request);
    std::filesystem::remove_all(machine.directory / name);
    machine.systemd.calls.clear();
    machine.reporter.warnings.clear();
  }

  void store_newer(const std::string& name) { pull(context, {machine.image(name, newer_image()), "", ""}); }

  /// Starts the unit after each stop, as Upholds= or a socket with clients does.
  void uphold(const std::string& unit) {
    machine.systemd.on_stop = [this, unit](const std::string& stopped) {
      if (stopped == unit) {
        machine.systemd.run(unit);
      }
    };
  }

  static UpdateRequest named(const std::string& name) {
    UpdateRequest request;
    request.name = name;
    return request;
  }

  [[nodiscard]] bool runs(const std::string& unit) const { return machine.systemd.active.contains(unit); }

  /// A fake runc with a container; it records calls of `delete`.
  void fake_container() {
    machine.write("known", "");
    machine.write("usr/bin/runc",
                  "#!/bin/sh\ncd " + machine.on_disk("") +
                      "\ncase $1 in\n  state) [ -e known ] && echo '{\"status\": \"running\"}'; exit ;;\n"
                      "  delete) echo \"$@\" >> asked; rm known; exit ;;\nesac\n"
                      "echo 'runc version 1.1.5'\necho --pid-file\n",
                  0755);
  }

  Machine machine;
  Context context;
  std::map<std::string, std::string> started;  ///< the text of each unit at its last start
};

TEST_F(BusySystemdTest, TheNewDeploymentRunsAfterAnUpdateOrARollback) {
  install_one("web");
  store_newer("web");
  uphold("web.service");
  update(context, named("web"));
  EXPECT_THAT(started["web.service"], HasSubstr("berth/web.1"));
  rollback(context, {"web", {}});
  EXPECT_THAT(started["web.service"], HasSubstr("berth/web.0"));
}

TEST_F(BusySystemdTest, AStoppedServiceThatIsStartedDuringTheUpdateIsRestarted) {
  install_one("web", false);
  store_newer("web");
  update(context, named("web"), [&](std::size_t index) {
    if (index == 1) {
      machine.systemd.run("web.service");
    }
  });
  EXPECT_THAT(started["web.service"], HasSubstr("berth/web.1"));
  EXPECT_TRUE(runs("web.service"));
}

TEST_F(BusySystemdTest, ARevertedUpdateLeavesTheOldDeploymentRunning) {
  install_one("web");
  store_newer("web");
  uphold("web.service");
  std::size_t steps = 0;
  update(context, named("web"), [&](std::size_t index) { steps = std::max(steps, index); });
  rollback(context, {"web", {}});
  for (std::size_t fail_at = 0; fail_at <= steps; ++fail_at) {
    EXPECT_THROW(update(context, named("web"),
                        [&](std::size_t index) {
                          if (index == fail_at) {
                            throw base::Error(ErrorKind::failed, "injected");
                          }
                        }),
                 base::Error);
    EXPECT_THAT(started["web.service"], HasSubstr("berth/web.0")) << fail_at;
    EXPECT_TRUE(runs("web.service"));
  }
}

TEST_F(BusySystemdTest, AnUndoDoesNotRestartAServiceThatWasNotStopped) {
  install_one("web");
  store_newer("web");
  EXPECT_THROW(update(context, named("web"),
                      [](std::size_t index) {
                        if (index == 1) {
                          throw base::Error(ErrorKind::failed, "injected");
                        }
                      }),
               base::Error);
  EXPECT_THAT(machine.systemd.calls, IsEmpty());
}

TEST_F(BusySystemdTest, AReplacedJobIsAFailedStart) {
  install_one("web");
  store_newer("web");
  machine.systemd.start_results["web.service"] = {false, "canceled", "its job was cancelled by another request"};
  machine.systemd.on_state = [this](host::UnitState& state) {
    if (!machine.systemd.calls.empty() && machine.systemd.calls.back() == "restart web.service") {
      state.active_state = "active";  // the old process
    }
  };
  const auto error = error_of([&] { update(context, named("web")); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed);
  EXPECT_THAT(error.message(), HasSubstr("its jobs are replaced by others"));
}

TEST_F(BusySystemdTest, AnUninstallStopsTheServiceAndDeletesTheContainer) {
  install_one("web");
  fake_container();
  machine.write("run/container-web.pid", "4242\n");
  int stops = 0;
  machine.systemd.on_stop = [&](const std::string& unit) {
    if (++stops < 3) {
      machine.systemd.run(unit);
    }
  };
  uninstall(context, "web");
  EXPECT_FALSE(runs("web.service"));
  EXPECT_EQ(machine.read("asked"), "delete --force web\n");
  EXPECT_FALSE(machine.exists("run/container-web.pid"));
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
}

TEST_F(BusySystemdTest, AnUninstallIsRevertedWhenTheServiceIsStartedAgain) {
  install_one("web");
  uphold("web.service");
  EXPECT_THAT(error_of([&] { uninstall(context, "web"); }).message(), HasSubstr("is started again and again"));
  EXPECT_TRUE(machine.exists("etc/systemd/system/web.service"));
  EXPECT_TRUE(runs("web.service"));
}

TEST_F(BusySystemdTest, AContainerLeftByAStopIsDeletedBeforeTheNextStart) {
  install_one("web");
  store_newer("web");
  fake_container();
  update(context, named("web"));
  EXPECT_EQ(machine.read("asked"), "delete --force web\n");
}

TEST_F(BusySystemdTest, UnitsStoppedWithTheServiceAreStartedAgain) {
  install_one("web");
  store_newer("web");
  machine.systemd.dependents["web.service"] = {"app.service", "idle.service", "web.socket"};
  machine.systemd.active.insert({"app.service", "web.socket"});
  update(context, named("web"));
  EXPECT_TRUE(runs("app.service"));
  EXPECT_FALSE(runs("idle.service"));
  const auto& calls = machine.systemd.calls;
  const auto place = [&](const std::string& call) { return std::find(calls.begin(), calls.end(), call); };
  EXPECT_LT(place("start web.socket"), place("restart web.service"));  // no socket starts after its service
  EXPECT_LT(place("restart web.service"), place("start app.service"));
  rollback(context, {"web", {}});
  EXPECT_TRUE(runs("app.service"));
}

TEST_F(BusySystemdTest, AFailedUpdateStartsThemAgain) {
  install_one("web");
  store_newer("web");
  machine.systemd.dependents["web.service"] = {"app.service"};
  machine.systemd.active.insert("app.service");
  std::size_t steps = 0;
  update(context, named("web"), [&](std::size_t index) { steps = std::max(steps, index); });
  rollback(context, {"web", {}});
  for (std::size_t fail_at = 0; fail_at <= steps; ++fail_at) {
    EXPECT_THROW(update(context, named("web"),
                        [&](std::size_t index) {
                          if (index == fail_at) {
                            throw base::Error(ErrorKind::failed, "injected");
                          }
                        }),
                 base::Error);
    EXPECT_TRUE(runs("app.service")) << fail_at;
  }
}

TEST_F(BusySystemdTest, RecoveryStartsThemAgain) {
  install_one("web");
  store_newer("web");
  machine.systemd.dependents["web.service"] = {"app.service"};
  machine.systemd.active.insert("app.service");
  const pid_t child = ::fork();
  if (child == 0) {
    update(context, named("web"), [&](std::size_t) {
      if (host::current_slot(machine.layout, "web") == 1) {
        ::_exit(9);
      }
    });
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 9);
  machine.systemd.active.erase("app.service");  // stopped by that process
  recover_all(context);
  EXPECT_TRUE(runs("app.service"));
  EXPECT_THAT(started["web.service"], HasSubstr("berth/web.0"));
}

/// Records of an earlier version lack some keys.
TEST_F(BusySystemdTest, AnUpdateRecordedByAnEarlierVersionIsReverted) {
  install_one("web");
  store_newer("web");
  base::Json record;
  update(context, named("web"), [&](std::size_t) { record = host::read_journal(machine.layout, "web").value(); });
  for (const auto* key : {"invocation", "runtime", "takenAlong", "masked", "savedUnit", "savedTmpfiles", "linksKnown",
                          "madeLinks", "droppedLinks", "companions", "tmpfilesMasked", "alsoUnits", "alsoLinks"}) {
    EXPECT_EQ(record.erase(key), 1U) << key;
  }
  host::write_journal(machine.layout, "web", record);
  recover_all(context);
  EXPECT_EQ(host::find_deployment(machine.layout, "web")->slot, 0);
  EXPECT_TRUE(runs("web.service"));
}

TEST_F(BusySystemdTest, UnitsThatDoNotStartAgainAreReported) {
  install_one("web");
  store_newer("web");
  machine.systemd.dependents["web.service"] = {"app.service"};
  machine.systemd.active.insert("app.service");
  machine.systemd.start_results["app.service"] = {false, "failed", "exited with status 3"};
  EXPECT_TRUE(update(context, named("web")).changed);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("app.service, which was stopped with web.service")));
}

TEST_F(BusySystemdTest, AnUninstallReportsTheUnitsThatItStopped) {
  install_one("web");
  machine.systemd.dependents["web.service"] = {"app.service"};
  machine.systemd.active.insert("app.service");
  EXPECT_THAT(uninstall(context, "web").stopped_units, ElementsAre("app.service"));
}

TEST_F(BusySystemdTest, UpdateAllChecksTheServicesAtTheEnd) {
  install_one("api");
  install_one("web");
  store_newer("api");
  store_newer("web");
  machine.systemd.dependents["web.service"] = {"api.service"};
  machine.systemd.on_stop = [this](const std::string& unit) {
    if (unit == "web.service") {
      machine.systemd.start_results["api.service"] = {false, "failed", "exited with status 3"};
    }
  };
  const auto rows = update_all(context, {});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].status, "not running");
  EXPECT_EQ(rows[0].error->kind(), ErrorKind::failed);
  EXPECT_EQ(rows[1].status, "updated");
}

TEST_F(BusySystemdTest, ARestartWithinTheSettleTimeIsAFailure) {
  install_one("web");
  store_newer("web");
  int queries = 0;
  machine.systemd.on_state = [&](host::UnitState& state) {
    if (!machine.systemd.calls.empty() && machine.systemd.calls.back() == "restart web.service") {
      state.invocation_id = ++queries > 3 ? "later" : "afterwards";
      state.restarts = queries > 3 ? 1 : 0;
    }
  };
  auto request = named("web");
  request.gate.settle = std::chrono::seconds(20);
  EXPECT_THAT(error_of([&] { update(context, request); }).message(), HasSubstr("it was restarted within"));
}

/// A restart passes through deactivating, inactive with a waiting job, and activating. None is a failure or a stop.
TEST_F(BusySystemdTest, ARestartByAnotherCommandIsNoFailure) {
  install_one("web");
  store_newer("web");
  int queries = 0;
  machine.systemd.on_state = [&](host::UnitState& state) {
    if (machine.systemd.calls.empty() || machine.systemd.calls.back() != "restart web.service") {
      return;
    }
    state.active_exit = 5;
    state.main_exit = 7;
    switch (++queries) {
      case 4:
        state.active_state = "deactivating";
        break;
      case 5:
        state.active_state = "inactive";
        state.waits = true;
        break;
      case 6:
        state.active_state = "activating";
        break;
      default:
        break;
    }
    state.invocation_id = queries < 6 ? "afterwards" : "by hand";
  };
  auto request = named("web");
  request.gate.settle = std::chrono::milliseconds(300);
  const auto outcome = update(context, request);
  EXPECT_TRUE(outcome.changed);
  EXPECT_FALSE(outcome.stopped);
  EXPECT_GT(queries, 7);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("web.service was restarted by another command")));
}

/// Endless restarts may hide that the service does not stay up.
TEST_F(BusySystemdTest, EndlessRestartsByOthersAreAFailure) {
  install_one("web");
  store_newer("web");
  int queries = 0;
  machine.systemd.on_state = [&](host::UnitState& state) {
    if (!machine.systemd.calls.empty() && machine.systemd.calls.back() == "restart web.service") {
      state.invocation_id = std::to_string(++queries);
    }
  };
  auto request = named("web");
  request.gate.settle = std::chrono::seconds(20);
  const auto error = error_of([&] { update(context, request); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed);
  EXPECT_THAT(error.message(), HasSubstr("it was restarted within"));
}

/// The failed starts of a broken deployment must not prevent the start of its replacement.
TEST_F(BusySystemdTest, AChangeResetsTheStartLimit) {
  install_one("web");
  store_newer("web");
  const auto forgets = [&](const std::string& start) {
    const auto& calls = machine.systemd.calls;
    const auto found = std::find(calls.rbegin(), calls.rend(), start);
    return found != calls.rend() && found + 1 != calls.rend() && *(found + 1) == "reset_failed web.service";
  };
  update(context, named("web"));
  EXPECT_TRUE(forgets("restart web.service"));
  machine.systemd.calls.clear();
  machine.systemd.on_start = [&](const std::string&) { machine.systemd.failed.clear(); };
  machine.systemd.on_state = [&](host::UnitState& state) {
    if (!machine.systemd.calls.empty() && machine.systemd.calls.back() == "restart web.service") {
      state.active_state = "failed";
    }
  };
  error_of([&] { rollback(context, {"web", {}}); });
  EXPECT_TRUE(forgets("start web.service")) << "of the reverted deployment";
}

TEST_F(BusySystemdTest, AnUnmetConditionIsAFailedStart) {
  machine.systemd.on_state = [](host::UnitState& state) {
    if (state.active_state == "active") {
      state.active_state = "inactive";
      state.unmet = "ConditionVirtualization=vm";
    }
  };
  InstallRequest request;
  request.image = machine.image("web", full_image());
  request.name = "web";
  request.start = true;
  const auto error = error_of([&] { install(context, request); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed);
  EXPECT_EQ(error.message(), "web.service did not start: ConditionVirtualization=vm is not met");
  EXPECT_FALSE(machine.exists("etc/systemd/system/web.service"));
  request.start = false;
  install(context, request);
  for (const auto verb : {&start, &restart}) {
    const auto failure = error_of([&] { verb(context, "web"); });
    EXPECT_EQ(failure.kind(), ErrorKind::failed);
    EXPECT_EQ(failure.message(), error.message());
  }
}

TEST_F(BusySystemdTest, AServiceThatFailsAtOnceHasNotStarted) {
  install_one("web", false);
  machine.systemd.on_state = [](host::UnitState& state) {
    if (state.active_state == "active") {
      state.active_state = "failed";
      state.result = "exit-code";
      state.exec_main_code = CLD_EXITED;
      state.exec_main_status = 3;
    }
  };
  for (const auto verb : {&start, &restart}) {
    const auto error = error_of([&] { verb(context, "web"); });
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_THAT(error.message(), HasSubstr("it exited with status 3"));
  }
}

TEST_F(BusySystemdTest, AServiceThatEndsWithSuccessIsReported) {
  install_one("web", false);
  machine.systemd.on_state = [](host::UnitState& state) {
    if (state.active_state == "active") {
      state.active_state = "inactive";
    }
  };
  start(context, "web");
  EXPECT_THAT(machine.reporter.warnings, ElementsAre("web.service has ended already, with success"));
}

/// systemd does not always get the status of such a service; then its start is a failure.
TEST_F(BusySystemdTest, AForkingServiceThatEndsAtOnceHasNotStarted) {
  install_one("web", false);
  machine.systemd.on_state = [](host::UnitState& state) {
    state.type = "forking";
    if (state.active_state == "active") {
      state.active_state = "inactive";
      state.exec_main_code = CLD_EXITED;
      state.active_enter = 1'000'000;
      state.active_exit = 1'020'000;
      state.main_exit = 1'010'000;
    }
  };
  for (const auto verb : {&start, &restart}) {
    const auto error = error_of([&] { verb(context, "web"); });
    EXPECT_EQ(error.kind(), ErrorKind::failed);
    EXPECT_EQ(error.message(), "web.service did not stay up: it exited with status 0 at once");
  }
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
  InstallRequest request;
  request.image = machine.image("api", full_image());
  request.name = "api";
  request.start = true;
  EXPECT_EQ(error_of([&] { install(context, request); }).kind(), ErrorKind::start_failed);
  EXPECT_FALSE(machine.exists("etc/systemd/system/api.service"));
}

TEST_F(BusySystemdTest, AStopReportsUnitsThatStartTheServiceAgain) {
  install_one("web");
  install_one("api");
  machine.systemd.active = {"web.service", "api.service", "web.timer", "boss.service"};
  machine.systemd.on_state = [](host::UnitState& state) {
    if (state.main_pid == 0) {
      state.started_by = {"web.timer", "web.path", "boss.service"};
    }
  };
  stop(context, "web");
  EXPECT_THAT(machine.reporter.warnings,
              ElementsAre("web.service was stopped, but boss.service, web.timer start it again; stop that as well: "
                          "systemctl stop boss.service web.timer"));
  machine.systemd.active = {"api.service"};
  machine.reporter.warnings.clear();
  stop(context, "api");
  EXPECT_THAT(machine.reporter.warnings, IsEmpty());
  uphold("api.service");
  machine.systemd.active = {"api.service"};
  stop(context, "api");
  EXPECT_THAT(machine.reporter.warnings, ElementsAre("api.service was stopped, and something has started it again"));
}

TEST_F(BusySystemdTest, AnUpdateReportsThatAFailedServiceDoesNotRun) {
  install_one("web", false);
  store_newer("web");
  machine.systemd.failed.insert("web.service");
  EXPECT_TRUE(update(context, named("web")).changed);
  EXPECT_THAT(machine.reporter.warnings,
              Contains("web.service had failed before and does not run; start it with: systemctl start web"));
  EXPECT_THAT(machine.systemd.calls, Not(Contains("start web.service")));
}

}  // namespace
}  // namespace berth::ops
