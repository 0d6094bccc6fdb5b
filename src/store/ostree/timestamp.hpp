// Times as image configurations write them.
#pragma once

#include <cstdint>
#include <string_view>

namespace berth::store {

/// RFC 3339 to epoch seconds, fractions dropped; 0 for text that is none and for times before 1970: commits of the
/// same image must be the same everywhere, so the clock of this machine is no fallback.
std::int64_t epoch_seconds(std::string_view rfc3339) noexcept;

}  // namespace berth::store
