// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/tmpfiles_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unit_syntax.hpp"
#include "render/unit/tmpfiles_line.hpp"

namespace berth::render {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::string_view types = "fFwdDevqQpLcbCxXrRzZtThHaAm";
constexpr std::string_view modifiers = "+!-=~^";
constexpr std::string_view needing_argument = "wtTaAhHcb";
constexpr std::string_view specifiers = "aAbBCgGhHlLmMoStTuUvVwW%";

std::string shown(std::string_view text) {
  return base::printable(text, 100);
}

bool is_unset(std::string_view field) {
  return field.empty() || field == "-";
}

std::string type_problem(std::string_view type) {
  if (types.find(type.front()) == std::string_view::npos) {
    return fmt::format("`{}` is not a type", shown(type));
  }
  const auto odd = type.find_first_not_of(modifiers, 1);
  return odd == std::string_view::npos ? "" : fmt::format("`{}` is not a type modifier", shown(type.substr(odd, 1)));
}

std::string specifier_problem(std::string_view field) {
  for (auto percent = field.find('%'); percent != std::string_view::npos; percent = field.find('%', percent + 2)) {
    const auto letter = field.substr(percent + 1, 1);
    if (letter.empty() || specifiers.find(letter) == std::string_view::npos) {
      return fmt::format("`%{}` is not a specifier; write `%%` for a percent sign", shown(letter));
    }
  }
  return {};
}

std::string path_problem(std::string_view path) {
  if (!path.starts_with('/') && !path.starts_with('%')) {
    return fmt::format("the path `{}` is not absolute", shown(path));
  }
  return (std::string(path) + "/").find("/../") == std::string::npos
             ? ""
             : fmt::format("the path `{}` contains `..`", shown(path));
}

std::string mode_problem(std::string_view mode) {
  const auto number = mode.substr(std::min(mode.find_first_not_of("~:"), mode.size()));
  const bool octal =
      !number.empty() && number.size() <= 5 && number.find_first_not_of("01234567") == std::string_view::npos;
  return octal && std::stoul(std::string(number), nullptr, 8) <= 07777 ? ""
                                                                       : fmt::format("`{}` is not a mode", shown(mode));
}

std::string owner_problem(std::string_view owner) {
  const auto name = owner.substr(owner.starts_with(':') ? 1 : 0);
  if (name.find('%') != std::string_view::npos) {
    return specifier_problem(name);
  }
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-$";
  return !name.empty() && name.front() != '-' && name.find_first_not_of(letters) == std::string_view::npos
             ? ""
             : fmt::format("`{}` is not a user or group name", shown(owner));
}

/// `10d`, `1h 30min`, `~10d`, `aBm:10d`, `0`.
std::string age_problem(std::string_view age) {
  auto span = age.substr(age.starts_with('~') ? 1 : 0);
  if (const auto colon = span.find(':'); colon != std::string_view::npos) {
    if (span.substr(0, colon).find_first_not_of("aAbBcCmM") != std::string_view::npos) {
      return fmt::format("`{}` is not an age: only a, b, c, m and their capitals are allowed before the colon",
                         shown(age));
    }
    span.remove_prefix(colon + 1);
  }
  const auto number_end = std::min(span.find_first_not_of("0123456789."), span.size());
  constexpr std::string_view rest = " 0123456789.abcdefghijklmnopqrstuvwxyzMY";
  return number_end > 0 && digits.find(span[0]) != std::string_view::npos &&
                 span.find_first_not_of(rest) == std::string_view::npos
             ? ""
             : fmt::format("`{}` is not an age; write it like 10d or 1h30min", shown(age));
}

std::string argument_problem(std::string_view type, std::string_view argument) {
  if (needing_argument.find(type.front()) == std::string_view::npos) {
    return {};
  }
  if (is_unset(argument)) {
    return fmt::format("the type `{}` needs an argument", shown(type));
  }
  const auto colon = argument.find(':');
  const bool device = type.front() == 'c' || type.front() == 'b';
  return !device || (colon != std::string_view::npos && colon > 0 && colon + 1 < argument.size() &&
                     argument.find_first_not_of("0123456789: \t") == std::string_view::npos)
             ? ""
             : fmt::format("the argument `{}` is not MAJOR:MINOR", shown(argument));
}

/// The first problem of a line; empty without one.
std::string line_problem(std::string_view text) {
  const auto line = read_tmpfiles_line(text);
  if (!line) {
    return "unclosed quote, or invalid escape sequence";
  }
  if (line->type.empty() || line->path.empty()) {
    return "a line needs at least a type and a path";
  }
  std::vector<std::string> problems = {type_problem(line->type), path_problem(line->path),
                                       specifier_problem(line->path)};
  if (!is_unset(line->mode)) {
    problems.push_back(mode_problem(line->mode));
  }
  for (const auto& owner : {line->user, line->group}) {
    if (!is_unset(owner)) {
      problems.push_back(owner_problem(owner));
    }
  }
  if (!is_unset(line->age)) {
    problems.push_back(age_problem(line->age));
  }
  problems.push_back(argument_problem(line->type, line->argument));
  const auto first =
      std::find_if(problems.begin(), problems.end(), [](const auto& problem) { return !problem.empty(); });
  return first == problems.end() ? "" : *first;
}

}  // namespace

base::Findings check_tmpfiles(std::string_view lines, std::string_view file) {
  base::Findings findings;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const auto line = base::take_line(lines);
    if (!is_tmpfiles_line(line)) {
      continue;
    }
    if (auto problem = line_problem(line); !problem.empty()) {
      findings.push_back({base::Severity::error, "tmpfiles-syntax", std::string(file), number, std::move(problem),
                          "see tmpfiles.d(5)"});
    }
  }
  return findings;
}

}  // namespace berth::render
