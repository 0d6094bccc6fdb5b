// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/config/config_reader.hpp"

#include <fmt/format.h>

#include "base/error.hpp"

namespace berth::host {

namespace {

std::string found(const toml::node& node) {
  if (const auto number = node.value_exact<std::int64_t>()) {
    return std::to_string(*number);
  }
  if (const auto text = node.value_exact<std::string>()) {
    return "'" + base::printable(*text) + "'";
  }
  if (const auto truth = node.value_exact<bool>()) {
    return *truth ? "true" : "false";
  }
  return node.is_table() ? "a table" : node.is_array() ? "a list" : "something else";
}

}  // namespace

ConfigTable::ConfigTable(const toml::table& table, std::string file, std::string name)
    : table_(&table), file_(std::move(file)), name_(std::move(name)) {}

const toml::node* ConfigTable::find(std::string_view key) {
  known_.emplace(key);
  return table_->get(key);
}

std::string ConfigTable::full_name(std::string_view key) const {
  return name_.empty() ? fmt::format("[{}]", key) : fmt::format("[{}] {}", name_, key);
}

void ConfigTable::fail(const toml::node& node, std::string_view key, std::string_view expected) const {
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{}:{}: {} must be {}, found {}", file_, node.source().begin.line, full_name(key),
                                expected, found(node)),
                    "berth.conf(5) describes every key");
}

void ConfigTable::fail_missing(std::string_view key) const {
  throw base::Error(base::ErrorKind::usage,
                    fmt::format("{}:{}: {} is missing", file_, table_->source().begin.line, full_name(key)),
                    "berth.conf(5) describes every key");
}

std::optional<std::string> ConfigTable::text(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  auto value = node->value_exact<std::string>();
  if (!value || value->empty()) {
    fail(*node, key, "a string that is not empty");
  }
  return value;
}

std::optional<std::string> ConfigTable::path(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  auto value = node->value_exact<std::string>();
  if (!value || !value->starts_with('/')) {
    fail(*node, key, "an absolute path");
  }
  return value;
}

std::optional<bool> ConfigTable::boolean(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto value = node->value_exact<bool>();
  if (!value) {
    fail(*node, key, "true or false");
  }
  return value;
}

std::optional<bool> ConfigTable::choice(std::string_view key, std::string_view first, std::string_view second) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto value = node->value_exact<std::string_view>();
  if (value != first && value != second) {
    const auto found = value ? fmt::format(", found \"{}\"", base::printable(*value)) : std::string();
    fail(*node, key, fmt::format("\"{}\" or \"{}\"{}", first, second, found));
  }
  return value == second;
}

std::optional<std::int64_t> ConfigTable::integer(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const auto value = node->value_exact<std::int64_t>();
  if (!value || *value < least || *value > most) {
    fail(*node, key, fmt::format("a whole number from {} to {}", least, most));
  }
  return value;
}

std::optional<std::vector<std::string>> ConfigTable::texts(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  const toml::array* list = node->as_array();
  if (list == nullptr || list->empty()) {
    fail(*node, key, "a list of strings with at least one entry");
  }
  std::vector<std::string> values;
  for (const toml::node& entry : *list) {
    auto value = entry.value_exact<std::string>();
    if (!value || value->empty()) {
      fail(entry, key, "a list of strings that are not empty");
    }
    values.push_back(std::move(*value));
  }
  return values;
}

std::optional<ConfigTable> ConfigTable::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (!node->is_table()) {
    fail(*node, key, "a table");
  }
  return ConfigTable(*node->as_table(), file_, std::string(key));
}

std::vector<ConfigTable> ConfigTable::tables(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    return {};
  }
  const std::string expected = fmt::format("a list of tables, written as [[{}]]", key);
  const toml::array* list = node->as_array();
  if (list == nullptr) {
    fail(*node, key, expected);
  }
  std::vector<ConfigTable> result;
  for (const toml::node& entry : *list) {
    if (!entry.is_table()) {
      fail(entry, key, expected);
    }
    result.emplace_back(*entry.as_table(), file_, fmt::format("[{}]", key));
  }
  return result;
}

void ConfigTable::warn_of_unknown(base::Reporter& reporter) const {
  for (const auto& [key, node] : *table_) {
    if (known_.find(key.str()) == known_.end()) {
      reporter.warning(fmt::format("{}:{}: unknown key {} is ignored", file_, key.source().begin.line,
                                   base::printable(full_name(key.str()))));
    }
  }
}

}  // namespace berth::host
