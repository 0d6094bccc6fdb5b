// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/unit/stop_signal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstring>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace berth::render {
namespace {

std::optional<int> parse_number(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

/// The number of `TERM`, `INT`, …
std::optional<int> number_of_name(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, int>, 3> other_names = {
      {{"IOT", SIGABRT}, {"CLD", SIGCHLD}, {"IO", SIGPOLL}}};
  for (const auto& [other, number] : other_names) {
    if (name == other) {
      return number;
    }
  }
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* known = sigabbrev_np(number);
    if (known != nullptr && name == known) {
      return number;
    }
  }
  return std::nullopt;
}

/// The number of `RTMIN`, `RTMIN+3`, `RTMAX-1`, …
std::optional<int> number_of_real_time(std::string_view name) {
  const bool up = name.starts_with("RTMIN");
  if (!up && !name.starts_with("RTMAX")) {
    return std::nullopt;
  }
  const auto rest = name.substr(5);
  if (!rest.empty() && (rest.size() < 2 || rest.front() != (up ? '+' : '-'))) {
    return std::nullopt;
  }
  const auto distance = rest.empty() ? std::optional(0) : parse_number(rest.substr(1));
  if (!distance || *distance > SIGRTMAX - SIGRTMIN) {
    return std::nullopt;
  }
  return up ? SIGRTMIN + *distance : SIGRTMAX - *distance;
}

std::optional<int> number_of(std::string_view text) {
  std::string name;
  for (const char c : text) {
    name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  const std::string_view short_name = std::string_view(name).substr(name.starts_with("SIG") ? 3 : 0);
  if (const auto number = parse_number(name)) {
    return number;
  }
  const auto real_time = number_of_real_time(short_name);
  return real_time ? real_time : number_of_name(short_name);
}

}  // namespace

StopSignal parse_stop_signal(std::string_view text) {
  const auto number = text.size() > 32 ? std::nullopt : number_of(text);
  if (!number || *number < 1 || *number > SIGRTMAX) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("the image's stop signal {:?} is not the name of a signal", text),
                      "StopSignal in the image configuration must be like SIGTERM, SIGRTMIN+3 or 15");
  }
  if (*number >= SIGRTMIN) {
    return {*number, fmt::format("SIGRTMIN+{}", *number - SIGRTMIN), std::to_string(*number)};
  }
  // Neither systemd nor runc knows SIGPOLL, glibc's name for it.
  const char* name = *number == SIGIO ? "IO" : sigabbrev_np(*number);
  const auto word = name != nullptr ? fmt::format("SIG{}", name) : std::to_string(*number);
  return {*number, word, word};
}

std::vector<std::string> unit_lines(const StopSignal& signal) {
  constexpr std::array clean = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};  // to systemd (systemd.service(5))
  const bool known = std::find(clean.begin(), clean.end(), signal.number) != clean.end();
  return {fmt::format("KillSignal={}", signal.for_systemd),
          fmt::format("SuccessExitStatus={}{}", 128 + signal.number, known ? "" : " " + signal.for_systemd)};
}

}  // namespace berth::render
