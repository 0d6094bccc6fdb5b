// SPDX-License-Identifier: LGPL-2.1-or-later
// WWW-Authenticate headers of registries.
#include "source/registry/challenge.hpp"

#include "harness.hpp"

namespace {

using namespace berth;

std::string in_quotes(std::string_view value) {
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      result += '\\';
    }
    result += c;
  }
  return result + '"';
}

std::string written(const std::vector<source::Challenge>& challenges) {
  std::string header;
  for (const auto& challenge : challenges) {
    header += (header.empty() ? "" : ", ") + challenge.scheme;
    const char* separator = " ";
    for (const auto& [name, value] : challenge.parameters) {
      header += separator + name + "=" + in_quotes(value);
      separator = ", ";
    }
  }
  return header;
}

bool is_lower_token(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t,=\"\\()<>@:;/[]?{}") == std::string_view::npos &&
         text.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto challenges = source::parse_challenges(fuzz::text_of(data, size));
  for (const auto& challenge : challenges) {
    fuzz::require(is_lower_token(challenge.scheme), "a scheme is a token in lower case", challenge.scheme);
    for (const auto& [name, value] : challenge.parameters) {
      fuzz::require(is_lower_token(name), "a parameter's name is a token in lower case", name);
      fuzz::require(challenge.parameter(name) == value, "a parameter is found by its name", name);
    }
  }
  const auto header = written(challenges);
  fuzz::require(written(source::parse_challenges(header)) == header, "challenges written out are read the same",
                header);
  return 0;
}
