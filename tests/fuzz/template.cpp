// SPDX-License-Identifier: LGPL-2.1-or-later
// Templates with their values. An input is lines NAME=VALUE, in which `\n` stands for a line break, then a line `%%`,
// then the template.
#include "render/template/template.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "harness.hpp"
#include "render/unit/plain_text.hpp"

namespace {

using namespace berth;

struct Input {
  render::Values values;
  std::string_view text;
};

void add_value(render::Values& values, std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos || !render::is_variable_name(line.substr(0, equals))) {
    return;
  }
  std::string value;
  for (std::size_t at = equals + 1; at < line.size(); ++at) {
    const bool line_break = line.substr(at, 2) == "\\n";
    value += line_break ? '\n' : line[at];
    at += line_break ? 1 : 0;
  }
  values.insert_or_assign(std::string(line.substr(0, equals)), value);
}

Input split(std::string_view bytes) {
  Input input;
  input.text = bytes;
  const auto mark = bytes.find("%%\n");
  if (mark == std::string_view::npos) {
    return input;
  }
  input.text = bytes.substr(mark + 3);
  for (auto head = bytes.substr(0, mark); !head.empty();) {
    const auto end = std::min(head.find('\n'), head.size());
    add_value(input.values, head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return input;
}

bool is_name_byte(char c, bool first) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

/// Whether a text contains no control characters.
bool is_seen(std::string_view text) {
  return fuzz::accepted([&] {
           render::refuse_control_characters(text, "fuzz");
           return true;
         })
      .has_value();
}

/// The result of Python's string.Template, byte by byte; nullopt where it raises, or where a text is refused.
std::optional<std::string> model(const Input& input) {
  std::string result;
  const auto text = input.text;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '$') {
      result += text[at++];
      continue;
    }
    const bool braced = text.substr(at + 1, 1) == "{";
    if (text.substr(at + 1, 1) == "$") {
      result += '$';
      at += 2;
      continue;
    }
    std::size_t end = at + (braced ? 2 : 1);
    const auto begin = end;
    while (end < text.size() && is_name_byte(text[end], end == begin)) {
      ++end;
    }
    const auto value = input.values.find(text.substr(begin, end - begin));
    if (end == begin || (braced && text.substr(end, 1) != "}") || value == input.values.end()) {
      return std::nullopt;
    }
    result += value->second;
    at = end + (braced ? 1 : 0);
  }
  return is_seen(text) && is_seen(result) ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<std::string> render_input(const Input& input, render::TemplateKind kind) {
  render::Renderer renderer(input.values);
  auto result = renderer.render(kind, input.text, "exports/fuzz");
  const auto good = fuzz::accepted([&] {
    renderer.check();
    return true;
  });
  return good ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = split(fuzz::text_of(data, size));
  const auto expected = model(input);
  const bool small = !expected || expected->size() <= render::rendered_size_limit;
  const auto plain = render_input(input, render::TemplateKind::plain);
  fuzz::require(!small || plain == expected, "substitution is that of string.Template", expected.value_or("refused"));
  const auto unit = render_input(input, render::TemplateKind::unit);
  if (unit) {
    const auto lines = [](std::string_view text) { return std::count(text.begin(), text.end(), '\n'); };
    fuzz::require(unit == expected, "a unit is substituted like any text", *unit);
    fuzz::require(lines(*unit) == lines(input.text), "no value adds a line to a unit", *unit);
  }
  if (const auto json = render_input(input, render::TemplateKind::json)) {
    fuzz::require(json == expected, "JSON is substituted like any text", *json);
    fuzz::require(base::Json::accept(*json), "a text rendered as JSON is JSON", *json);
  }
  for (const auto& name : render::variables_in(input.text)) {
    fuzz::require(render::is_variable_name(name), "a variable has a variable's name", name);
  }
  (void)render::unit_wants_detached(input.text);
  return 0;
}
