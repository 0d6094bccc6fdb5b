#include "render/unit/systemd_words.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <utility>

namespace berth::render {
namespace {

constexpr std::string_view blanks = systemd_blanks;

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
  explicit WordReader(std::string_view line) : rest_(line) { skip_blanks(); }

  [[nodiscard]] std::string_view rest() const { return rest_; }

  /// What is left, blanks and quotes included. @return nullopt for a bad escape
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

  /// nullopt for an open quote or a bad escape.
  std::optional<std::string> next() {
    std::string word;
    char quote = '\0';
    while (!rest_.empty() && (quote != '\0' || blanks.find(rest_[0]) == std::string_view::npos)) {
      const char c = take();
      if (c == '\\') {
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
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size())); }

  char take() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  /// What stands behind a backslash (cunescape_one() of systemd).
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
};

}  // namespace

std::optional<std::string> take_systemd_word(std::string_view& rest) {
  WordReader words(rest);
  auto word = words.next();
  rest = words.rest();
  return word;
}

std::optional<std::string> unescaped_systemd_text(std::string_view text) {
  return WordReader(text).all();
}

}  // namespace berth::render
