#include "ops/containers/logs.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>

#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/time_spec.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

constexpr std::int64_t second = 1'000'000;   // microseconds
constexpr std::size_t lines_to_follow = 10;  // as journalctl -f shows them

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
                      fmt::format("--lines wants a number, not '{}'", base::printable(options.lines)),
                      "write a number such as 20, or all");
  }
  return count;
}

host::LogQuery query_of(const LogOptions& options) {
  host::LogQuery query;
  query.follow = options.follow;
  query.last = parse_lines(options);
  if (!options.since.empty()) {
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    query.since = parse_time_spec(options.since, now) * second;
  }
  return query;
}

/// One JSON object a line, so that a reader need not wait for the end.
base::Json json_line(const host::LogEntry& entry) {
  base::Json json = {
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(entry.time / second)),
                           entry.time % second)},
      {"program", entry.program},
      {"pid", nullptr},
      {"priority", entry.priority},
      {"message", entry.message}};
  int pid = 0;
  if (std::from_chars(entry.pid.data(), entry.pid.data() + entry.pid.size(), pid).ec == std::errc()) {
    json["pid"] = pid;
  }
  return json;
}

/// As journalctl prints it, further lines of a message below its first.
std::string text_line(const host::LogEntry& entry, bool terminal) {
  const auto head =
      fmt::format("{:%b %d %H:%M:%S} {}{}: ", fmt::localtime(static_cast<std::time_t>(entry.time / second)),
                  entry.program, entry.pid.empty() ? "" : fmt::format("[{}]", entry.pid));
  std::string text = head;
  for (const char c : entry.message) {
    if (c == '\t' && terminal) {
      text += "    ";  // the only control character that programs mean no harm with
    } else {
      text += c;
    }
    if (c == '\n') {
      text.append(head.size(), ' ');
    }
  }
  return text;
}

/// Whoever reads our output is gone, although we have nothing to write just now.
bool output_is_closed() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
}

int run_logs(const CommandLine& line, ops::Context& context) {
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  const auto show = [&](const host::LogEntry& entry) {
    if (line.json) {
      emit_json(json_line(entry), -1);
    } else if (terminal) {
      emit("{}\n", text_line(entry, terminal));
    } else {
      emit_as_written(text_line(entry, terminal) + "\n");  // other programs want the bytes
    }
    return !context.stop.stop_requested();
  };
  const auto go_on = [&] { return !context.stop.stop_requested() && std::fflush(stdout) == 0 && !output_is_closed(); };
  ops::logs(context, line.names.front(), query_of(line.logs), show, go_on);
  return context.stop.stop_requested() ? exit_code(base::ErrorKind::interrupted) : exit_ok;
}

}  // namespace

void add_logs(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "logs", "Show what the service of a container says", false,
                        [&line](ops::Context& context) { return run_logs(line, context); });
  verb->add_option("NAME", line.names, "A container")->required()->expected(1);
  verb->add_flag("-f,--follow", line.logs.follow, "Go on with what is said from now on");
  verb->add_option("-n,--lines", line.logs.lines, "Only the last so many entries, or all")->type_name("N");
  verb->add_option("--since", line.logs.since, "Only from then on: a date, a time, or a span such as 10min")
      ->type_name("TIME");
  verb->add_flag("--json", line.json, "Print JSON, one object a line");
}

}  // namespace berth::cli
