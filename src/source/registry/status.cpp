// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/status.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/error.hpp"
#include "base/json.hpp"

namespace berth::source {

std::string status_text(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 13> known{{{400, "Bad Request"},
                                                                    {401, "Unauthorized"},
                                                                    {403, "Forbidden"},
                                                                    {404, "Not Found"},
                                                                    {405, "Method Not Allowed"},
                                                                    {408, "Request Timeout"},
                                                                    {410, "Gone"},
                                                                    {416, "Range Not Satisfiable"},
                                                                    {429, "Too Many Requests"},
                                                                    {500, "Internal Server Error"},
                                                                    {502, "Bad Gateway"},
                                                                    {503, "Service Unavailable"},
                                                                    {504, "Gateway Timeout"}}};
  for (const auto& [code, words] : known) {
    if (code == status) {
      return fmt::format("{} {}", code, words);
    }
  }
  return std::to_string(status);
}

bool is_transient_status(int status) {
  return status == 408 || status == 429 || (status >= 500 && status < 600 && status != 501 && status != 505);
}

std::string registry_message(std::string_view body) {
  try {
    const auto json = base::parse_json(body, "error");
    const base::JsonView view(json, "error");
    const auto errors = view.at("errors").as_array();
    if (errors.empty()) {
      return {};
    }
    const auto code = errors.front().string_or("code", "");
    const auto message = errors.front().string_or("message", "");
    return base::printable(fmt::format("{}{}{}", code, code.empty() || message.empty() ? "" : ": ", message), 200);
  } catch (const base::Error&) {
    return {};  // e.g. the web page of a proxy; the status is sufficient
  }
}

}  // namespace berth::source
