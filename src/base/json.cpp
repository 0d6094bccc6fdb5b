// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include "base/error.hpp"

namespace berth::base {

namespace {

/// The message of nlohmann/json without its prefix and position, which the caller adds in its own form.
std::string syntax_reason(std::string_view message) {
  for (const std::string_view prefix : {"] ", "column "}) {
    const std::size_t found = message.find(prefix);
    if (found != std::string_view::npos) {
      message.remove_prefix(found + prefix.size());
    }
  }
  const std::size_t colon = message.find(": ");
  if (colon != std::string_view::npos && message.find_first_not_of("0123456789") == colon) {
    message.remove_prefix(colon + 2);
  }
  return printable(message, 300);
}

/// Line and column, both from 1, of the byte before `position`, where the parser stopped.
std::pair<std::size_t, std::size_t> line_and_column(std::string_view text, std::size_t position) {
  const std::string_view before = text.substr(0, std::min(position > 0 ? position - 1 : 0, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {static_cast<std::size_t>(lines) + 1, before.size() - line_start + 1};
}

[[noreturn]] void throw_syntax(std::string_view text, std::string_view document, std::size_t position,
                               std::string_view reason) {
  const auto [line, column] = line_and_column(text, position);
  throw Error(ErrorKind::verification,
              fmt::format("{} is not valid JSON: line {}, column {}: {}", document, line, column, reason));
}

/// Builds the document from the events of nlohmann's parser, which does not recurse. Refuses duplicate keys and
/// excessive depth, about which RFC 8259 leaves the choice to implementations.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  /// @param wanted the members of the top object that are kept; none: all are
  Builder(std::string_view text, std::string_view document, std::span<const std::string_view> wanted)
      : text_(text), document_(document), wanted_(wanted) {}

  Json take() { return std::move(root_); }

  bool null() override { return dropping() || add(Json(nullptr)); }
  bool boolean(bool value) override { return dropping() || add(Json(value)); }
  bool number_integer(number_integer_t value) override { return dropping() || add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return dropping() || add(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return dropping() || add(Json(value)); }
  bool string(string_t& value) override { return dropping() || add(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }  // never comes from text

  bool start_object(std::size_t) override { return enter(Json::object()); }
  bool start_array(std::size_t) override { return enter(Json::array()); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool key(string_t& name) override {
    if (dropped_ > 0) {
      return true;
    }
    Level& level = levels_.back();
    if (!level.keys.insert(name).second) {
      throw Error(ErrorKind::verification,
                  fmt::format("{}: {}the key '{}' appears twice", document_, place(), printable(name)));
    }
    level.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception& error) override {
    throw_syntax(text_, document_, position, syntax_reason(error.what()));
  }

 private:
  struct Level {
    Json value;
    std::string key;  ///< of the member being read
    std::unordered_set<std::string> keys;
  };

  /// Whether the current value belongs to a member of the top object that is not kept.
  [[nodiscard]] bool dropping() const {
    return dropped_ > 0 || (!wanted_.empty() && levels_.size() == 1 && levels_.back().value.is_object() &&
                            std::find(wanted_.begin(), wanted_.end(), levels_.back().key) == wanted_.end());
  }

  bool enter(Json value) {
    if (levels_.size() + dropped_ >= json_depth_limit) {
      throw Error(ErrorKind::verification,
                  fmt::format("{} is nested more than {} levels deep", document_, json_depth_limit));
    }
    if (dropping()) {
      ++dropped_;
      return true;
    }
    levels_.push_back({std::move(value), {}, {}});
    return true;
  }

  bool leave() {
    if (dropped_ > 0) {
      --dropped_;
      return true;
    }
    Json value = std::move(levels_.back().value);
    levels_.pop_back();
    return add(std::move(value));
  }

  /// @return whether there is more to be read
  bool add(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Level& level = levels_.back();
    if (level.value.is_array()) {
      level.value.get_ref<Json::array_t&>().push_back(std::move(value));
    } else {
      // Not operator[], which searches all earlier keys: quadratic time for a hostile document.
      level.value.get_ref<Json::object_t&>().emplace_back(std::move(level.key), std::move(value));
      if (levels_.size() == 1 && !wanted_.empty() && level.value.size() == wanted_.size()) {
        root_ = std::move(level.value);
        return false;
      }
    }
    return true;
  }

  /// `a.b[2]: `, or nothing at the top.
  [[nodiscard]] std::string place() const {
    std::string path;
    for (std::size_t depth = 0; depth + 1 < levels_.size(); ++depth) {
      const Level& level = levels_[depth];
      path += level.value.is_array() ? fmt::format("[{}]", level.value.size())
                                     : (path.empty() ? "" : ".") + printable(level.key);
    }
    return path.empty() ? "" : path + ": ";
  }

  std::string_view text_;
  std::string_view document_;
  std::span<const std::string_view> wanted_;
  std::size_t dropped_ = 0;  ///< depth inside a member that is not kept
  Json root_;
  std::vector<Level> levels_;
};

std::string_view kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    default:
      return "a number";
  }
}

[[noreturn]] void fail_kind(const JsonView& view, std::string_view expected) {
  view.fail(fmt::format("expected {}, found {}", expected, kind_of(view.value())));
}

const Json* member(const JsonView& view, std::string_view key) {
  if (!view.value().is_object()) {
    fail_kind(view, "an object");
  }
  for (const auto& [name, value] : view.value().get_ref<const Json::object_t&>()) {
    if (name == key) {
      return value.is_null() ? nullptr : &value;
    }
  }
  return nullptr;
}

std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? printable(key) : fmt::format("{}.{}", path, printable(key));
}

}  // namespace

Json parse_json(std::string_view text, std::string_view document) {
  return parse_json_members(text, document, {});
}

Json parse_json_members(std::string_view text, std::string_view document, std::span<const std::string_view> wanted) {
  if (text.size() > json_size_limit) {
    throw Error(ErrorKind::verification,
                fmt::format("{} has {} bytes, more than the limit of {}", document, text.size(), json_size_limit));
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {  // nlohmann takes it for the end
    throw_syntax(text, document, nul + 1, "a NUL byte");
  }
  Builder builder(text, document, wanted);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

JsonView::JsonView(const Json& value, std::string document, std::string path)
    : value_(&value), document_(std::move(document)), path_(std::move(path)) {}

std::string JsonView::place() const {
  return path_.empty() ? document_ : fmt::format("{}: {}", document_, path_);
}

bool JsonView::has(std::string_view key) const {
  return member(*this, key) != nullptr;
}

JsonView JsonView::at(std::string_view key) const {
  if (std::optional<JsonView> found = find(key)) {
    return std::move(*found);
  }
  fail(fmt::format("the key '{}' is missing", printable(key)));
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  const Json* found = member(*this, key);
  if (found == nullptr) {
    return std::nullopt;
  }
  return JsonView(*found, document_, joined(path_, key));
}

std::string JsonView::as_string() const {
  if (!value_->is_string()) {
    fail_kind(*this, "a string");
  }
  return value_->get<std::string>();
}

bool JsonView::as_bool() const {
  if (!value_->is_boolean()) {
    fail_kind(*this, "a boolean");
  }
  return value_->get<bool>();
}

std::int64_t JsonView::as_integer() const {
  if (!value_->is_number_integer()) {
    fail_kind(*this, "an integer");
  }
  if (value_->is_number_unsigned() &&
      value_->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    fail("the number does not fit into 63 bits");
  }
  return value_->get<std::int64_t>();
}

std::int64_t JsonView::as_size() const {
  const std::int64_t size = as_integer();
  if (size < 0) {
    fail("a size cannot be negative");
  }
  return size;
}

std::vector<JsonView> JsonView::as_array() const {
  if (!value_->is_array()) {
    fail_kind(*this, "an array");
  }
  std::vector<JsonView> views;
  views.reserve(value_->size());
  for (const Json& element : *value_) {
    views.emplace_back(element, document_, fmt::format("{}[{}]", path_, views.size()));
  }
  return views;
}

std::vector<std::string> JsonView::as_strings() const {
  std::vector<std::string> strings;
  for (const JsonView& view : as_array()) {
    strings.push_back(view.as_string());
  }
  return strings;
}

std::vector<std::pair<std::string, JsonView>> JsonView::as_object() const {
  if (!value_->is_object()) {
    fail_kind(*this, "an object");
  }
  std::vector<std::pair<std::string, JsonView>> members;
  members.reserve(value_->size());
  for (const auto& [key, value] : value_->get_ref<const Json::object_t&>()) {
    members.emplace_back(key, JsonView(value, document_, joined(path_, key)));
  }
  return members;
}

std::string JsonView::string_or(std::string_view key, std::string fallback) const {
  const std::optional<JsonView> found = find(key);
  return found ? found->as_string() : std::move(fallback);
}

bool JsonView::bool_or(std::string_view key, bool fallback) const {
  const std::optional<JsonView> found = find(key);
  return found ? found->as_bool() : fallback;
}

std::vector<std::string> JsonView::strings_or_empty(std::string_view key) const {
  const std::optional<JsonView> found = find(key);
  return found ? found->as_strings() : std::vector<std::string>{};
}

void JsonView::fail(std::string_view reason) const {
  throw Error(ErrorKind::verification, fmt::format("{}: {}", place(), reason));
}

}  // namespace berth::base
