// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/job_failure.hpp"

#include <gmock/gmock.h>

#include <csignal>

namespace berth::host::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

UnitProperties failed_with(const std::string& result) {
  UnitProperties unit;
  unit.state.result = result;
  return unit;
}

TEST(DescribeExit, NamesStatusesAndSignals) {
  EXPECT_EQ("exited with status 3", describe_exit(CLD_EXITED, 3));
  EXPECT_EQ("exited with status 203 (EXEC: the program could not be run)", describe_exit(CLD_EXITED, 203));
  EXPECT_EQ("was killed by signal 9 (SIGKILL)", describe_exit(CLD_KILLED, SIGKILL));
  EXPECT_EQ("was killed by signal 11 (SIGSEGV) and dumped core", describe_exit(CLD_DUMPED, SIGSEGV));
  EXPECT_EQ("was killed by signal 40", describe_exit(CLD_KILLED, 40));
}

TEST(WasStopped, OnlyAServiceThatWasDeactivatedBeforeItEnded) {
  UnitState unit;
  unit.active_state = "inactive";
  unit.active_exit = 5;
  unit.main_exit = 7;
  EXPECT_TRUE(was_stopped(unit));
  unit.main_exit = 5;  // systemd was notified of its exit first
  EXPECT_FALSE(was_stopped(unit));
  unit.main_exit = 7;
  unit.active_state = "active";
  EXPECT_FALSE(was_stopped(unit));
  unit.active_state = "failed";
  unit.result = "exit-code";
  unit.exec_main_status = 143;
  EXPECT_TRUE(was_stopped(unit));
  unit.exec_main_status = 1;
  EXPECT_FALSE(was_stopped(unit));
  for (const auto* result : {"watchdog", "timeout", "oom-kill", "protocol"}) {
    unit.result = result;
    EXPECT_FALSE(was_stopped(unit)) << result;
  }
}

TEST(DescribeJobFailure, DescribesJobResults) {
  EXPECT_EQ("started", describe_job_failure(JobKind::start, "done", {}));
  EXPECT_EQ("stopped", describe_job_failure(JobKind::stop, "done", {}));
  EXPECT_THAT(describe_job_failure(JobKind::start, "dependency", {}), HasSubstr("a dependency failed"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "canceled", {}), HasSubstr("cancelled by another request"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "skipped", {}), HasSubstr("in a state"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "assert", {}), HasSubstr("an assertion"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "timeout", {}), HasSubstr("JobTimeoutSec"));
  EXPECT_EQ("systemd gives no reason", describe_job_failure(JobKind::start, "of tomorrow", {}));
  EXPECT_EQ("systemd gives no reason", describe_job_failure(JobKind::stop, "failed", {}));
}

TEST(DescribeJobFailure, DescribesServiceResults) {
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", failed_with("start-limit-hit")),
              StartsWith("hit the start limit"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", failed_with("watchdog")), HasSubstr("watchdog"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", failed_with("oom-kill")), HasSubstr("out of memory"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", failed_with("resources")), HasSubstr("resource"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", failed_with("exec-condition")),
              HasSubstr("ExecCondition="));
}

TEST(DescribeJobFailure, DescribesProtocolErrors) {
  UnitProperties unit = failed_with("protocol");
  unit.state.type = "forking";
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", unit), StartsWith("it ended at once"));
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", unit), HasSubstr("PIDFile="));
  unit.state.type = "notify";
  EXPECT_THAT(describe_job_failure(JobKind::start, "failed", unit), HasSubstr("Type=notify"));
}

TEST(DescribeJobFailure, DescribesTimeouts) {
  UnitProperties unit = failed_with("timeout");
  EXPECT_EQ("did not start within its TimeoutStartSec", describe_job_failure(JobKind::start, "failed", unit));
  unit.start_timeout = std::chrono::seconds(90);
  unit.stop_timeout = std::chrono::seconds(5);
  EXPECT_EQ("did not start within its TimeoutStartSec (90 s)", describe_job_failure(JobKind::start, "failed", unit));
  EXPECT_EQ("did not stop within its TimeoutStopSec (5 s) and was killed",
            describe_job_failure(JobKind::stop, "failed", unit));
}

TEST(DescribeJobFailure, LoadErrorsComeFirst) {
  UnitProperties unit = failed_with("success");
  unit.state.load_error = "bad setting";
  EXPECT_EQ("could not be loaded: bad setting", describe_job_failure(JobKind::start, "failed", unit));
}

TEST(DescribeJobFailure, NamesTheFailedCommand) {
  UnitProperties unit = failed_with("exit-code");
  EXPECT_EQ("one of its commands failed", describe_job_failure(JobKind::start, "failed", unit));
  unit.state.exec_main_code = CLD_EXITED;
  unit.state.exec_main_status = 4;
  EXPECT_EQ("exited with status 4", describe_job_failure(JobKind::start, "failed", unit));
  unit.commands = {{"ExecStartPre", "/bin/fine", false, CLD_EXITED, 0},
                   {"ExecStartPre", "/bin/ignored", true, CLD_EXITED, 1},
                   {"ExecStartPre", "/bin/running", false, 0, 0},
                   {"ExecStart", "/bin/guilty", false, CLD_KILLED, SIGTERM}};
  EXPECT_EQ("/bin/guilty (ExecStart=) was killed by signal 15 (SIGTERM)",
            describe_job_failure(JobKind::start, "failed", unit));
  EXPECT_EQ("exited with status 4", describe_job_failure(JobKind::stop, "failed", unit));
}

}  // namespace
}  // namespace berth::host::testing
