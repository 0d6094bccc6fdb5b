// --set and --set-file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "cli/verbs/command_line.hpp"
#include "render/template/values.hpp"

namespace berth::cli {

namespace {

constexpr const char* option_name = "--set-file";
constexpr std::string_view standard_input = "-";
/// Bytes of a value. The kernel lets a value of --set have twice as many.
constexpr std::uint64_t value_limit = std::uint64_t{64} << 10U;

std::string read_value(const std::string& file) {
  const bool piped = file == standard_input;
  // Links are followed, and a fifo is waited for: the file is the user's own.
  const base::Fd opened(piped ? -1 : ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!piped && !opened) {
    base::throw_errno(fmt::format("open {}", file));
  }
  auto value = base::with_hint("have config.json bind the file into the container instead", [&] {
    return base::read_all(piped ? STDIN_FILENO : opened.get(), value_limit, piped ? "standard input" : file);
  });
  if (value.ends_with('\n')) {
    value.pop_back();
  }
  return value;
}

std::vector<std::string>& set_of_verb(CommandLine& line) {
  if (line.verb == "update") {
    return line.update.set;
  }
  if (line.verb == "lint") {
    return line.lint.set;
  }
  return line.verb == "render" ? line.render.set : line.install.set;
}

[[noreturn]] void refuse(std::string message) {
  throw base::Error(base::ErrorKind::usage, std::move(message), "give each variable once");
}

}  // namespace

void add_set(CLI::App& verb, CommandLine& line, std::vector<std::string>& set, const std::string& description) {
  verb.add_option("--set", set, description)->type_name("NAME=VALUE")->allow_extra_args(false);
  verb.add_option(option_name, line.set_files, "The same, with the value in a file; - for standard input")
      ->type_name("NAME=FILE")
      ->allow_extra_args(false);
}

void read_set_files(CommandLine& line) {
  auto& set = set_of_verb(line);
  bool piped = false;
  for (const auto& text : line.set_files) {
    const auto given = render::parse_assignment(text, option_name);
    const auto& file = given.second;
    auto assignment = given.first + "=";
    if (std::any_of(set.begin(), set.end(), [&](const auto& other) { return other.starts_with(assignment); })) {
      refuse(fmt::format("{} {}…: the variable has a value already", option_name, assignment));
    }
    if (file == standard_input && piped) {
      refuse(fmt::format("{} {}-: standard input is another variable's value already", option_name, assignment));
    }
    piped = piped || file == standard_input;
    assignment += base::in_context([&] { return fmt::format("{} {}{}", option_name, assignment, file); },
                                   [&] { return read_value(file); });
    set.push_back(std::move(assignment));
  }
}

}  // namespace berth::cli
