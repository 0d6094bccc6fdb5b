// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "host/bus_peer.hpp"
#include "host/fake_systemd.hpp"
#include "host/systemd/systemd.hpp"

namespace berth::host::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* job = "/org/freedesktop/systemd1/job/7";

/// Answers every call with an error.
BusPeer::Handler failing(const char* name, const char* text) {
  return [=](sd_bus_message* call) { return sd_bus_reply_method_errorf(call, name, "%s", text); };
}

/// Queues job 7, which ends with `result` before its answer is even sent: the hardest order for a client.
BusPeer::Handler job_ending(const char* result) {
  return [=](sd_bus_message* call) {
    BusPeer::send_job_removed(call, "/org/freedesktop/systemd1/job/6", "other.service", "failed");
    BusPeer::send_job_removed(call, job, "web.service", result);
    return sd_bus_reply_method_return(call, "o", job);
  };
}

/// Closes the connection instead of the first answer.
BusPeer::Handler lost_once(BusPeer::Handler later) {
  return [later = std::move(later), first = true](sd_bus_message* call) mutable {
    if (std::exchange(first, false)) {
      sd_bus_close(sd_bus_message_get_bus(call));
      return 0;
    }
    return later(call);
  };
}

int append_commands(sd_bus_message* reply, const char* setting, const char* program, int ignore, int code, int status) {
  return sd_bus_message_append(reply, "{sv}", setting, "a(sasbttttuii)", 1, program, 2, program, "-x", ignore,
                               UINT64_C(1), UINT64_C(2), UINT64_C(3), UINT64_C(4), 99, code, status);
}

void append_bytes(sd_bus_message* reply, const char* setting, const std::vector<std::uint8_t>& bytes) {
  sd_bus_message_open_container(reply, 'e', "sv");
  sd_bus_message_append(reply, "s", setting);
  sd_bus_message_open_container(reply, 'v', "ay");
  sd_bus_message_append_array(reply, 'y', bytes.data(), bytes.size());
  sd_bus_message_close_container(reply);
  sd_bus_message_close_container(reply);
}

/// The properties of a failed unit; each test sets the relevant ones.
struct FakeUnit {
  std::string load_state = "loaded";
  std::string load_error;
  std::string active_state = "failed";
  std::string result = "success";
  std::string type = "forking";
  int main_code = 0;
  int main_status = 0;
  int start_code = 0;
  int start_status = 0;
  std::vector<std::uint8_t> invocation;

  int reply(sd_bus_message* call) const {
    sd_bus_message* raw = nullptr;
    sd_bus_message_new_method_return(call, &raw);
    const MessagePtr reply(raw);
    sd_bus_message_open_container(raw, 'a', "{sv}");
    sd_bus_message_append(raw, "{sv}", "Id", "s", "web.service");
    sd_bus_message_append(raw, "{sv}", "MainPID", "s", "of an unexpected type");
    sd_bus_message_append(raw, "{sv}", "LoadState", "s", load_state.c_str());
    sd_bus_message_append(raw, "{sv}", "LoadError", "(ss)", "", load_error.c_str());
    sd_bus_message_append(raw, "{sv}", "ActiveState", "s", active_state.c_str());
    sd_bus_message_append(raw, "{sv}", "SubState", "s", "failed");
    sd_bus_message_append(raw, "{sv}", "UnitFileState", "s", "enabled");
    sd_bus_message_append(raw, "{sv}", "Result", "s", result.c_str());
    sd_bus_message_append(raw, "{sv}", "Type", "s", type.c_str());
    sd_bus_message_append(raw, "{sv}", "MainPID", "u", 4321);
    sd_bus_message_append(raw, "{sv}", "Slice", "s", "tenant-a.slice");
    sd_bus_message_append(raw, "{sv}", "Job", "(uo)", 7, job);
    sd_bus_message_append(raw, "{sv}", "TriggeredBy", "as", 1, "web.timer");
    sd_bus_message_append(raw, "{sv}", "UpheldBy", "as", 1, "boss.service");
    append_bytes(raw, "InvocationID", invocation);
    sd_bus_message_append(raw, "{sv}", "ControlGroup", "s", "/system.slice/web.service");
    sd_bus_message_append(raw, "{sv}", "ExecMainCode", "i", main_code);
    sd_bus_message_append(raw, "{sv}", "ExecMainStatus", "i", main_status);
    sd_bus_message_append(raw, "{sv}", "TimeoutStartUSec", "t", UINT64_C(1500000));
    sd_bus_message_append(raw, "{sv}", "TimeoutStopUSec", "t", UINT64_MAX);
    append_commands(raw, "ExecStart", "/usr/bin/runc", 0, start_code, start_status);
    append_commands(raw, "ExecStartPre", "/bin/ignored", 1, CLD_EXITED, 1);
    sd_bus_message_close_container(raw);
    return sd_bus_send(sd_bus_message_get_bus(call), raw, nullptr);
  }
};

BusOptions reached_at(std::string address) {
  BusOptions options;
  options.address = std::move(address);
  return options;
}

class BusTest : public ::testing::Test {
 protected:
  BusTest() { properties({}); }

  /// Starts the peer and connects at the first call.
  Systemd& systemd() {
    if (!systemd_) {
      peer_.serve();
      options_.address = peer_.address();
      systemd_ = make_bus_systemd(reporter_, source_.get_token(), options_);
    }
    return *systemd_;
  }
  void properties(const FakeUnit& unit) {
    peer_.on("GetAll", [unit](sd_bus_message* call) { return unit.reply(call); });
  }

  BusPeer peer_;
  RecordingReporter reporter_;
  std::stop_source source_;
  BusOptions options_;
  std::unique_ptr<Systemd> systemd_;
};

TEST_F(BusTest, ConnectsAtTheFirstCallAndSubscribesOnce) {
  peer_.on("Reload", [](sd_bus_message* call) { return sd_bus_reply_method_return(call, ""); });
  systemd();
  EXPECT_THAT(peer_.calls(), IsEmpty());
  systemd().reload();
  systemd().reload();
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "Reload", "Reload"));
}

TEST_F(BusTest, ErrorsHaveKinds) {
  const auto kind_of = [this](const char* name) {
    BusPeer peer;
    peer.on("Reload", failing(name, "the reason"));
    peer.serve();
    const auto systemd = make_bus_systemd(reporter_, {}, reached_at(peer.address()));
    const base::Error error = error_of([&] { systemd->reload(); });
    EXPECT_THAT(error.message(), HasSubstr("reload its configuration")) << name;
    return error.kind();
  };
  EXPECT_EQ(base::ErrorKind::not_permitted, kind_of("org.freedesktop.DBus.Error.AccessDenied"));
  EXPECT_EQ(base::ErrorKind::not_permitted, kind_of("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"));
  EXPECT_EQ(base::ErrorKind::not_permitted, kind_of("System.Error.EACCES"));
  EXPECT_EQ(base::ErrorKind::not_found, kind_of("org.freedesktop.systemd1.NoSuchUnit"));
  EXPECT_EQ(base::ErrorKind::conflict, kind_of("System.Error.EEXIST"));
  EXPECT_EQ(base::ErrorKind::failed, kind_of("org.freedesktop.systemd1.UnitMasked"));
  EXPECT_EQ(base::ErrorKind::failed, kind_of("org.freedesktop.DBus.Error.NoReply"));
  EXPECT_EQ(base::ErrorKind::failed, kind_of("org.example.Unknown"));
}

TEST_F(BusTest, AnUnsupportedRequestIsNotBlamedOnAFileSystem) {
  const base::Error error = error_of([] { check_bus(-EINVAL, "start x"); });
  EXPECT_EQ(error.message(), "cannot start x: systemd does not support this request");
  EXPECT_THAT(error.hint(), HasSubstr("systemd 252"));
}

TEST_F(BusTest, AMissingReplyTimesOut) {
  peer_.on("Reload", [](sd_bus_message*) { return 0; });
  options_.call_timeout = 1s;
  EXPECT_THAT(error_of([&] { systemd().reload(); }).message(), HasSubstr("systemd did not answer"));
}

TEST_F(BusTest, AMissingPeerIsAnError) {
  const auto systemd = make_bus_systemd(reporter_, {}, reached_at("unix:path=/nonexistent/socket"));
  EXPECT_THAT(error_of([&] { systemd->reload(); }).what(), HasSubstr("/nonexistent/socket"));
}

TEST_F(BusTest, TheSearchReportsItsAttemptsAndTheRemedy) {
  ASSERT_EQ(0, ::setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1));
  const auto systemd = make_bus_systemd(reporter_, {});
  if (std::filesystem::exists("/run/systemd/private")) {
    EXPECT_NO_THROW(systemd->states({"-.mount"}));  // uses the private socket on a booted host
  } else {
    const base::Error error = error_of([&] { systemd->reload(); });
    EXPECT_EQ(base::ErrorKind::failed, error.kind());
    EXPECT_THAT(error.message(), HasSubstr("cannot connect to the system bus"));
    EXPECT_THAT(error.message(), HasSubstr("/run/systemd/private"));
    EXPECT_THAT(error.hint(), HasSubstr("--root DIR"));
  }
  ::unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

TEST_F(BusTest, EnableReportsTheLinks) {
  peer_.on("EnableUnitFiles", [](sd_bus_message* call) {
    return sd_bus_reply_method_return(call, "ba(sss)", 1, 2, "symlink", "/etc/systemd/system/a.wants/web.service",
                                      "/etc/systemd/system/web.service", "unlink", "/etc/x", "");
  });
  EXPECT_THAT(systemd().enable("web.service").created_links, ElementsAre("/etc/systemd/system/a.wants/web.service"));
  EXPECT_THAT(reporter_.warnings, IsEmpty());
}

TEST_F(BusTest, EnableWithoutInstallSectionWarns) {
  peer_.on("EnableUnitFiles", [](sd_bus_message* call) { return sd_bus_reply_method_return(call, "ba(sss)", 0, 0); });
  EXPECT_THAT(systemd().enable("web.service").created_links, IsEmpty());
  EXPECT_THAT(reporter_.warnings, ElementsAre(HasSubstr("no [Install] section")));
}

TEST_F(BusTest, DisableAndResetIgnoreUnknownUnits) {
  peer_.on("DisableUnitFiles", failing("System.Error.ENOENT", "no such file"));
  peer_.on("ResetFailedUnit", failing("org.freedesktop.systemd1.NoSuchUnit", "not loaded"));
  EXPECT_NO_THROW(systemd().disable("web.service"));
  EXPECT_NO_THROW(systemd().reset_failed("web.service"));
}

TEST_F(BusTest, DisableAndResetReportFailures) {
  peer_.on("DisableUnitFiles", failing("org.freedesktop.DBus.Error.AccessDenied", "no"));
  peer_.on("ResetFailedUnit", failing("org.freedesktop.DBus.Error.AccessDenied", "no"));
  EXPECT_EQ("systemd refuses to disable web.service: no",
            error_of([&] { systemd().disable("web.service"); }).message());
  EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { systemd().reset_failed("web.service"); }).kind());
}

TEST_F(BusTest, JobsMayEndBeforeTheReply) {
  peer_.on("StartUnit", job_ending("done"));
  peer_.on("StopUnit", job_ending("done"));
  const JobResult started = systemd().start("web.service");
  EXPECT_TRUE(started.done);
  EXPECT_EQ("done", started.result);
  EXPECT_EQ("started", started.reason);
  EXPECT_EQ("stopped", systemd().stop("web.service").reason);
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "GetAll", "RefUnit", "StartUnit", "StopUnit"));
}

TEST_F(BusTest, RestartIsAJobLikeAStart) {
  properties({});
  peer_.on("RestartUnit", job_ending("done"));
  EXPECT_EQ("started", systemd().restart("web.service").reason);
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "GetAll", "RefUnit", "RestartUnit"));
}

TEST_F(BusTest, ARefusedScopeIsAnError) {
  peer_.on("StartTransientUnit", failing("org.freedesktop.systemd1.UnitExists", "already loaded"));
  EXPECT_EQ("systemd refuses to start web-run-1.scope: already loaded",
            error_of([&] { systemd().enter_scope("web-run-1.scope", "a run"); }).message());
}

TEST_F(BusTest, AScopeIsDelegatedAndHoldsThisProcess) {
  std::string name;
  std::vector<std::string> properties;
  peer_.on("StartTransientUnit", [&](sd_bus_message* call) {
    const char* unit = nullptr;
    sd_bus_message_read(call, "ss", &unit, nullptr);
    name = unit;
    sd_bus_message_enter_container(call, 'a', "(sv)");
    while (sd_bus_message_enter_container(call, 'r', "sv") > 0) {
      const char* key = nullptr;
      sd_bus_message_read(call, "s", &key);
      properties.emplace_back(key);
      sd_bus_message_skip(call, "v");
      sd_bus_message_exit_container(call);
    }
    return sd_bus_reply_method_errorf(call, "org.freedesktop.DBus.Error.AccessDenied", "not today");
  });
  EXPECT_EQ(base::ErrorKind::not_permitted,
            error_of([&] { systemd().enter_scope("web-run-1.scope", "a run"); }).kind());
  EXPECT_EQ(name, "web-run-1.scope");
  EXPECT_THAT(properties, ElementsAre("Description", "Slice", "Delegate", "CollectMode", "PIDs"));
}

TEST_F(BusTest, JobsMayEndAfterTheReply) {
  peer_.on("StartUnit", [](sd_bus_message* call) {
    const int result = sd_bus_reply_method_return(call, "o", job);
    sd_bus_flush(sd_bus_message_get_bus(call));
    std::this_thread::sleep_for(300ms);
    BusPeer::send_job_removed(call, job, "web.service", "done");
    return result;
  });
  EXPECT_TRUE(systemd().start("web.service").done);
}

TEST_F(BusTest, AFailedStartNamesTheCommandAndItsStatus) {
  FakeUnit unit;
  unit.result = "exit-code";
  unit.start_code = CLD_EXITED;
  unit.start_status = 3;
  properties(unit);
  peer_.on("StartUnit", job_ending("failed"));
  const JobResult result = systemd().start("web.service");
  EXPECT_FALSE(result.done);
  EXPECT_EQ("failed", result.result);
  EXPECT_EQ("/usr/bin/runc (ExecStart=) exited with status 3", result.reason);
}

/// The exit status is that of the previous start.
TEST_F(BusTest, AStartThatWasNotTriedHitTheStartLimit) {
  FakeUnit unit;
  unit.result = "exit-code";
  unit.start_code = CLD_EXITED;
  unit.start_status = 3;
  unit.invocation = {0xab, 0xcd};
  properties(unit);
  peer_.on("StartUnit", job_ending("failed"));
  peer_.on("RestartUnit", job_ending("failed"));
  EXPECT_THAT(systemd().start("web.service").reason, StartsWith("hit the start limit"));
  EXPECT_THAT(systemd().restart("web.service").reason, StartsWith("hit the start limit"));
}

/// systemd restarts the unit itself, and merges the new job into that restart.
TEST_F(BusTest, AStartThatJoinsAnotherOneDoesNotHitTheStartLimit) {
  FakeUnit unit;
  unit.active_state = "activating";
  unit.result = "protocol";
  unit.invocation = {0xab, 0xcd};
  properties(unit);
  peer_.on("StartUnit", job_ending("failed"));
  peer_.on("RestartUnit", job_ending("failed"));
  EXPECT_THAT(systemd().start("web.service").reason, StartsWith("it ended at once"));
  EXPECT_THAT(systemd().restart("web.service").reason, StartsWith("it ended at once"));
}

TEST_F(BusTest, AStartThatTimedOutIsReported) {
  FakeUnit unit;
  unit.result = "timeout";
  properties(unit);
  peer_.on("StartUnit", job_ending("failed"));
  EXPECT_EQ("did not start within its TimeoutStartSec (1.5 s)", systemd().start("web.service").reason);
}

TEST_F(BusTest, AUnitThatCannotBeLoadedIsReported) {
  FakeUnit unit;
  unit.load_state = "bad-setting";
  unit.load_error = "Unit web.service has a bad unit file setting.";
  properties(unit);
  peer_.on("StartUnit", failing("org.freedesktop.systemd1.BadUnitSetting", "bad"));
  const base::Error error = error_of([&] { systemd().start("web.service"); });
  EXPECT_EQ("systemd cannot load web.service (bad-setting): Unit web.service has a bad unit file setting.",
            error.message());
  EXPECT_THAT(error.hint(), HasSubstr("systemd-analyze verify web.service"));
}

TEST_F(BusTest, UnknownUnitsCannotBeStartedOrStopped) {
  peer_.on("StartUnit", failing("org.freedesktop.systemd1.NoSuchUnit", "Unit web.service not found."));
  peer_.on("StopUnit", failing("org.freedesktop.systemd1.NoSuchUnit", "Unit web.service not loaded."));
  const base::Error error = error_of([&] { systemd().start("web.service"); });
  EXPECT_EQ(base::ErrorKind::not_found, error.kind());
  EXPECT_EQ("systemd refuses to start web.service: Unit web.service not found.", error.message());
  EXPECT_TRUE(systemd().stop("web.service").done);
}

TEST_F(BusTest, AStopThatIsNotPermittedIsReported) {
  peer_.on("StopUnit", failing("org.freedesktop.DBus.Error.AccessDenied", "no"));
  EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { systemd().stop("web.service"); }).kind());
}

TEST_F(BusTest, AStopRequestEndsTheWait) {
  // Even when it comes before the answer has been read. The job itself never ends.
  peer_.on("StartUnit", [this](sd_bus_message* call) {
    source_.request_stop();
    return sd_bus_reply_method_return(call, "o", job);
  });
  EXPECT_THROW(systemd().start("web.service"), base::Interrupted);
}

TEST_F(BusTest, AnEarlierStopRequestDoesNotDisturbAnUndo) {
  peer_.on("StopUnit", [](sd_bus_message* call) {
    const int result = sd_bus_reply_method_return(call, "o", job);
    sd_bus_flush(sd_bus_message_get_bus(call));
    std::this_thread::sleep_for(50ms);
    BusPeer::send_job_removed(call, job, "web.service", "done");
    return result;
  });
  source_.request_stop();
  EXPECT_TRUE(systemd().stop("web.service").done);
}

TEST_F(BusTest, TheConfiguredTimeoutEndsTheWait) {
  peer_.on("StartUnit", [](sd_bus_message* call) { return sd_bus_reply_method_return(call, "o", job); });
  options_.job_timeout = 1s;
  const JobResult result = systemd().start("web.service");
  EXPECT_FALSE(result.done);
  EXPECT_EQ("timeout", result.result);
  EXPECT_THAT(result.reason, HasSubstr("did not start within 1 s"));
}

TEST_F(BusTest, ALostConnectionEndsTheWait) {
  peer_.on("StartUnit", [](sd_bus_message* call) {
    sd_bus_reply_method_return(call, "o", job);
    sd_bus_flush(sd_bus_message_get_bus(call));
    sd_bus_close(sd_bus_message_get_bus(call));
    return 0;
  });
  options_.patience = 0s;
  EXPECT_THAT(error_of([&] { systemd().start("web.service"); }).what(), HasSubstr("lost the connection to systemd"));
}

TEST_F(BusTest, AConnectionLostDuringACallIsReported) {
  peer_.on("Reload", [](sd_bus_message* call) {
    sd_bus_close(sd_bus_message_get_bus(call));
    return 0;
  });
  options_.patience = 0s;
  EXPECT_THAT(error_of([&] { systemd().reload(); }).what(), HasSubstr("lost the connection to systemd"));
}

TEST_F(BusTest, RepeatableCallsAreRepeatedOnANewConnection) {
  peer_.on("Reload", lost_once([](sd_bus_message* call) { return sd_bus_reply_method_return(call, ""); }));
  peer_.on("StopUnit", lost_once(job_ending("done")));
  peer_.on("ResetFailedUnit", lost_once([](sd_bus_message* call) { return sd_bus_reply_method_return(call, ""); }));
  systemd().reload();
  EXPECT_EQ("stopped", systemd().stop("web.service").reason);
  systemd().reset_failed("web.service");
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "Reload", "Subscribe", "Reload", "StopUnit", "Subscribe",
                                         "StopUnit", "ResetFailedUnit", "Subscribe", "ResetFailedUnit"));
}

TEST_F(BusTest, StoppedWithIsRepeatedOnANewConnection) {
  peer_.on("GetAll", lost_once([unit = FakeUnit()](sd_bus_message* call) { return unit.reply(call); }));
  EXPECT_THAT(systemd().stopped_with({"web.service"}), IsEmpty());
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "GetAll", "Subscribe", "GetAll"));
}

TEST_F(BusTest, WaitsForASystemdThatLeavesTheBusBriefly) {
  auto answer = failing(SD_BUS_ERROR_SERVICE_UNKNOWN, "not provided by any .service files");
  peer_.on("Reload", [answer, first = true](sd_bus_message* call) mutable {
    return std::exchange(first, false) ? answer(call) : sd_bus_reply_method_return(call, "");
  });
  systemd().reload();
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "Reload", "Subscribe", "Reload"));
}

/// The start succeeded although its result was lost: it must not be repeated.
TEST_F(BusTest, TheResultOfALostJobIsReadFromTheUnit) {
  FakeUnit unit;
  unit.active_state = "active";
  properties(unit);
  peer_.on("StartUnit", lost_once(job_ending("done")));
  EXPECT_TRUE(systemd().start("web.service").done);
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "GetAll", "RefUnit", "StartUnit", "Subscribe", "GetAll"));
}

TEST_F(BusTest, AJobThatHasNotBegunIsRequeued) {
  FakeUnit unit;
  unit.active_state = "inactive";
  properties(unit);
  peer_.on("StartUnit", lost_once(job_ending("done")));
  EXPECT_TRUE(systemd().start("web.service").done);
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "GetAll", "RefUnit", "StartUnit", "Subscribe", "GetAll",
                                         "RefUnit", "StartUnit"));
}

TEST_F(BusTest, StatesOfManyUnitsTakeOneCall) {
  peer_.on("ListUnitsByNames", [](sd_bus_message* call) {
    return sd_bus_reply_method_return(call, "a(ssssssouso)", 2, "web.service", "Web", "loaded", "active", "running", "",
                                      "/unit", 0, "", "/", "bad.service", "bad.service", "bad-setting", "inactive",
                                      "dead", "", "/unit2", 0, "", "/");
  });
  EXPECT_THAT(systemd().states({}), IsEmpty());
  const auto states = systemd().states({"web.service", "bad.service", "gone.service"});
  EXPECT_THAT(peer_.calls(), ElementsAre("Subscribe", "ListUnitsByNames"));
  EXPECT_EQ(3U, states.size());
  EXPECT_EQ("running", states.at("web.service").sub_state);
  EXPECT_EQ("active", states.at("web.service").active_state);
  EXPECT_EQ("bad-setting", states.at("bad.service").load_state);
  EXPECT_EQ("not-found", states.at("gone.service").load_state);
}

TEST_F(BusTest, ReadsAllPropertiesOfAUnit) {
  FakeUnit unit;
  unit.result = "signal";
  unit.main_code = CLD_KILLED;
  unit.main_status = SIGKILL;
  properties(unit);
  const UnitState state = systemd().state("web.service");
  EXPECT_EQ("loaded", state.load_state);
  EXPECT_EQ("failed", state.active_state);
  EXPECT_EQ("enabled", state.unit_file_state);
  EXPECT_EQ("signal", state.result);
  EXPECT_EQ(4321, state.main_pid);
  EXPECT_EQ("/system.slice/web.service", state.control_group);
  EXPECT_EQ("tenant-a.slice", state.slice);
  EXPECT_THAT(state.started_by, ElementsAre("web.timer", "boss.service"));
  EXPECT_TRUE(state.waits);
  EXPECT_EQ(CLD_KILLED, state.exec_main_code);
  EXPECT_EQ(SIGKILL, state.exec_main_status);
}

TEST_F(BusTest, AReplyOfTheWrongTypeIsAnError) {
  peer_.on("GetAll", [](sd_bus_message* call) { return sd_bus_reply_method_return(call, "s", "nonsense"); });
  EXPECT_THAT(error_of([&] { systemd().state("web.service"); }).what(), HasSubstr("properties of a unit"));
}

TEST_F(BusTest, TmpfilesNeedNoBus) {
  Scratch scratch;
  const std::string conf = scratch.at("x.conf");
  scratch.file("x.conf", "d " + scratch.at("made") + " 0700 0 0 - -\nR " + scratch.at("made") + "\n");
  systemd().create_tmpfiles(conf);
  EXPECT_TRUE(scratch.has("made"));
  systemd().remove_tmpfiles(conf);
  EXPECT_FALSE(scratch.has("made"));
  EXPECT_THAT(peer_.calls(), IsEmpty());
}

TEST_F(BusTest, TmpfilesThatFailAreQuoted) {
  Scratch scratch;
  scratch.file("bad.conf", "this is no line\n");
  const base::Error error = error_of([&] { systemd().create_tmpfiles(scratch.at("bad.conf")); });
  EXPECT_EQ(base::ErrorKind::failed, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("running systemd-tmpfiles --create " + scratch.at("bad.conf")));
  EXPECT_THAT(error.what(), HasSubstr("bad.conf:1"));
  options_.tmpfiles_program = "/nonexistent/systemd-tmpfiles";
  systemd_.reset();
  EXPECT_EQ(base::ErrorKind::not_found, error_of([&] { systemd().create_tmpfiles(scratch.at("bad.conf")); }).kind());
}

}  // namespace
}  // namespace berth::host::testing
