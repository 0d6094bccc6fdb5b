#include "cli/terminal/output.hpp"

#include "base/json.hpp"
#include "base/shown_text.hpp"

namespace berth::cli {

void emit_text(std::FILE* stream, std::string_view text) {
  fmt::print(stream, "{}", base::shown_text(text));
}

void emit_as_written(std::string_view text) {
  fmt::print("{}", text);
}

void emit_json(const base::Json& document, int indent) {
  emit("{}\n", document.dump(indent, ' ', true, base::Json::error_handler_t::replace));
}

}  // namespace berth::cli
