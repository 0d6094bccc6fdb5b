// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/output.hpp"

#include <iostream>

#include "base/json.hpp"
#include "base/shown_text.hpp"

namespace berth::cli {

void emit_text(std::FILE* stream, std::string_view text) {
  fmt::print(stream, "{}", base::shown_text(text));
}

void emit_as_written(std::string_view text) {
  fmt::print("{}", text);
}

bool ask(std::FILE* stream, std::string_view question) {
  emit_text(stream, question);
  std::fflush(stream);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void emit_json(const base::Json& document, int indent) {
  emit("{}\n", document.dump(indent, ' ', true, base::Json::error_handler_t::replace));
}

}  // namespace berth::cli
