// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/temp_directory.hpp"

namespace berth::base {
namespace {

using test::error_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string refusal(std::string_view text) {
  const Error error = error_of([&] { parse_json(text, "info"); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  return error.message();
}

TEST(ParseJson, KeepsValuesAndOrder) {
  const std::string text = R"({"z":[1,-2,3.5,true,null],"a":{"b":"\u00e9"},"m":{},"n":[]})";
  EXPECT_EQ(parse_json(text, "info").dump(), R"({"z":[1,-2,3.5,true,null],"a":{"b":"é"},"m":{},"n":[]})");
  EXPECT_EQ(parse_json(" 7 ", "info").get<int>(), 7);
  EXPECT_EQ(parse_json("\"x\"", "info").get<std::string>(), "x");
}

TEST(ParseJson, LocatesBadSyntax) {
  EXPECT_THAT(refusal("{\n  \"a\": 1,\n  oops\n}"),
              AllOf(HasSubstr("info is not valid JSON"), HasSubstr("line 3, column 3")));
  EXPECT_THAT(refusal("[1,]"), HasSubstr("line 1, column 4"));
  EXPECT_THAT(refusal(""), HasSubstr("line 1, column 1"));
  EXPECT_THAT(refusal("{} x"), HasSubstr("line 1, column 4"));
}

TEST(ParseJson, RefusesOtherTexts) {
  for (const char* text : {"{'a':1}", "// x\n1", "[1 2]", "\"a\nb\"", "1e999", "[01]", "nul", "\"\xff\"", "{\"a\"}"}) {
    EXPECT_THAT(refusal(text), HasSubstr("not valid JSON")) << text;
  }
  EXPECT_THAT(refusal(std::string_view("1\n \0{}", 6)), HasSubstr("line 2, column 2"));
}

TEST(ParseJson, QuotesNoControlCharacters) {
  const std::string message = refusal("[\"" + std::string(100'000, 'x') + "\x1b[31m\xff\"]");
  EXPECT_LT(message.size(), 500U);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(ParseJson, RefusesDuplicateKeys) {
  EXPECT_THAT(refusal(R"({"a":1,"a":2})"), EndsWith("info: the key 'a' appears twice"));
  EXPECT_THAT(refusal(R"({"x":{"list":[0,{"k":1,"k":1}]}})"), EndsWith("info: x.list[1]: the key 'k' appears twice"));
  EXPECT_NO_THROW(parse_json(R"([{"a":1},{"a":1}])", "info"));
}

TEST(ParseJson, KeepsSomeMembersOnly) {
  const auto members = [](std::string_view text, std::vector<std::string_view> wanted = {"a"}) {
    return parse_json_members(text, "info", wanted).dump();
  };
  EXPECT_EQ(members(R"({"x":1,"b":2,"y":{"a":3},"a":4,"z":5})", {"a", "b"}), R"({"b":2,"a":4})");
  EXPECT_EQ(members(R"({"x":{"a":[{"a":1}]},"a":{"x":[1,{"a":2}],"y":{}},"z":[1]})"),
            R"({"a":{"x":[1,{"a":2}],"y":{}}})");
  EXPECT_EQ(members(R"({"x":1})"), "{}");
  EXPECT_EQ(members(R"([{"x":1}])"), R"([{"x":1}])");
  EXPECT_EQ(members("3"), "3");
  EXPECT_EQ(members(R"({"a":1, and nothing else is looked at)"), R"({"a":1})");
  for (const auto* text : {R"({"x":[1,],"a":1})", R"({"x":1,"x":2})", R"({"x":1)", R"({"x":"\q"})", R"({"a":[1})"}) {
    EXPECT_THROW(members(text), Error) << text;
  }
  const std::string deep = std::string(json_depth_limit, '[') + std::string(json_depth_limit, ']');
  EXPECT_THROW(members("{\"x\":" + deep + "}"), Error);
}

TEST(ParseJson, LimitsDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_NO_THROW(parse_json(nested(json_depth_limit), "info"));
  EXPECT_THAT(refusal(nested(json_depth_limit + 1)), HasSubstr("more than 64 levels"));
  EXPECT_THAT(refusal(std::string(1'000'000, '[')), HasSubstr("more than 64 levels"));
}

TEST(ParseJson, LimitsSize) {
  EXPECT_NO_THROW(parse_json("1" + std::string(json_size_limit - 1, ' '), "info"));
  EXPECT_THAT(refusal("1" + std::string(json_size_limit, ' ')), HasSubstr("limit of 4194304"));
}

/// Searching the keys before each new one would take minutes.
TEST(ParseJson, ReadsManyKeysInLinearTime) {
  std::string text = "{";
  for (int number = 0; number < 300'000; ++number) {
    text += "\"" + std::to_string(number) + "\":1,";
  }
  text.back() = '}';
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(parse_json(text, "info").size(), 300'000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

class JsonViewTest : public ::testing::Test {
 protected:
  Json json_ = parse_json(R"({"text":"t","yes":true,"number":-5,"size":9,"huge":18446744073709551615,"real":1.5,
      "nothing":null,"list":["a","b"],"mixed":["a",1],"object":{"k":"v","j":{"deep":1}}})",
                          "config.json");
  JsonView view_{json_, "config.json"};

  template <typename Work>
  std::string refusal_of(Work work) {
    const Error error = error_of([&] { work(view_); });
    EXPECT_EQ(error.kind(), ErrorKind::verification);
    return error.message();
  }
};

TEST_F(JsonViewTest, FindsMembers) {
  EXPECT_TRUE(view_.has("text"));
  EXPECT_FALSE(view_.has("nothing"));
  EXPECT_FALSE(view_.has("absent"));
  EXPECT_FALSE(view_.find("nothing"));
  EXPECT_EQ(view_.find("text")->as_string(), "t");
  EXPECT_EQ(view_.at("object").at("j").at("deep").place(), "config.json: object.j.deep");
  EXPECT_EQ(view_.place(), "config.json");
}

TEST_F(JsonViewTest, NamesAMissingKey) {
  EXPECT_EQ(refusal_of([](const JsonView& view) { return view.at("absent"); }),
            "config.json: the key 'absent' is missing");
  EXPECT_EQ(refusal_of([](const JsonView& view) { return view.at("object").at("x"); }),
            "config.json: object: the key 'x' is missing");
  EXPECT_EQ(refusal_of([](const JsonView& view) { return view.at("nothing"); }),
            "config.json: the key 'nothing' is missing");
}

TEST_F(JsonViewTest, ReturnsValues) {
  EXPECT_TRUE(view_.at("yes").as_bool());
  EXPECT_EQ(view_.at("number").as_integer(), -5);
  EXPECT_EQ(view_.at("size").as_size(), 9);
  EXPECT_THAT(view_.at("list").as_strings(), ElementsAre("a", "b"));
  const auto members = view_.at("object").as_object();
  ASSERT_EQ(members.size(), 2U);
  EXPECT_EQ(members[0].first, "k");
  EXPECT_EQ(members[1].second.place(), "config.json: object.j");
}

TEST_F(JsonViewTest, NamesThePathOfAWrongType) {
  const auto wrong = [this](const char* key, auto get) {
    return refusal_of([&](const JsonView& view) { get(view.at(key)); });
  };
  EXPECT_EQ(wrong("number", [](const JsonView& v) { return v.as_string(); }),
            "config.json: number: expected a string, found a number");
  EXPECT_EQ(wrong("text", [](const JsonView& v) { return v.as_bool(); }),
            "config.json: text: expected a boolean, found a string");
  EXPECT_EQ(wrong("real", [](const JsonView& v) { return v.as_integer(); }),
            "config.json: real: expected an integer, found a number");
  EXPECT_EQ(wrong("object", [](const JsonView& v) { return v.as_array(); }),
            "config.json: object: expected an array, found an object");
  EXPECT_EQ(wrong("list", [](const JsonView& v) { return v.as_object(); }),
            "config.json: list: expected an object, found an array");
  EXPECT_EQ(wrong("yes", [](const JsonView& v) { return v.at("x"); }),
            "config.json: yes: expected an object, found a boolean");
  EXPECT_EQ(wrong("mixed", [](const JsonView& v) { return v.as_strings(); }),
            "config.json: mixed[1]: expected a string, found a number");
}

TEST_F(JsonViewTest, RefusesNumbersOutOfRange) {
  EXPECT_THAT(refusal_of([](const JsonView& view) { return view.at("huge").as_integer(); }), HasSubstr("63 bits"));
  EXPECT_THAT(refusal_of([](const JsonView& view) { return view.at("number").as_size(); }), HasSubstr("negative"));
}

TEST_F(JsonViewTest, ReturnsDefaults) {
  EXPECT_EQ(view_.string_or("text", "d"), "t");
  EXPECT_EQ(view_.string_or("absent", "d"), "d");
  EXPECT_EQ(view_.string_or("nothing", "d"), "d");
  EXPECT_TRUE(view_.bool_or("yes", false));
  EXPECT_TRUE(view_.bool_or("absent", true));
  EXPECT_THAT(view_.strings_or_empty("list"), ElementsAre("a", "b"));
  EXPECT_THAT(view_.strings_or_empty("absent"), IsEmpty());
  EXPECT_THROW(static_cast<void>(view_.string_or("list", "d")), Error) << "a wrong kind is no absence";
}

TEST_F(JsonViewTest, TreatsNullAsAbsent) {
  const Json null = nullptr;
  const JsonView view(null, "x");
  EXPECT_EQ(error_of([&] { return view.as_string(); }).message(), "x: expected a string, found null");
}

}  // namespace
}  // namespace berth::base
