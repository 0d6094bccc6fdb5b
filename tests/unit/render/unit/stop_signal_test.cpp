// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/stop_signal.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

struct Case {
  const char* text;
  int number;
  const char* for_systemd;
  const char* for_runtime;
};

TEST(StopSignal, IsParsedAsEnginesDo) {
  const Case cases[] = {
      {"SIGTERM", 15, "SIGTERM", "SIGTERM"},    {"sigint", 2, "SIGINT", "SIGINT"},
      {"quit", 3, "SIGQUIT", "SIGQUIT"},        {"15", 15, "SIGTERM", "SIGTERM"},
      {"SIGRTMIN+3", 37, "SIGRTMIN+3", "37"},   {"RTMIN+3", 37, "SIGRTMIN+3", "37"},
      {"rtmin", 34, "SIGRTMIN+0", "34"},        {"SIGRTMAX", 64, "SIGRTMIN+30", "64"},
      {"SIGRTMAX-1", 63, "SIGRTMIN+29", "63"},  {"37", 37, "SIGRTMIN+3", "37"},
      {"SIGIOT", 6, "SIGABRT", "SIGABRT"},      {"CLD", 17, "SIGCHLD", "SIGCHLD"},
      {"SIGWINCH", 28, "SIGWINCH", "SIGWINCH"}, {"SIGPOLL", 29, "SIGIO", "SIGIO"},
  };
  for (const auto& each : cases) {
    const auto signal = parse_stop_signal(each.text);
    EXPECT_EQ(signal.number, each.number) << each.text;
    EXPECT_EQ(signal.for_systemd, each.for_systemd) << each.text;
    EXPECT_EQ(signal.for_runtime, each.for_runtime) << each.text;
  }
}

TEST(StopSignal, RefusesInvalidSignals) {
  for (const char* text :
       {"", "0", "65", "-1", "+1", "SIG", "SIGFOO", "SIGRTMIN-1", "SIGRTMIN+31", "SIGRTMAX+1", "SIGRTMIN+", "RTMIN3",
        "SIGTERM\nExecStart=/bin/sh", "9 'other'", "--all", "SIG TERM", "99999999999"}) {
    const auto error = error_of([&] { parse_stop_signal(text); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << text;
    EXPECT_THAT(error.message(), HasSubstr("is not the name of a signal")) << text;
    EXPECT_THAT(error.hint(), HasSubstr("StopSignal")) << text;
  }
}

TEST(StopSignal, AnExitStatusOfTheSignalIsSuccess) {
  EXPECT_THAT(unit_lines(parse_stop_signal("int")), ElementsAre("KillSignal=SIGINT", "SuccessExitStatus=130"));
}

TEST(StopSignal, DeathByTheSignalIsSuccess) {
  EXPECT_THAT(unit_lines(parse_stop_signal("QUIT")),
              ElementsAre("KillSignal=SIGQUIT", "SuccessExitStatus=131 SIGQUIT"));
  EXPECT_THAT(unit_lines(parse_stop_signal("9")), ElementsAre("KillSignal=SIGKILL", "SuccessExitStatus=137 SIGKILL"));
  EXPECT_THAT(unit_lines(parse_stop_signal("SIGRTMIN+3")),
              ElementsAre("KillSignal=SIGRTMIN+3", "SuccessExitStatus=165 SIGRTMIN+3"));
}

}  // namespace
}  // namespace berth::render
