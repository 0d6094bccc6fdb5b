// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/template_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.hpp"
#include "base/json.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

/// The number of variables that are tried; each costs a few parses of the whole document.
constexpr std::size_t suspect_limit = 16;

/// What the author of a template may have meant a variable to be: part of a string or empty, a value, a further list
/// entry, a member.
constexpr std::array<std::string_view, 4> placeholders = {"", "0", ",0", "\"x\":0"};

struct JsonError {
  std::size_t offset = 0;  ///< of the unexpected text, in bytes
  std::string reason;
};

/// The reason in nlohmann's message, without the quoted input: a value may be a secret.
std::string reason_of(std::string message) {
  constexpr std::string_view begin = "syntax error ";
  const std::size_t start = message.find(begin);
  if (start != std::string::npos) {
    message.erase(0, start + begin.size());
  }
  const std::size_t last_read = message.find("; last read: ");
  if (last_read != std::string::npos) {
    const std::size_t expected = message.find("; expected ", last_read);
    message.erase(last_read, expected == std::string::npos ? std::string::npos : expected - last_read);
  }
  return base::printable(message, 300);  // the parser quotes bytes of the text
}

/// Length of the token that did not fit. The parser stops at a bad character within a token, but after a whole token
/// that was not expected; it reports the token itself only for strings and numbers.
std::size_t token_length(std::string_view message, std::string_view token) {
  constexpr std::array<std::pair<std::string_view, std::size_t>, 3> words = {
      {{"unexpected true literal", 4}, {"unexpected false literal", 5}, {"unexpected null literal", 4}}};
  for (const auto& [what, length] : words) {
    if (message.find(what) != std::string_view::npos) {
      return length;
    }
  }
  const bool whole = message.find("unexpected string literal") != std::string_view::npos ||
                     message.find("unexpected number literal") != std::string_view::npos;
  return whole ? std::max<std::size_t>(token.size(), 1) : 1;
}

/// Parses a document without keeping it.
class Checker final : public nlohmann::json_sax<base::Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string& token, const nlohmann::detail::exception& error) override {
    const std::string message = error.what();
    const std::size_t last = position == 0 ? 0 : position - 1;
    error_.offset = last - std::min(last, token_length(message, token) - 1);
    error_.reason = reason_of(message);
    return false;
  }
  [[nodiscard]] const JsonError& error() const noexcept { return error_; }

 private:
  JsonError error_;
};

std::optional<JsonError> json_error(std::string_view text) {
  Checker checker;
  if (base::Json::sax_parse(text, &checker)) {
    return std::nullopt;
  }
  return checker.error();
}

/// The origin of a position of the output.
struct Origin {
  std::size_t offset = 0;         ///< in the template
  const Piece* nearby = nullptr;  ///< the variable whose value contains or precedes the position; null without one
};

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Origin origin_of(const std::vector<Piece>& pieces, const Values& values, std::string_view output, std::size_t place) {
  Origin origin;
  std::size_t begin = 0;
  for (const auto& piece : pieces) {
    const std::size_t end = begin + content_of(piece, values).size();
    const bool is_value = piece.kind == PieceKind::variable;
    if (begin <= place) {
      origin.offset = piece.offset + (is_value ? 0 : std::min(place - begin, piece.text.size()));
      if (is_value && end > begin && (place < end || is_blank(output.substr(end, place - end)))) {
        origin.nearby = &piece;
      }
    }
    begin = end;
  }
  return origin;
}

/// Variables that may be the cause, the nearest before the error first, each once.
std::vector<std::string_view> suspects(const std::vector<Piece>& pieces, const Origin& origin) {
  std::vector<std::string_view> names;
  if (origin.nearby != nullptr) {
    names.push_back(origin.nearby->text);
  }
  for (auto piece = pieces.rbegin(); piece != pieces.rend() && names.size() < suspect_limit; ++piece) {
    if (piece->kind == PieceKind::variable && piece->offset <= origin.offset &&
        std::find(names.begin(), names.end(), piece->text) == names.end()) {
      names.push_back(piece->text);
    }
  }
  return names;
}

/// The furthest offset in the template that the parser reaches when `name` alone has a harmless value; nullopt when the
/// document is then valid.
std::optional<std::size_t> reach_without(std::string_view name, const std::vector<Piece>& pieces, Values values) {
  std::size_t furthest = 0;
  for (const auto placeholder : placeholders) {
    values.insert_or_assign(std::string(name), std::string(placeholder));
    const std::string output = substitute(pieces, values);
    const auto error = json_error(output);
    if (!error) {
      return std::nullopt;
    }
    furthest = std::max(furthest, origin_of(pieces, values, output, error->offset).offset);
  }
  return furthest;
}

/// Where `name` is used for the last time before the error.
std::size_t use_before(const std::vector<Piece>& pieces, std::string_view name, std::size_t offset) {
  std::size_t place = offset;
  for (const auto& piece : pieces) {
    if (piece.kind == PieceKind::variable && piece.text == name && (piece.offset <= offset || place == offset)) {
      place = piece.offset;
    }
  }
  return place;
}

/// The variable whose value breaks the document; empty when the template itself does.
std::string_view culprit(const std::vector<Piece>& pieces, const Values& values, const Origin& origin) {
  for (const auto name : suspects(pieces, origin)) {
    if (!reach_without(name, pieces, values)) {
      return name;
    }
  }
  if (origin.nearby != nullptr) {  // there are several errors: is this one of them?
    const auto reach = reach_without(origin.nearby->text, pieces, values);
    if (!reach || *reach > origin.offset) {
      return origin.nearby->text;
    }
  }
  return {};
}

}  // namespace

std::optional<JsonProblem> json_problem(std::string_view text, const std::vector<Piece>& pieces, const Values& values,
                                        std::string_view rendered) {
  const auto error = json_error(rendered);
  if (!error) {
    return std::nullopt;
  }
  const Origin origin = origin_of(pieces, values, rendered, error->offset);
  const std::string_view name = culprit(pieces, values, origin);
  if (name.empty()) {
    const Position position = position_of(text, origin.offset);
    return JsonProblem{position.line, fmt::format("the template itself is not valid JSON, at column {}: {}",
                                                  position.column, error->reason)};
  }
  const Position position = position_of(text, use_before(pieces, name, origin.offset));
  return JsonProblem{position.line, fmt::format("the value of ${} breaks the JSON: {}", name, error->reason)};
}

}  // namespace berth::render
