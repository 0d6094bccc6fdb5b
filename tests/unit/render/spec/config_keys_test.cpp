// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_keys.hpp"

#include "base/json.hpp"
#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::HasSubstr;

TEST(ConfigKeys, RefusesKeysThatSomeRuntimesTakeForOthers) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"({"Hooks": {"prestart": []}})", "the key `Hooks` for `hooks`"},
      {R"({"hook\u017f": {}})", "for `hooks`"},
      {R"({"linu\u0078": {}, "\u006dountS": []})", "for `mounts`"},
      {R"({"linux": {"maS\u212AedPaths": []}})", "for `maskedPaths`"},
      {R"({"mounts": [{"destination": "/d", "Source": "/"}]})", "mounts[0]"},
      {R"({"process": {"capabilities": {"Bounding": []}}})", "process.capabilities"}};
  for (const auto& [document, reason] : cases) {
    const auto error = error_of([&, text = document] { check_keys(base::parse_json(text, "c"), "c"); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << document;
    EXPECT_THAT(error.message(), HasSubstr(reason));
    EXPECT_THAT(error.hint(), HasSubstr("or leave it out"));
  }
  EXPECT_NO_THROW(check_keys(
      base::parse_json(R"({"annotations": {"Path": "x"}, "other": {"Else": 1}, "linux": {"sysctl": {"Type": "1"},
      "resources": {"memory": {"disableOOMKiller": true, "swappiness": 1}}}})",
                       "c"),
      "c"));
}

}  // namespace
}  // namespace berth::render
