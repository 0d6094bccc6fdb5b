#include "host/user_directories.hpp"

#include <gmock/gmock.h>

#include <map>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::HasSubstr;

constexpr unsigned nobody_has_it = 3'000'000'123U;

/// The folders with these environment variables.
UserFolders folders_with(const std::map<std::string, std::string>& variables, unsigned uid = nobody_has_it) {
  return user_folders(uid, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

TEST(UserFolders, HaveTheDefaultsOfTheSpecification) {
  const auto folders = folders_with({{"HOME", "/home/alice"}});
  EXPECT_EQ("3000000123", folders.name);
  EXPECT_EQ("/home/alice", folders.home);
  EXPECT_EQ("/home/alice/.local/share", folders.data);
  EXPECT_EQ("/home/alice/.config", folders.config);
  EXPECT_EQ("/run/user/3000000123", folders.runtime);
}

TEST(UserFolders, VariablesMoveThem) {
  const auto folders =
      folders_with({{"HOME", "/h"}, {"XDG_DATA_HOME", "/d"}, {"XDG_CONFIG_HOME", "/c"}, {"XDG_RUNTIME_DIR", "/r"}});
  EXPECT_EQ("/d", folders.data);
  EXPECT_EQ("/c", folders.config);
  EXPECT_EQ("/r", folders.runtime);
}

TEST(UserFolders, NameAndHomeAreThoseOfPasswd) {
  const auto folders = folders_with({}, 0);
  EXPECT_EQ("root", folders.name);
  EXPECT_EQ("/root", folders.home);
}

TEST(UserFolders, AUserWithoutHomeIsTold) {
  const auto error = error_of([] { folders_with({}); });
  EXPECT_EQ(base::ErrorKind::usage, error.kind());
  EXPECT_THAT(error.hint(), HasSubstr("HOME"));
}

TEST(UserFolders, ARelativePathIsNamed) {
  for (const char* name : {"HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"}) {
    std::map<std::string, std::string> variables = {{"HOME", "/h"}};
    variables[name] = "relative";
    const auto error = error_of([&] { folders_with(variables); });
    EXPECT_EQ(base::ErrorKind::usage, error.kind()) << name;
    EXPECT_THAT(error.sentence(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace berth::host::testing
