// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/run.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "host/state/lock.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/service.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/machine.hpp"
#include "ops/runtime/exec.hpp"
#include "ops/runtime/one_off.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::full_image;
using test::Machine;
using test::tree_text;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

/// A runtime that records its arguments and input; the files `status`, `code` and `log` determine its answers.
constexpr const char* noting_runtime = R"sh(#!/bin/sh
notes=$(dirname "$0")/../../notes
log=
while [ "$1" = --log ] || [ "$1" = --log-format ]; do
  [ "$1" = --log ] && log=$2
  shift 2
done
echo "$@" >> "$notes/calls"
case $1 in
  --version) echo 'runc version 1.1.5' ;;
  state) cat "$notes/status" 2> /dev/null || exit 1 ;;
  delete) ;;
  exec) cp "$3" "$notes/given" ;;
  run) cp "$3/config.json" "$notes/given"; ls -a "$3/.." > "$notes/directories" ;;
esac
case $1 in
  exec | run)
    [ -e "$notes/log" ] && cat "$notes/log" > "$log"
    exit "$(cat "$notes/code" 2> /dev/null || echo 0)" ;;
esac
)sh";

class RunTest : public ::testing::Test {
 protected:
  RunTest() : context(machine.context()) {
    machine.make_directory("notes");
    machine.write("usr/bin/runc", noting_runtime, 0755);
    InstallRequest request;
    request.image = machine.image("web", full_image());
    request.name = "web";
    install(context, request);
    machine.systemd.calls.clear();
  }

  void answers(const std::string& what, const std::string& text) const { machine.write("notes/" + what, text); }
  void is_running() const { answers("status", R"({"id":"web","status":"running"})"); }
  [[nodiscard]] std::string calls() const { return machine.read("notes/calls"); }
  [[nodiscard]] base::Json given() const { return base::parse_json(machine.read("notes/given"), "given"); }

  CommandOutcome run_web(std::vector<std::string> command) {
    RunRequest request;
    request.target = "web";
    request.command = std::move(command);
    return run(context, request);
  }

  Machine machine;
  Context context;
};

TEST_F(RunTest, ExecUsesTheProcessOfTheConfiguration) {
  is_running();
  answers("code", "42");
  const auto outcome = exec(context, {"web", {"/bin/ls", "-l"}, false, {}});
  EXPECT_EQ(outcome.exit_code, 42);
  EXPECT_FALSE(outcome.failure);
  EXPECT_THAT(calls(), HasSubstr("state web\n"));
  EXPECT_THAT(calls(), MatchesRegex("(.|\n)*exec --process /proc/[0-9]+/fd/[0-9]+ web\n"));
  EXPECT_EQ(given().dump(), R"({"args":["/bin/ls","-l"],"cwd":"/","user":{"uid":0,"gid":0},"terminal":false})");
}

TEST_F(RunTest, ATerminalSetsTERM) {
  is_running();
  Attachment attachment;
  attachment.terminal = true;
  exec(context, {"web", {"/bin/sh"}, false, attachment});
  EXPECT_EQ(given().at("terminal"), true);
  EXPECT_EQ(given().at("env").dump(), R"(["TERM=xterm"])");
  base::Json process = {{"env", {"TERM=vt100"}}, {"consoleSize", {{"height", 1}, {"width", 2}}}};
  attachment.rows = 33;
  attachment.columns = 101;
  set_command(process, {}, attachment);
  EXPECT_EQ(process.at("env").dump(), R"(["TERM=vt100"])");
  EXPECT_EQ(process.at("consoleSize").dump(), R"({"height":33,"width":101})");
  set_command(process, {}, Attachment{});
  EXPECT_FALSE(process.contains("consoleSize"));
}

TEST_F(RunTest, DetachedOutputDoesNotGoToTheCaller) {
  is_running();
  EXPECT_EQ(exec(context, {"web", {"/bin/true"}, true, {}}).exit_code, 0);
  EXPECT_THAT(calls(), HasSubstr("--detach web\n"));
}

TEST_F(RunTest, ExecNeedsARunningContainer) {
  for (const char* status : {"", R"({"status":"stopped"})", R"({"status":"created"})"}) {
    answers("status", status);
    const auto error = error_of([&] { exec(context, {"web", {"/bin/ls"}, false, {}}); });
    EXPECT_THAT(error.what(), HasSubstr("web")) << status;
    EXPECT_THAT(calls(), Not(HasSubstr("exec"))) << status;
  }
  const auto missing = error_of([&] { exec(context, {"nothing", {"/bin/ls"}, false, {}}); });
  EXPECT_EQ(missing.kind(), ErrorKind::not_found);
}

TEST_F(RunTest, WaitsForAContainerThatIsBeingCreated) {
  machine.systemd.active.insert("web.service");
  int queries = 0;
  machine.systemd.on_state = [&](host::UnitState& /*state*/) {
    queries += 1;
    queries == 1 ? answers("status", R"({"status":"created"})") : is_running();
  };
  EXPECT_EQ(exec(context, {"web", {"/bin/ls"}, false, {}}).exit_code, 0);
  EXPECT_EQ(queries, 2);
  machine.systemd.on_state = [&](host::UnitState& state) { state.active_state = "failed"; };
  answers("status", R"({"status":"created"})");
  EXPECT_EQ(error_of([&] { exec(context, {"web", {"/bin/ls"}, false, {}}); }).kind(), ErrorKind::failed);
}

TEST_F(RunTest, FailuresOfTheRuntimeHaveTheirOwnExitCode) {
  is_running();
  answers("code", "1");
  for (const auto& [program, code] :
       {std::pair("x", 127), std::pair("/bin", 126), std::pair("/bin/server", 125), std::pair("/no/such", 127)}) {
    answers("log", "no JSON\n{\"level\":\"warning\",\"msg\":\"old\"}\n{\"msg\":\"no\",\"level\":\"error\"}\n");
    const auto outcome = exec(context, {"web", {program}, false, {}});
    EXPECT_EQ(outcome.exit_code, code) << program;
    ASSERT_TRUE(outcome.failure) << program;
    EXPECT_EQ(outcome.failure->message(), fmt::format("cannot run {} in web: no", program));
    EXPECT_EQ(outcome.failure->kind(), code == 127 ? ErrorKind::not_found : ErrorKind::failed) << program;
    EXPECT_EQ(run_web({program}).exit_code, code) << program;
  }
  answers("log", "{\"level\":\"warning\",\"msg\":\"old\"}\n");
  EXPECT_EQ(exec(context, {"web", {"x"}, false, {}}).exit_code, 1);  // of the command
}

TEST_F(RunTest, AOneOffHasItsOwnConfigurationAndCgroup) {
  const auto before = tree_text(machine.on_disk(deployments));
  answers("code", "3");
  EXPECT_EQ(run_web({"/bin/repair", "--all"}).exit_code, 3);
  ASSERT_THAT(machine.systemd.calls, ElementsAre(MatchesRegex("enter_scope web-run-[0-9a-f]{6}.scope")));
  const auto id = machine.systemd.calls.front().substr(12, 14);
  EXPECT_THAT(calls(), HasSubstr("run --bundle " + machine.on_disk(deployments) + "/.staging-" + id + " " + id));
  EXPECT_THAT(calls(), EndsWith("delete --force " + id + "\n"));
  EXPECT_EQ(given().at("process").at("args").dump(), R"(["/bin/repair","--all"])");
  EXPECT_EQ(given().at("linux").at("cgroupsPath"), "/system.slice/" + id + ".scope/payload");
  EXPECT_EQ(given().at("root").at("path"), machine.on_disk(deployments) + "/web.0/rootfs");
  EXPECT_EQ(given().at("root").at("readonly"), true);
  EXPECT_EQ(tree_text(machine.on_disk(deployments)), before);
}

TEST_F(RunTest, WithoutACommandAOneOffRunsTheServiceCommand) {
  EXPECT_EQ(run_web({}).exit_code, 0);
  EXPECT_EQ(given().at("process").at("args").dump(), R"(["/bin/server","80"])");
  EXPECT_THAT(calls(), Not(HasSubstr("delete")));  // done by the runtime
}

TEST_F(RunTest, ARunningContainerGetsAnExec) {
  is_running();
  EXPECT_EQ(run_web({"/bin/ls"}).exit_code, 0);
  EXPECT_THAT(calls(), HasSubstr("exec --process"));
  EXPECT_THAT(machine.systemd.calls, IsEmpty());
  EXPECT_EQ(error_of([&] { run_web({}); }).kind(), ErrorKind::usage);
}

TEST_F(RunTest, AOneOffThatCannotStartLeavesNothing) {
  const auto before = tree_text(machine.on_disk(deployments));
  machine.systemd.fail_on = "enter_scope";
  EXPECT_EQ(error_of([&] { run_web({"/bin/ls"}); }).message(), "systemd refused");
  machine.systemd.fail_on.clear();
  machine.stop.request_stop();
  EXPECT_THROW(run_web({"/bin/ls"}), base::Interrupted);
  EXPECT_THAT(calls(), Not(HasSubstr("run --bundle")));
  EXPECT_EQ(tree_text(machine.on_disk(deployments)), before);
}

TEST_F(RunTest, OptionsOfAnInstallAreRefusedForAContainer) {
  RunRequest request;
  request.target = "web";
  request.set = {"PORT=81"};
  EXPECT_EQ(error_of([&] { run(context, request); }).kind(), ErrorKind::usage);
  request.set.clear();
  request.detach = true;
  EXPECT_EQ(error_of([&] { run(context, request); }).kind(), ErrorKind::usage);
}

TEST_F(RunTest, NothingRunsInAnotherRoot) {
  host::LayoutSettings settings;
  settings.root = machine.layout.root();
  context.layout = host::Layout(settings);
  EXPECT_EQ(error_of([&] { run_web({"/bin/ls"}); }).kind(), ErrorKind::not_permitted);
  EXPECT_EQ(error_of([&] { exec(context, {"web", {"/bin/ls"}, false, {}}); }).kind(), ErrorKind::not_permitted);
}

TEST_F(RunTest, AContainerIsKeptWhileAOneOffUsesItsFiles) {
  const auto runtime = machine.on_disk("usr/bin/runc");
  {
    OneOff one_off(context, "web", "web.0", runtime);
    one_off.claim();
    const auto error = error_of([&] { uninstall(context, "web"); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.what(), HasSubstr(one_off.id()));
    recover_pending(context);  // it is running and left alone
    EXPECT_TRUE(machine.exists(std::string(deployments) + "/" + one_off.directory()));
  }
  uninstall(context, "web");
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/web"));
}

TEST_F(RunTest, AnAbandonedOneOffIsEndedAndRemoved) {
  const std::string directory = std::string(deployments) + "/.staging-web-run-123456";
  machine.write(directory + "/one-off",
                R"({"deployment":"web.0","runtime":")" + machine.on_disk("usr/bin/runc") + "\"}");
  machine.write(directory + "/rootfs/file", "x");
  machine.systemd.active = {"web-run-123456.scope"};
  stop(context, "web");
  EXPECT_THAT(calls(), HasSubstr("delete --force web-run-123456\n"));
  EXPECT_THAT(machine.systemd.calls, Contains("stop web-run-123456.scope"));
  EXPECT_THAT(machine.reporter.steps, Contains("ending the interrupted one-off run web-run-123456"));
  EXPECT_FALSE(machine.exists(directory));
}

TEST_F(RunTest, ADamagedRecordOfAOneOffDoesNotStopCommands) {
  const std::string directory = std::string(deployments) + "/.staging-web-run-123456";
  machine.write(directory + "/one-off", R"({"deployment":7)");
  stop(context, "web");
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("web-run-123456")));
  EXPECT_FALSE(machine.exists(directory));
}

TEST_F(RunTest, RestartWaitsAndReportsTheReasonOfAFailure) {
  restart(context, "web");
  EXPECT_THAT(machine.systemd.calls, ElementsAre("restart web.service"));
  machine.systemd.start_results["web.service"] = {false, "failed", "exited with status 3"};
  machine.systemd.journal["web.service"] = {"last words"};
  const auto error = error_of([&] { restart(context, "web"); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_THAT(error.message(), HasSubstr("exited with status 3"));
  EXPECT_THAT(error.details(), HasSubstr("last words"));
}

}  // namespace
}  // namespace berth::ops
