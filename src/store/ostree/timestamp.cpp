// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/timestamp.hpp"

#include <glib.h>

#include <algorithm>
#include <memory>
#include <string>

namespace berth::store {
namespace {

struct UnrefDateTime {
  void operator()(GDateTime* time) const noexcept { g_date_time_unref(time); }
};

}  // namespace

std::int64_t epoch_seconds(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return 0;
  }
  std::string seconds(text);
  // RFC 3339 allows a lower-case z and any number of digits in the fraction; GLib does not.
  if (const auto point = seconds.find('.'); point != std::string::npos) {
    seconds.erase(point, std::min(seconds.find_first_not_of("0123456789", point + 1), seconds.size()) - point);
  }
  if (seconds.ends_with('z')) {
    seconds.back() = 'Z';
  }
  const std::unique_ptr<GDateTime, UnrefDateTime> time(
      g_date_time_new_from_iso8601(seconds.c_str(), nullptr));  // nullptr: the text has to name its zone
  return time ? std::max<std::int64_t>(0, g_date_time_to_unix(time.get())) : 0;
}

}  // namespace berth::store
