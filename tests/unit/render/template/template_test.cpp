// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/template.hpp"

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Template, ReportsEveryProblemOfAllTemplatesAtOnce) {
  const Values values = {{"NAME", "x"}, {"LINES", "a\nb"}};
  Renderer renderer(values);
  renderer.render(TemplateKind::unit, "[Service]\nA=$FOO\nB=$LINES\nC=${BAR}$FOO\n", "exports/service.template");
  renderer.render(TemplateKind::unit, "d $FOO - $1\n", "exports/tmpfiles.template");
  const auto error = error_of([&] { renderer.check(); });
  EXPECT_EQ(error.kind(), base::ErrorKind::failed);
  EXPECT_EQ(error.message(),
            "exports/service.template:2: no value for $FOO\n"
            "exports/service.template:3: the value of $LINES holds a line break, which would add lines to the file\n"
            "exports/service.template:4: no value for $BAR\n"
            "exports/service.template:4: no value for $FOO\n"
            "exports/tmpfiles.template:1: no value for $FOO\n"
            "exports/tmpfiles.template:1: a lone `$`; write `$$`");
  EXPECT_EQ(error.hint(), "set the missing values: --set FOO=… --set BAR=…");
}

TEST(Template, RendersValidTemplates) {
  const Values values = {{"NAME", "x"}, {"DATA", "100%\tfull \\ $NAME"}};
  Renderer renderer(values);
  EXPECT_EQ(renderer.render(TemplateKind::unit, "A=$DATA.$NAME", "f"), "A=100%\tfull \\ $NAME.x");
  EXPECT_EQ(renderer.render(TemplateKind::json, "{\"a\": \"$NAME\"}", "f"), "{\"a\": \"x\"}");
  EXPECT_NO_THROW(renderer.check());
}

TEST(Template, UnitValuesCannotAddOrJoinLines) {
  const std::map<std::string, std::string> cases = {{"a\nExecStartPre=/bin/evil", "line break"},
                                                    {"a\r", "line break"},
                                                    {std::string("a\0b", 3), "NUL"},
                                                    {"a\\", "backslash"}};
  for (const auto& [value, reason] : cases) {
    const Values values = {{"V", value}};
    for (const char* text : {"[Service]\nEnvironment=$V\nUser=x\n", "A=$V"}) {
      Renderer renderer(values);
      renderer.render(TemplateKind::unit, text, "f");
      EXPECT_THAT(error_of([&] { renderer.check(); }).message(), HasSubstr(reason));
    }
  }
  const Values values = {{"V", "a\\"}, {"N", "1\n2"}};
  Renderer renderer(values);
  renderer.render(TemplateKind::unit, "A=$V b\n", "f");
  renderer.render(TemplateKind::plain, "$N $V\n", "f");
  EXPECT_NO_THROW(renderer.check());
}

TEST(Template, RefusesAValueThatMakesALineEndInABackslash) {
  const std::vector<std::pair<std::string, Values>> refused = {{"A=$A$B\nUser=x\n", {{"A", "a\\"}, {"B", ""}}},
                                                               {"A=$A$B", {{"A", "a\\"}, {"B", ""}}},
                                                               {"A=\\$A\nUser=x\n", {{"A", ""}}},
                                                               {"A=x\\$A$B\nUser=x\n", {{"A", ""}, {"B", ""}}},
                                                               {"A=$A\\\nUser=x\n", {{"A", "a\\"}}}};
  for (const auto& [text, values] : refused) {
    Renderer renderer(values);
    renderer.render(TemplateKind::unit, text, "f");
    ASSERT_EQ(renderer.problems().size(), 1U) << text;
    EXPECT_THAT(renderer.problems()[0].text(),
                HasSubstr("makes a line end in a backslash, which would join it with the next line"));
    EXPECT_EQ(renderer.problems()[0].line, 1U);
  }
  const std::vector<std::pair<std::string, Values>> allowed = {{"A=$A \\\n b\n", {{"A", "a\\"}}},
                                                               {"A=$A\\\n b\n", {{"A", "a"}}},
                                                               {"A=\\$A\n", {{"A", "t"}}},
                                                               {"A=x\\\\\nB=$A\n", {{"A", ""}}}};
  for (const auto& [text, values] : allowed) {
    Renderer renderer(values);
    renderer.render(TemplateKind::unit, text, "f");
    EXPECT_TRUE(renderer.problems().empty()) << text;
  }
}

TEST(Template, RefusesControlCharacters) {
  const Values values = {{"V", "a\x1b[2J"}, {"T", "a\tb"}};
  for (const auto kind : {TemplateKind::unit, TemplateKind::plain, TemplateKind::json}) {
    Renderer renderer(values);
    renderer.render(kind, "\"$T\n$V\"", "f");
    EXPECT_THAT(error_of([&] { renderer.check(); }).message(),
                HasSubstr("f:2: the value of $V holds the control character U+001B"));
  }
  Renderer renderer(values);
  renderer.render(TemplateKind::plain, "a\nb\rc $T", "f");
  EXPECT_THAT(error_of([&] { renderer.check(); }).message(), HasSubstr("f:2: contains a carriage return"));
}

TEST(Template, RefusesByteOrderMarksInUnits) {
  const Values values = {{"MARK", "\uFEFFExecStartPre=/x"}, {"NONE", ""}};
  for (const std::string text : {"[Service]\n$MARK\n",
                                 "[Service]\n\xEF\xBB$NONE\xBF"
                                 "ExecStartPre=/x\n"}) {
    Renderer renderer(values);
    renderer.render(TemplateKind::unit, text, "f");
    EXPECT_EQ(error_of([&] { renderer.check(); }).message(), "f:2: the line begins with a byte order mark");
  }
}

TEST(Template, ReportsInvalidJson) {
  const Values values = {{"V", "a\"b"}};
  Renderer renderer(values);
  renderer.render(TemplateKind::json, "{\n\"a\": \"$V\"\n}", "exports/config.json.template");
  EXPECT_THAT(error_of([&] { renderer.check(); }).message(),
              HasSubstr("exports/config.json.template:2: the value of $V breaks the JSON: "));
}

TEST(Template, MissingVariablesAreNotReportedAsBrokenJsonToo) {
  const Values values;
  Renderer renderer(values);
  renderer.render(TemplateKind::json, "{\"a\": $V}", "f");
  EXPECT_EQ(error_of([&] { renderer.check(); }).message(), "f:1: no value for $V");
}

TEST(Template, LimitsSizesAndProblems) {
  const Values values = {{"BIG", std::string(1U << 20U, 'x')}};
  Renderer renderer(values);
  EXPECT_EQ(renderer.render(TemplateKind::plain, "$BIG$BIG$BIG$BIG$BIG", "f"), "");
  EXPECT_EQ(error_of([&] { renderer.check(); }).message(), "f: the rendered text would be larger than 4 MiB");
  std::string dollars;
  for (int i = 0; i < 5000; ++i) {
    dollars += "$ ";
  }
  renderer.render(TemplateKind::plain, dollars, "f");
  EXPECT_THAT(error_of([&] { renderer.check(); }).message(), testing::EndsWith("and 4901 more"));
}

TEST(Template, ListsVariablesInOrderOfAppearance) {
  EXPECT_THAT(variables_in("$B ${A} $B $$C $"), ElementsAre("B", "A"));
}

TEST(Template, DetachedNeedsBothVariables) {
  EXPECT_TRUE(unit_wants_detached("ExecStopPost=$EXEC_STOPPOST\nPIDFile=${PIDFILE}"));
  EXPECT_FALSE(unit_wants_detached("PIDFile=$PIDFILE"));
  EXPECT_FALSE(unit_wants_detached("ExecStopPost=$EXEC_STOPPOST\nPIDFile=$$PIDFILE"));
}

}  // namespace
}  // namespace berth::render
