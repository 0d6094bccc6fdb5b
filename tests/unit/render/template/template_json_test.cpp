// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/template_json.hpp"

#include <fmt/format.h>

#include "render/support.hpp"

namespace berth::render {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string problem(const std::string& text, const Values& values) {
  const auto pieces = split_template(text);
  const auto found = json_problem(text, pieces, values, substitute(pieces, values));
  return found ? fmt::format("{}: {}", found->line, found->message) : "";
}

const char* const mounts_template =
    "{\n"
    "\"env\": [\"A=$A\", \"B=$B\"],\n"
    "\"mounts\": [\n"
    "  {\"destination\": \"/proc\"}\n"
    "  $ADDTL_MOUNTS\n"
    "]\n"
    "}\n";

TEST(TemplateJson, AValueMaySpliceJson) {
  EXPECT_EQ(problem(mounts_template, {{"A", ""}, {"B", ""}, {"ADDTL_MOUNTS", ""}}), "");
  EXPECT_EQ(problem(mounts_template, {{"A", "x"}, {"B", "y"}, {"ADDTL_MOUNTS", ",{\"destination\": \"/x\"}"}}), "");
}

TEST(TemplateJson, BlamesTheSplicedValue) {
  for (const char* value : {"{\"destination\": \"/x\"}", ",", ",{", ",{\"a\" 1}", "]", "x", ",{}}", ",\"a"}) {
    EXPECT_THAT(problem(mounts_template, {{"A", "x"}, {"B", "y"}, {"ADDTL_MOUNTS", value}}),
                StartsWith("5: the value of $ADDTL_MOUNTS breaks the JSON: "))
        << value;
  }
}

TEST(TemplateJson, BlamesAValueThatClosesItsStringEarly) {
  EXPECT_THAT(problem(mounts_template, {{"A", "x\"y"}, {"B", "y"}, {"ADDTL_MOUNTS", ""}}),
              StartsWith("2: the value of $A breaks the JSON: "));
  EXPECT_THAT(problem(mounts_template, {{"A", "x"}, {"B", "a\nb"}, {"ADDTL_MOUNTS", ""}}),
              StartsWith("2: the value of $B breaks the JSON: "));
}

TEST(TemplateJson, BlamesTheBackslashThatOpensTheNextString) {
  // The parser fails inside B, but the value of A escapes the quote.
  EXPECT_THAT(problem(mounts_template, {{"A", "x\\"}, {"B", "y"}, {"ADDTL_MOUNTS", ""}}),
              StartsWith("2: the value of $A breaks the JSON: "));
}

TEST(TemplateJson, BlamesAnEmptyValueWhereOneIsNeeded) {
  EXPECT_THAT(problem("{\n\"port\": $PORT\n}", {{"PORT", ""}}), StartsWith("2: the value of $PORT"));
  EXPECT_THAT(problem("{\n\"port\": $PORT\n}", {{"PORT", "eighty"}}), StartsWith("2: the value of $PORT"));
  EXPECT_EQ(problem("{\n\"port\": $PORT\n}", {{"PORT", "80"}}), "");
}

TEST(TemplateJson, ReportsAnInvalidTemplate) {
  EXPECT_THAT(problem("{\n  \"a\": [1 2],\n  \"b\": \"$B\"\n}", {{"B", "x"}}),
              StartsWith("2: the template itself is not valid JSON, at column 11: "));
  EXPECT_THAT(problem("{\n\"a\": \"$B\",\n}", {{"B", "x"}}),
              StartsWith("3: the template itself is not valid JSON, at column 1: "));
  EXPECT_THAT(problem("{\"a\": \"$B\"", {{"B", "x"}}), HasSubstr("the template itself"));
  EXPECT_THAT(problem("", {}), StartsWith("1: the template itself is not valid JSON, at column 1: "));
  EXPECT_EQ(problem("\"\xe2\x7f\"", {}).find('\x7f'), std::string::npos);  // quoted text is made printable
}

TEST(TemplateJson, ReportsTwoBrokenValues) {
  EXPECT_THAT(problem(mounts_template, {{"A", "x\"y"}, {"B", "y"}, {"ADDTL_MOUNTS", "oops"}}),
              StartsWith("2: the value of $A breaks the JSON: "));
}

TEST(TemplateJson, DoesNotRepeatTheValue) {
  EXPECT_THAT(problem("{\"a\": $SECRET}", {{"SECRET", "hunter2"}}), testing::Not(HasSubstr("hunter2")));
  EXPECT_THAT(problem("{\"a\": \"$SECRET\"}", {{"SECRET", "hunter2\"x"}}), testing::Not(HasSubstr("hunter2")));
}

TEST(TemplateJson, HandlesManyVariablesQuickly) {
  std::string text = "[";
  Values values;
  for (int i = 0; i < 20000; ++i) {
    text += "\"$V" + std::to_string(i) + "\",";
    values.insert_or_assign("V" + std::to_string(i), "x");
  }
  EXPECT_THAT(problem(text + "]", values), HasSubstr("the template itself"));
}

}  // namespace
}  // namespace berth::render
