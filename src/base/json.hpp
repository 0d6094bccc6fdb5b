// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON documents from outside: parsed with bounds, read through getters whose errors name document and key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"

namespace berth::base {

inline constexpr std::size_t json_depth_limit = 64;
inline constexpr std::uint64_t json_size_limit = 4U
                                                 << 20U;  ///< bytes; the limit registries themselves keep for manifests

/// Parses a whole document (RFC 8259). @param document its name, for errors
/// @throws Error(verification) for bad syntax (with line and column), duplicate keys, more than
///   json_depth_limit levels or more than json_size_limit bytes
Json parse_json(std::string_view text, std::string_view document);

/// As parse_json, but keeps only the members `wanted` of the top object. Parsing stops after the last of them, so the
/// text behind it is not checked.
/// @param wanted empty: all members, as parse_json
Json parse_json_members(std::string_view text, std::string_view document, std::span<const std::string_view> wanted);

/// A value inside a document together with its path. Getters throw Error(verification):
/// "DOCUMENT: PATH: expected a string, found a number". The referenced Json must outlive the view.
class JsonView {
 public:
  JsonView(const Json& value, std::string document, std::string path = "");

  [[nodiscard]] const Json& value() const noexcept { return *value_; }
  /// `DOCUMENT: PATH`, for messages.
  [[nodiscard]] std::string place() const;
  [[nodiscard]] bool has(std::string_view key) const;                      ///< present and not null
  [[nodiscard]] JsonView at(std::string_view key) const;                   ///< must be present
  [[nodiscard]] std::optional<JsonView> find(std::string_view key) const;  ///< absent and null are nullopt

  [[nodiscard]] std::string as_string() const;
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_integer() const;
  /// A size in bytes: not negative and below 2^63.
  [[nodiscard]] std::int64_t as_size() const;
  [[nodiscard]] std::vector<JsonView> as_array() const;
  [[nodiscard]] std::vector<std::string> as_strings() const;
  /// Members of an object in document order.
  [[nodiscard]] std::vector<std::pair<std::string, JsonView>> as_object() const;

  [[nodiscard]] std::string string_or(std::string_view key, std::string fallback) const;
  [[nodiscard]] bool bool_or(std::string_view key, bool fallback) const;
  [[nodiscard]] std::vector<std::string> strings_or_empty(std::string_view key) const;

  /// Throws Error(verification): `DOCUMENT: PATH: reason`.
  [[noreturn]] void fail(std::string_view reason) const;

 private:
  const Json* value_;
  std::string document_;
  std::string path_;
};

}  // namespace berth::base
