// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/time_spec.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/error.hpp"

namespace berth::cli {

namespace {

constexpr std::int64_t minute = 60;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t longest = std::int64_t{200} * 366 * day;  // older than any journal

struct Unit {
  std::string_view name;
  std::int64_t seconds;
};
constexpr std::array<Unit, 17> units = {{{"s", 1},
                                         {"sec", 1},
                                         {"second", 1},
                                         {"seconds", 1},
                                         {"m", minute},
                                         {"min", minute},
                                         {"minute", minute},
                                         {"minutes", minute},
                                         {"h", hour},
                                         {"hour", hour},
                                         {"hours", hour},
                                         {"d", day},
                                         {"day", day},
                                         {"days", day},
                                         {"w", 7 * day},
                                         {"week", 7 * day},
                                         {"weeks", 7 * day}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Removes a number from the front of `text`; nullopt if it is missing or too large.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !is_digit(text.front()) || number > longest) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

void skip_blanks(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

/// "1h 30min" in seconds.
std::optional<std::int64_t> parse_span(std::string_view text) {
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    skip_blanks(text);
    const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c == ' ' || is_digit(c); });
    const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    const auto* unit = std::find_if(units.begin(), units.end(), [&](const Unit& one) { return one.name == name; });
    if (!number || unit == units.end() || *number > longest / unit->seconds) {
      return std::nullopt;
    }
    total += *number * unit->seconds;
    text.remove_prefix(name.size());
    skip_blanks(text);
  }
  return total;
}

std::optional<std::int64_t> parse_ago(std::string_view text) {
  static constexpr std::string_view ago = " ago";
  const bool minus = text.starts_with('-');
  text.remove_prefix(minus ? 1 : 0);
  if (!minus && text.ends_with(ago)) {
    text.remove_suffix(ago.size());
  }
  return text.empty() ? std::nullopt : parse_span(text);
}

std::tm local_day(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::localtime_r(&time, &parts);
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_isdst = -1;
  return parts;
}

std::optional<std::int64_t> parse_date(std::string text, std::int64_t now) {
  const bool utc = text.ends_with('Z');
  if (utc) {
    text.pop_back();
  }
  for (const char* format : {"%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d",
                             "%H:%M:%S", "%H:%M"}) {
    std::tm parts = local_day(now);
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end != nullptr && *end == '\0') {
      return utc ? ::timegm(&parts) : ::mktime(&parts);
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> parse_word(const std::string& text, std::int64_t now) {
  if (text == "now") {
    return now;
  }
  std::tm midnight = local_day(now);
  if (text == "yesterday") {
    --midnight.tm_mday;
  } else if (text != "today") {
    return std::nullopt;
  }
  return ::mktime(&midnight);
}

std::optional<std::int64_t> parse_epoch(std::string_view text) {
  if (!text.starts_with('@') || text.size() == 1) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const auto number = take_number(text);
  return text.empty() ? number : std::nullopt;
}

}  // namespace

std::int64_t parse_time_spec(const std::string& text, std::int64_t now) {
  if (const auto word = parse_word(text, now)) {
    return *word;
  }
  if (const auto epoch = parse_epoch(text)) {
    return *epoch;
  }
  if (const auto span = parse_ago(text)) {
    return now - *span;
  }
  if (const auto date = parse_date(text, now)) {
    return *date;
  }
  throw base::Error(base::ErrorKind::usage, fmt::format("'{}' is not a point in time", base::printable(text)),
                    "write it like 2025-11-03, \"2025-11-03 08:14:52\", 08:14, yesterday, 10min or 1h30m");
}

}  // namespace berth::cli
