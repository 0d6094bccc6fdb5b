// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/unit_quoting.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace berth::base {
namespace {

void append_utf8(std::string& text, unsigned code) {
  const auto tail = [&text](unsigned bits) { text += static_cast<char>(0x80U | (bits & 0x3FU)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0U | (code >> 6U));
    tail(code);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0U | (code >> 12U));
    tail(code >> 6U);
    tail(code);
  } else {
    text += static_cast<char>(0xF0U | (code >> 18U));
    tail(code >> 12U);
    tail(code >> 6U);
    tail(code);
  }
}

/// Takes words from the front of a line.
class WordReader {
 public:
  WordReader(std::string_view line, UnitEscapes escapes) : rest_(line), escapes_(escapes) { skip_blanks(); }

  [[nodiscard]] std::string_view rest() const { return rest_; }

  /// The rest, blanks and quotes included. @return nullopt for an invalid escape
  std::optional<std::string> all() {
    std::string text;
    while (!rest_.empty()) {
      const char c = take();
      if (c != '\\') {
        text += c;
      } else if (!unescape(text)) {
        return std::nullopt;
      }
    }
    return text;
  }

  /// @return nullopt for an open quote or an invalid escape
  std::optional<std::string> next() {
    std::string word;
    char quote = '\0';
    while (!rest_.empty() && (quote != '\0' || unit_blanks.find(rest_[0]) == std::string_view::npos)) {
      const char c = take();
      if (c == '\\' && escapes_ == UnitEscapes::resolve) {
        if (!unescape(word)) {
          return std::nullopt;
        }
      } else if (quote == '\0' && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    }
    skip_blanks();
    return quote == '\0' ? std::optional(std::move(word)) : std::nullopt;
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(unit_blanks), rest_.size())); }

  char take() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  /// Takes the characters after a backslash (cunescape_one() of systemd).
  bool unescape(std::string& word) {
    constexpr std::string_view letters = "abfnrtv\\\"'s";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\\"' ";
    if (rest_.empty()) {
      return false;
    }
    if (const auto at = letters.find(rest_[0]); at != std::string_view::npos) {
      rest_.remove_prefix(1);
      word += meanings[at];
      return true;
    }
    switch (rest_[0]) {
      case 'x':
        return number(word, 1, 2, 16, false);
      case 'u':
        return number(word, 1, 4, 16, true);
      case 'U':
        return number(word, 1, 8, 16, true);
      default:
        return number(word, 0, 3, 8, false);
    }
  }

  bool number(std::string& word, std::size_t prefix, std::size_t digits, int base, bool character) {
    unsigned value = 0;
    const auto text = rest_.substr(prefix, digits);
    const auto* end = text.data() + text.size();
    constexpr unsigned last_byte = 0xFF;
    constexpr unsigned last_character = 0x10FFFF;
    if (text.size() != digits || std::from_chars(text.data(), end, value, base).ptr != end || value == 0 ||
        value > (character ? last_character : last_byte)) {
      return false;
    }
    rest_.remove_prefix(prefix + digits);
    if (character) {
      append_utf8(word, value);
    } else {
      word += static_cast<char>(value);
    }
    return true;
  }

  std::string_view rest_;
  UnitEscapes escapes_;
};

}  // namespace

std::optional<std::string> take_unit_word(std::string_view& rest, UnitEscapes escapes) {
  WordReader words(rest, escapes);
  auto word = words.next();
  rest = words.rest();
  return word;
}

std::optional<std::vector<std::string>> split_unit_words(std::string_view value, UnitEscapes escapes) {
  std::vector<std::string> words;
  for (WordReader reader(value, escapes); !reader.rest().empty();) {
    auto word = reader.next();
    if (!word) {
      return std::nullopt;
    }
    words.push_back(std::move(*word));
  }
  return words;
}

std::optional<std::string> unescape_unit_text(std::string_view text) {
  return WordReader(text, UnitEscapes::resolve).all();
}

std::string quote_unit_word(std::string_view word) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._+@:=,-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string_view::npos) {
    return std::string(word);
  }
  std::string quoted = "\"";
  for (const char c : word) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
    } else if (c == '%' || c == '$') {
      quoted += c;
    }
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace berth::base
