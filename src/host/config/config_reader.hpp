// SPDX-License-Identifier: LGPL-2.1-or-later
// One configuration file, table by table, with errors that name file, line, key and the allowed values.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include "base/reporter.hpp"

namespace berth::host {

/// Reads keys of one TOML table and records which keys are known. The table must outlive it.
class ConfigTable {
 public:
  /// @param file the path of the file, for messages
  /// @param name of the table, e.g. `pull`; empty for the top of the file
  ConfigTable(const toml::table& table, std::string file, std::string name);

  /// All getters return nullopt when the key is absent. @throws Error(usage) "FILE:LINE: [TABLE] KEY must be …"
  std::optional<std::string> text(std::string_view key);  ///< not empty
  std::optional<std::string> path(std::string_view key);  ///< absolute
  std::optional<bool> boolean(std::string_view key);
  /// A choice of two words. @return whether the value is `second`
  std::optional<bool> choice(std::string_view key, std::string_view first, std::string_view second);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<std::vector<std::string>> texts(std::string_view key);  ///< at least one, none empty
  std::optional<ConfigTable> table(std::string_view key);
  std::vector<ConfigTable> tables(std::string_view key);  ///< [[KEY]]; empty when absent

  /// Warns of each key that no getter asked for.
  void warn_of_unknown(base::Reporter& reporter) const;
  /// Throws Error(usage) for a missing key.
  [[noreturn]] void fail_missing(std::string_view key) const;

 private:
  const toml::node* find(std::string_view key);
  [[nodiscard]] std::string full_name(std::string_view key) const;
  [[noreturn]] void fail(const toml::node& node, std::string_view key, std::string_view expected) const;

  const toml::table* table_;
  std::string file_;
  std::string name_;
  std::set<std::string, std::less<>> known_;
};

}  // namespace berth::host
