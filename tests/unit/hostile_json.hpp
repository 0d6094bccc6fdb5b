// SPDX-License-Identifier: LGPL-2.1-or-later
// Invalid JSON documents, for the tests of all readers of JSON from outside.
#pragma once

#include <string>
#include <vector>

namespace berth::test {

struct BrokenText {
  std::string label;
  std::string text;
  std::string words;  ///< part of the error message
};

/// `good` with `member` put in front of the members of its first object.
inline std::string with_member(std::string good, const std::string& member) {
  return good.insert(good.find('{') + 1, member + ",");
}

/// Documents that each reader must refuse. @param good a valid document, with a member in its first object
inline std::vector<BrokenText> broken_json(const std::string& good) {
  constexpr std::size_t too_large = (4U << 20U) + 1;
  const std::string syntax = "is not valid JSON: line ";
  return {{"empty", "", syntax + "1, column 1"},
          {"blank", " \n\t", syntax},
          {"one brace", "{", syntax},
          {"text", "<html>not found</html>", syntax + "1, column 1"},
          {"first half", good.substr(0, good.size() / 2), syntax},
          {"without the last byte", good.substr(0, good.size() - 1), syntax},
          {"something behind it", good + "x", syntax},
          {"twice", good + good, syntax},
          {"NUL within", with_member(good, std::string("\"x\":\"\0\"", 7)), "a NUL byte"},
          {"NUL behind", good + '\0', "a NUL byte"},
          {"byte order mark of UTF-16", "\xff\xfe" + good, syntax},
          {"no UTF-8", with_member(good, "\"x\":\"\xff\""), syntax},
          {"half a surrogate", with_member(good, R"("x":"\ud800")"), syntax},
          {"number without end", with_member(good, "\"x\":1e999"), syntax},
          {"comment", with_member(good, "/* x */ \"x\":1"), syntax},
          {"key twice", with_member(good, R"("x":1,"x":2)"), "the key 'x' appears twice"},
          {"escaped key twice", with_member(good, R"("x":1,"\u0078":2)"), "the key 'x' appears twice"},
          {"inner key twice", with_member(good, R"("a":{"x":1,"x":2})"), "a: the key 'x' appears twice"},
          {"huge", good + std::string(too_large, ' '), "more than the limit of 4194304"},
          {"deep lists", with_member(good, "\"x\":" + std::string(70, '[') + std::string(70, ']')),
           "is nested more than 64 levels deep"},
          {"very deep lists", with_member(good, "\"x\":" + std::string(1'000'000, '[')),
           "is nested more than 64 levels deep"},
          {"deep objects",
           with_member(good,
                       [] {
                         std::string member = "\"x\":";
                         for (int level = 0; level < 70; ++level) {
                           member += "{\"x\":";
                         }
                         return member + "1" + std::string(70, '}');
                       }()),
           "is nested more than 64 levels deep"}};
}

}  // namespace berth::test
