// SPDX-License-Identifier: LGPL-2.1-or-later
// Parts that the JSON forms of results share.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"

namespace berth::ops {

/// @return null for an empty text
inline base::Json or_null(const std::string& text) {
  return text.empty() ? base::Json(nullptr) : base::Json(text);
}

/// The error of one item of a list whose other items succeeded.
inline base::Json to_json(const base::Error& error) {
  base::Json json = {{"message", error.what()}, {"hint", error.hint()}};
  if (!error.details().empty()) {
    json["details"] = error.details();
  }
  return json;
}

/// @return each item in its own JSON form, in the same order
template <typename Item>
base::Json array_of(const std::vector<Item>& items) {
  auto array = base::Json::array();
  for (const auto& item : items) {
    array.push_back(to_json(item));
  }
  return array;
}

}  // namespace berth::ops
