// What is said on standard error.
#pragma once

#include <string>
#include <string_view>

namespace berth::cli {

/// A text with names from outside or journal lines in it, made fit for a terminal: of what is no text only line breaks
/// are left.
std::string harmless(std::string_view text);

}  // namespace berth::cli
