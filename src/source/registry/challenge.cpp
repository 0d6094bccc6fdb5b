// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/challenge.hpp"

#include <algorithm>
#include <optional>

namespace berth::source {
namespace {

bool is_token_byte(char c) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         marks.find(c) != std::string_view::npos;
}

std::string to_lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

// Walks through a header value from front to back.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }

  bool take(char c) {
    if (text_.empty() || text_.front() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }

  void skip_blanks() {
    while (take(' ') || take('\t')) {
    }
  }

  void skip_separators() {
    while (take(' ') || take('\t') || take(',')) {
    }
  }

  std::string token() {
    std::size_t length = 0;
    while (length < text_.size() && is_token_byte(text_[length])) {
      ++length;
    }
    std::string result(text_.substr(0, length));
    text_.remove_prefix(length);
    return result;
  }

  std::optional<std::string> value() { return take('"') ? quoted() : std::optional(token()); }

  // `abc/def==` of schemes such as Negotiate, which have no parameters.
  void skip_token68() {
    const auto end = text_.find_first_of(", \t");
    text_.remove_prefix(std::min(end, text_.size()));
  }

  [[nodiscard]] Scanner copy() const { return *this; }

 private:
  std::optional<std::string> quoted() {
    std::string result;
    while (!text_.empty()) {
      char c = text_.front();
      text_.remove_prefix(1);
      if (c == '"') {
        return result;
      }
      if (c == '\\' && !text_.empty()) {
        c = text_.front();
        text_.remove_prefix(1);
      }
      result += c;
    }
    return std::nullopt;
  }

  std::string_view text_;
};

// Reads `name = value` into the challenge; false, without moving the scanner, for anything else.
bool take_parameter(Scanner& scanner, Challenge& challenge) {
  auto ahead = scanner.copy();
  const auto name = to_lower(ahead.token());
  ahead.skip_blanks();
  if (name.empty() || !ahead.take('=')) {
    return false;
  }
  ahead.skip_blanks();
  auto value = ahead.value();
  if (!value) {
    return false;
  }
  challenge.parameters.emplace(name, std::move(*value));
  scanner = ahead;
  return true;
}

}  // namespace

std::string Challenge::parameter(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? "" : found->second;
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header);
  for (scanner.skip_separators(); !scanner.at_end(); scanner.skip_separators()) {
    if (!challenges.empty() && take_parameter(scanner, challenges.back())) {
      continue;
    }
    auto scheme = to_lower(scanner.token());
    if (scheme.empty()) {
      break;
    }
    challenges.push_back({std::move(scheme), {}});
    scanner.skip_blanks();
    auto ahead = scanner.copy();
    Challenge ignored;
    if (!take_parameter(ahead, ignored) && !scanner.at_end()) {
      scanner.skip_token68();
    }
  }
  return challenges;
}

}  // namespace berth::source
