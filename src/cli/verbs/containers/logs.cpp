// SPDX-License-Identifier: LGPL-2.1-or-later
// berth logs.
#include "ops/containers/logs.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "base/json.hpp"
#include "cli/options/command_line.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/time_spec.hpp"

namespace berth::cli {

namespace {

struct LogOptions {
  std::string name;
  std::string lines;
  std::string since;
  bool follow = false;
  bool json = false;
};

constexpr std::int64_t second = 1'000'000;   // microseconds
constexpr std::size_t lines_to_follow = 10;  // as journalctl -f

std::optional<std::size_t> parse_lines(const LogOptions& options) {
  if (options.lines.empty() || options.lines == "all") {
    return options.follow && options.lines.empty() && options.since.empty() ? std::optional(lines_to_follow)
                                                                            : std::nullopt;
  }
  std::size_t count = 0;
  const char* end = options.lines.data() + options.lines.size();
  const auto [stopped, error] = std::from_chars(options.lines.data(), end, count);
  if (error != std::errc() || stopped != end) {
    throw base::Error(base::ErrorKind::usage,
                      fmt::format("--lines requires a number, not '{}'", base::printable(options.lines)),
                      "write a number such as 20, or all");
  }
  return count;
}

ops::LogRequest request_of(const LogOptions& options) {
  ops::LogRequest request;
  request.name = options.name;
  request.follow = options.follow;
  request.last = parse_lines(options);
  if (!options.since.empty()) {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    request.since = parse_time_spec(options.since, now) * second;
  }
  return request;
}

/// An entry as journalctl(1) prints it: further lines of a message are indented below its first.
std::string text_line(const host::LogEntry& entry, bool terminal) {
  const auto head =
      fmt::format("{:%b %d %H:%M:%S} {}{}: ", fmt::localtime(static_cast<std::time_t>(entry.time / second)),
                  entry.program, entry.pid.empty() ? "" : fmt::format("[{}]", entry.pid));
  std::string text = head;
  for (const char c : entry.message) {
    if (c == '\t' && terminal) {
      text += "    ";  // the only control character that messages use for layout
    } else {
      text += c;
    }
    if (c == '\n') {
      text.append(head.size(), ' ');
    }
  }
  return text;
}

/// Whether the reader of standard output has closed it, which a write would not notice before the next entry.
bool output_is_closed() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

int run(const LogOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const auto show = [&](const host::LogEntry& entry) {
    if (options.json) {
      emit_json(ops::to_json(entry), -1);
    } else if (terminal) {
      emit("{}\n", text_line(entry, terminal));
    } else {
      emit_as_written(text_line(entry, terminal) + "\n");  // other programs expect the original bytes
    }
    return !context.stop.stop_requested();
  };
  const auto go_on = [&] { return !context.stop.stop_requested() && std::fflush(stdout) == 0 && !output_is_closed(); };
  ops::logs(context, request_of(options), show, go_on);
  return context.stop.stop_requested() ? exit_interrupted : exit_ok;
}

void declare(const Subcommand& verb, LogOptions& options, CommandLine& /*line*/) {
  verb.add_option("NAME", options.name, "A container").required();
  verb.add_flag("-f,--follow", options.follow, "Continue with new entries");
  verb.add_option("-n,--lines", options.lines, "Only the last N entries, or all").type_name("N");
  verb.add_option("--since", options.since, "Only entries since then: a date, a time, or a span such as 10min")
      .type_name("TIME");
  verb.add_flag("--json", options.json, "Print JSON, one object per line");
}

}  // namespace

Verb logs_verb() {
  return make_verb<LogOptions>({.name = "logs",
                                .order = 110,
                                .summary = "Show the log of a container's service",
                                .system_for_all = true},  // journald decides who may read it
                               declare, run);
}

}  // namespace berth::cli
