#include "store/ostree/timestamp.hpp"

#include <charconv>
#include <chrono>
#include <optional>

namespace berth::store {
namespace {

/// Takes exactly `digits` digits and the byte behind them, when one is asked for.
std::optional<int> take(std::string_view& text, std::size_t digits, char behind) noexcept {
  if (text.size() < digits + (behind == '\0' ? 0 : 1)) {
    return std::nullopt;
  }
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
  const bool whole = error == std::errc() && end == text.data() + digits && value >= 0;
  if (!whole || (behind != '\0' && text[digits] != behind)) {
    return std::nullopt;
  }
  text.remove_prefix(digits + (behind == '\0' ? 0 : 1));
  return value;
}

/// `Z` or `±HH:MM`, in seconds east.
std::optional<int> take_zone(std::string_view text) noexcept {
  if (text == "Z" || text == "z") {
    return 0;
  }
  if (text.empty() || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = take(text, 2, ':');
  const auto minutes = take(text, 2, '\0');
  if (!hours || !minutes || !text.empty()) {
    return std::nullopt;
  }
  return sign * (*hours * 3600 + *minutes * 60);
}

void skip_fraction(std::string_view& text) noexcept {
  if (text.starts_with('.')) {
    const auto end = text.find_first_not_of("0123456789", 1);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
}

}  // namespace

std::int64_t epoch_seconds(std::string_view text) noexcept {
  const auto year = take(text, 4, '-');
  const auto month = take(text, 2, '-');
  const auto day = take(text, 2, '\0');
  if (!year || !month || !day || text.empty() || (text[0] != 'T' && text[0] != 't' && text[0] != ' ')) {
    return 0;
  }
  text.remove_prefix(1);
  const auto hour = take(text, 2, ':');
  const auto minute = take(text, 2, ':');
  const auto second = take(text, 2, '\0');
  skip_fraction(text);
  const auto zone = take_zone(text);
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!hour || !minute || !second || !zone || !date.ok()) {
    return 0;
  }
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int within_day = *hour * 3600 + *minute * 60 + *second - *zone;
  const std::int64_t seconds = days * 86400 + within_day;
  return seconds < 0 ? 0 : seconds;
}

}  // namespace berth::store
