// SPDX-License-Identifier: LGPL-2.1-or-later
// Hints for documents that cannot be read: the caller knows where a document is from, its parser does not.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace berth::base {

/// Runs `work`; an Error of kind verification that leaves it without a hint gets this one.
template <typename Work>
decltype(auto) with_hint(std::string_view hint, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::verification || !error.hint().empty()) {
      throw;
    }
    Error hinted(error.kind(), error.message(), std::string(hint), error.details());
    for (const auto& line : error.contexts()) {
      hinted.add_context(line);
    }
    throw hinted;
  }
}

}  // namespace berth::base
