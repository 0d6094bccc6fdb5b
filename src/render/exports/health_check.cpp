// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/health_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/json.hpp"

namespace berth::render {
namespace {

using std::chrono::milliseconds;

constexpr double longest = 86'400;  // seconds
constexpr std::int64_t most_retries = 1000;

/// Seconds, fractions allowed.
milliseconds duration_or(const base::JsonView& view, std::string_view key, milliseconds fallback) {
  const auto member = view.find(key);
  if (!member) {
    return fallback;
  }
  if (!member->value().is_number()) {
    member->fail("expected a number of seconds");
  }
  const auto seconds = member->value().get<double>();
  if (!(seconds >= 0 && seconds <= longest)) {
    member->fail("expected 0 to 86400 seconds");
  }
  return milliseconds(std::llround(seconds * 1000));
}

std::vector<std::string> command_of(const base::JsonView& command) {
  if (command.value().is_string()) {
    return {"/bin/sh", "-c", command.as_string()};
  }
  auto words = command.as_strings();
  if (words.empty() || words.front().empty()) {
    command.fail("expected a command");
  }
  return words;
}

void refuse_nul(const std::vector<std::string>& words, const base::JsonView& command) {
  for (const auto& word : words) {
    if (word.find('\0') != std::string::npos) {
      command.fail("the text holds a NUL byte");
    }
  }
}

milliseconds from_nanoseconds(std::int64_t nanoseconds, milliseconds fallback) {
  const auto value = std::chrono::duration_cast<milliseconds>(std::chrono::nanoseconds(nanoseconds));
  return value.count() <= 0 ? fallback : std::min(value, milliseconds(static_cast<std::int64_t>(longest) * 1000));
}

}  // namespace

HealthCheck parse_health_check(const base::JsonView& view) {
  if (!view.value().is_object()) {
    view.fail("expected an object");
  }
  HealthCheck check;
  const auto command = view.at("command");
  check.command = command_of(command);
  refuse_nul(check.command, command);
  check.interval = duration_or(view, "interval", check.interval);
  check.timeout = duration_or(view, "timeout", check.timeout);
  check.start_period = duration_or(view, "startPeriod", check.start_period);
  if (check.timeout.count() == 0) {
    view.at("timeout").fail("must be more than 0");
  }
  if (const auto retries = view.find("retries")) {
    if (retries->as_integer() < 1 || retries->as_integer() > most_retries) {
      retries->fail("expected 1 to 1000");
    }
    check.retries = static_cast<int>(retries->as_integer());
  }
  return check;
}

std::optional<HealthCheck> health_check_of(const image::Healthcheck& docker) {
  HealthCheck check;
  if (docker.test.size() > 1 && docker.test.front() == "CMD") {
    check.command.assign(docker.test.begin() + 1, docker.test.end());
  } else if (docker.test.size() == 2 && docker.test.front() == "CMD-SHELL") {
    check.command = {"/bin/sh", "-c", docker.test[1]};
  } else {
    return std::nullopt;
  }
  check.interval = from_nanoseconds(docker.interval_ns, check.interval);
  check.timeout = from_nanoseconds(docker.timeout_ns, check.timeout);
  check.start_period = from_nanoseconds(docker.start_period_ns, check.start_period);
  if (docker.retries > 0) {
    check.retries = static_cast<int>(std::min(docker.retries, most_retries));
  }
  return check;
}

base::Json to_json(const HealthCheck& check) {
  const auto seconds = [](milliseconds time) { return static_cast<double>(time.count()) / 1000; };
  return {{"command", check.command},
          {"interval", seconds(check.interval)},
          {"timeout", seconds(check.timeout)},
          {"startPeriod", seconds(check.start_period)},
          {"retries", check.retries}};
}

}  // namespace berth::render
