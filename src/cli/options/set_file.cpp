// SPDX-License-Identifier: LGPL-2.1-or-later
// The files of --set-file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "cli/options/command_line.hpp"
#include "render/template/values.hpp"

namespace berth::cli {

namespace {

constexpr const char* option_name = "--set-file";
constexpr std::string_view standard_input = "-";
/// Bytes of a value. The kernel allows an argument, and so a value of --set, twice as many.
constexpr std::uint64_t value_limit = std::uint64_t{64} << 10U;

std::string read_value(const std::string& file) {
  const bool piped = file == standard_input;
  // Links are followed, and opening a FIFO blocks until it has a writer: the file belongs to the user.
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

[[noreturn]] void refuse(std::string message) {
  throw base::Error(base::ErrorKind::usage, std::move(message), "give each variable once");
}

}  // namespace

std::vector<std::string> read_values(const SetOptions& set) {
  auto values = set.assignments;
  bool piped = false;
  for (const auto& text : set.files) {
    const auto given = render::parse_assignment(text, option_name);
    const auto& file = given.second;
    auto assignment = given.first + "=";
    if (std::any_of(values.begin(), values.end(), [&](const auto& other) { return other.starts_with(assignment); })) {
      refuse(fmt::format("{} {}…: the variable already has a value", option_name, assignment));
    }
    if (file == standard_input && piped) {
      refuse(fmt::format("{} {}-: standard input is already the value of another variable", option_name, assignment));
    }
    piped = piped || file == standard_input;
    assignment += base::in_context([&] { return fmt::format("{} {}{}", option_name, assignment, file); },
                                   [&] { return read_value(file); });
    values.push_back(std::move(assignment));
  }
  return values;
}

}  // namespace berth::cli
