// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/values.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

ToolValues tool() {
  ToolValues tool;
  tool.name = "etcd1";
  tool.deployment = "/var/lib/containers/berth/etcd1.0";
  tool.image_name = "docker.io/library/etcd:latest";
  tool.image_id = "abc";
  tool.runtime = "/usr/sbin/runc";
  tool.uuid = "random";
  tool.executable = "/usr/bin/berth";
  tool.capabilities = {"CAP_CHOWN", "CAP_KILL"};
  return tool;
}

TEST(Values, ForcedValuesWin) {
  const auto values = merge_values(tool(), {{"NAME", "set"}, {"HOST_UID", "7"}}, {{"DESTDIR", "/default"}});
  EXPECT_EQ(values.at("NAME"), "etcd1");
  EXPECT_EQ(values.at("HOST_UID"), "0");
  EXPECT_EQ(values.at("HOST_GID"), "0");
  EXPECT_EQ(values.at("DESTDIR"), "/var/lib/containers/berth/etcd1.0");
  EXPECT_EQ(values.at("IMAGE_NAME"), "docker.io/library/etcd:latest");
  EXPECT_EQ(values.at("IMAGE_ID"), "abc");
}

TEST(Values, DefaultsOverrideOnlyUuid) {
  const Values defaults = {
      {"CONF_DIRECTORY", "/x"}, {"RUN_DIRECTORY", "/x"}, {"STATE_DIRECTORY", "/x"}, {"PIDFILE", "/x"},
      {"RUNTIME", "/x"},        {"ATOMIC", "/x"},        {"UUID", "fixed"},         {"ALL_PROCESS_CAPABILITIES", "/x"},
      {"OWN", "kept"}};
  const auto values = merge_values(tool(), {}, defaults);
  EXPECT_EQ(values.at("CONF_DIRECTORY"), "/etc");
  EXPECT_EQ(values.at("RUN_DIRECTORY"), "/run");
  EXPECT_EQ(values.at("STATE_DIRECTORY"), "/var/lib");
  EXPECT_EQ(values.at("PIDFILE"), "/run/container-etcd1.pid");
  EXPECT_EQ(values.at("RUNTIME"), "/usr/sbin/runc");
  EXPECT_EQ(values.at("ATOMIC"), "/usr/bin/berth");
  EXPECT_EQ(values.at("ALL_PROCESS_CAPABILITIES"), "\"CAP_CHOWN\",\n\"CAP_KILL\"");
  EXPECT_EQ(values.at("UUID"), "fixed");
  EXPECT_EQ(values.at("OWN"), "kept");
}

TEST(Values, SetWinsOverDefaultsAndTool) {
  const auto values = merge_values(tool(), {{"UUID", "set"}, {"OWN", "set"}, {"RUN_DIRECTORY", "/srv/run"}},
                                   {{"UUID", "fixed"}, {"OWN", "default"}});
  EXPECT_EQ(values.at("UUID"), "set");
  EXPECT_EQ(values.at("OWN"), "set");
  EXPECT_EQ(values.at("PIDFILE"), "/srv/run/container-etcd1.pid");
  EXPECT_EQ(merge_values(tool(), {{"PIDFILE", "/p"}}, {}).at("PIDFILE"), "/p");
  EXPECT_EQ(merge_values(tool(), {}, {}).at("UUID"), "random");
}

TEST(Values, IncludeCommandsInTheForeground) {
  const auto values = merge_values(tool(), {}, {});
  EXPECT_EQ(values.at("EXEC_START"), "/usr/sbin/runc run 'etcd1'");
  EXPECT_EQ(values.at("EXEC_STOP"), "/usr/sbin/runc kill 'etcd1'");
  EXPECT_EQ(values.at("EXEC_STARTPRE"), "");
  EXPECT_EQ(values.at("EXEC_STOPPOST"), "");
}

TEST(Values, IncludeDetachedCommands) {
  auto detached = tool();
  detached.detached = true;
  detached.stop_signal = "SIGQUIT";
  auto values = merge_values(detached, {{"RUNTIME", "/opt/my runc"}}, {});
  EXPECT_EQ(values.at("EXEC_START"), "\"/opt/my runc\" run -d --pid-file /run/container-etcd1.pid 'etcd1'");
  EXPECT_EQ(values.at("EXEC_STOP"), "\"/opt/my runc\" kill 'etcd1' SIGQUIT");
  EXPECT_EQ(values.at("EXEC_STOPPOST"), "\"/opt/my runc\" delete 'etcd1'");
  detached.runtime_has_pid_file = false;
  values = merge_values(detached, {}, {});
  EXPECT_EQ(values.at("EXEC_START"), "/usr/sbin/runc run 'etcd1'");
  EXPECT_EQ(values.at("EXEC_STOPPOST"), "");
}

TEST(Values, StopSignalFromTheImageCannotReachTheUnitAsText) {
  for (const char* signal : {"SIGTERM\nExecStart=/bin/sh", "9 'other'", "--all", "SIG TERM"}) {
    auto hostile = tool();
    hostile.stop_signal = signal;
    EXPECT_EQ(error_of([&] { merge_values(hostile, {}, {}); }).kind(), base::ErrorKind::verification) << signal;
  }
  auto real_time = tool();
  real_time.stop_signal = "SIGRTMIN+3";
  EXPECT_EQ(merge_values(real_time, {}, {}).at("EXEC_STOP"),
            "/usr/sbin/runc kill 'etcd1' 37");  // runc has no names for these
}

TEST(Assignment, SplitsAtTheFirstEqualsSign) {
  EXPECT_EQ(parse_assignment("A=b=c"), std::make_pair(std::string("A"), std::string("b=c")));
  EXPECT_EQ(parse_assignment("_a9="), std::make_pair(std::string("_a9"), std::string()));
}

TEST(Assignment, RefusesInvalidAssignments) {
  EXPECT_THAT(error_of([] { parse_assignment("A"); }).message(), HasSubstr("no `=`"));
  for (const char* text : {"=x", "9A=x", "A-B=x", "A B=x", "\xc3\xa4=x"}) {
    const auto error = error_of([&] { parse_assignment(text); });
    EXPECT_EQ(error.kind(), base::ErrorKind::usage) << text;
    EXPECT_THAT(error.message(), HasSubstr("cannot be the name of a variable"));
  }
  const auto forced = error_of([] { parse_assignment("NAME=x"); });
  EXPECT_EQ(forced.kind(), base::ErrorKind::usage);
  EXPECT_THAT(forced.message(), HasSubstr("--set NAME=…: berth itself sets this variable"));
  EXPECT_THAT(forced.hint(), HasSubstr("--name"));
}

/// The info file stores values as JSON. A value that JSON cannot represent would change with the next update.
TEST(Assignment, RefusesValuesThatAreNotText) {
  for (const auto& value : {std::string("caf\xe9"), std::string("\xed\xa0\x80"), std::string("a\0b", 3)}) {
    const auto error = error_of([&] { parse_assignment("A=" + value); });
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_EQ(error.message(), "the value of A is not text: it contains a NUL byte or is not UTF-8");
  }
  EXPECT_EQ(parse_assignment("A=\xc3\xa9\x01\n").second, "\xc3\xa9\x01\n");
}

TEST(Assignment, NamesTheOption) {
  const auto error = error_of([] { parse_assignment("A", "--set-file"); });
  EXPECT_EQ(error.message(), "--set-file A: there is no `=`");
  EXPECT_EQ(error.hint(), "write --set-file NAME=FILE");
}

TEST(Assignment, RefusesForcedNames) {
  for (const char* name : {"NAME", "DESTDIR", "EXEC_START", "EXEC_STOP", "EXEC_STARTPRE", "EXEC_STOPPOST", "HOST_UID",
                           "HOST_GID", "IMAGE_NAME", "IMAGE_ID"}) {
    EXPECT_TRUE(is_forced(name)) << name;
  }
  EXPECT_FALSE(is_forced("UUID"));
  EXPECT_FALSE(is_forced("RUNTIME"));
}

TEST(Capabilities, AreNamedUpToTheLastOfTheKernel) {
  EXPECT_THAT(capability_names(1), ElementsAre("CAP_CHOWN", "CAP_DAC_OVERRIDE"));
  EXPECT_EQ(capability_names(40).size(), 41U);
  EXPECT_EQ(capability_names(40).back(), "CAP_CHECKPOINT_RESTORE");
  EXPECT_EQ(capability_names(21).back(), "CAP_SYS_ADMIN");
  EXPECT_EQ(capability_names(37).back(), "CAP_AUDIT_READ");
  EXPECT_EQ(capability_names(4'000'000'000U).size(), 41U);
}

}  // namespace
}  // namespace berth::render
