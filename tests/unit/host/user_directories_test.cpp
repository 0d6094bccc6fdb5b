// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/user_directories.hpp"

#include <gmock/gmock.h>

#include <map>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::HasSubstr;

constexpr unsigned nobody_has_it = 3'000'000'123U;

/// The directories with these environment variables.
UserDirectories directories_with(const std::map<std::string, std::string>& variables, unsigned uid = nobody_has_it) {
  return user_directories(uid, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

TEST(UserDirectories, HaveTheDefaultsOfTheSpecification) {
  const auto directories = directories_with({{"HOME", "/home/alice"}});
  EXPECT_EQ("3000000123", directories.name);
  EXPECT_EQ("/home/alice", directories.home);
  EXPECT_EQ("/home/alice/.local/share", directories.data);
  EXPECT_EQ("/home/alice/.config", directories.config);
  EXPECT_EQ("/run/user/3000000123", directories.runtime);
}

TEST(UserDirectories, VariablesOverrideThem) {
  const auto directories =
      directories_with({{"HOME", "/h"}, {"XDG_DATA_HOME", "/d"}, {"XDG_CONFIG_HOME", "/c"}, {"XDG_RUNTIME_DIR", "/r"}});
  EXPECT_EQ("/d", directories.data);
  EXPECT_EQ("/c", directories.config);
  EXPECT_EQ("/r", directories.runtime);
}

TEST(UserDirectories, NameAndHomeAreThoseOfPasswd) {
  const auto directories = directories_with({}, 0);
  EXPECT_EQ("root", directories.name);
  EXPECT_EQ("/root", directories.home);
}

TEST(UserDirectories, RefusesAUserWithoutAHomeDirectory) {
  const auto error = error_of([] { directories_with({}); });
  EXPECT_EQ(base::ErrorKind::usage, error.kind());
  EXPECT_THAT(error.hint(), HasSubstr("HOME"));
}

TEST(UserDirectories, NamesARelativePath) {
  for (const char* name : {"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"}) {
    std::map<std::string, std::string> variables = {{"HOME", "/h"}};
    variables[name] = "relative";
    const auto error = error_of([&] { directories_with(variables); });
    EXPECT_EQ(base::ErrorKind::usage, error.kind()) << name;
    EXPECT_THAT(error.message(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace berth::host::testing
