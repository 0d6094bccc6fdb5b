#include "ops/runtime/start_failure.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

namespace fs = std::filesystem;

class StartFailureTest : public ::testing::Test {
 protected:
  StartFailureTest() {
    write("bin/good", 0755);
    write("bin/plain", 0644);
    write("opt/good", 0711);
    write("opt/root-only", 0700);
    fs::create_symlink("/bin/good", path("bin/link"));
    fs::create_symlink("/bin/missing", path("bin/dangling"));
  }

  [[nodiscard]] std::string path(const std::string& inside) const { return directory_.path() + "/" + inside; }

  void write(const std::string& inside, unsigned mode) const {
    fs::create_directories(fs::path(path(inside)).parent_path());
    std::ofstream(path(inside)) << "#!/bin/sh\n";
    fs::permissions(path(inside), fs::perms{mode});
  }

  [[nodiscard]] int code(const std::string& program, base::Json process = base::Json::object()) const {
    process["args"] = {program};
    return start_failure_code(directory_.path(), process);
  }

  base::test::TempDirectory directory_;
};

TEST_F(StartFailureTest, AProgramThatDoesNotExist) {
  EXPECT_EQ(code("/bin/missing"), 127);
  EXPECT_EQ(code("/bin/dangling"), 127);
  EXPECT_EQ(code("missing"), 127);
  EXPECT_EQ(code("opt/missing"), 127);
}

TEST_F(StartFailureTest, AFileThatCannotBeExecuted) {
  EXPECT_EQ(code("/bin/plain"), 126);
  EXPECT_EQ(code("plain"), 126);
  EXPECT_EQ(code("/bin"), 126);
  EXPECT_EQ(code("/opt/root-only", {{"user", {{"uid", 1000}, {"gid", 1000}}}}), 126);
}

TEST_F(StartFailureTest, AProgramThatIsThereHasAnotherReason) {
  for (const char* program : {"/bin/good", "/bin/link", "good", "opt/good", "/opt/root-only"}) {
    EXPECT_EQ(code(program), 125) << program;
  }
  EXPECT_EQ(code("/opt/good", {{"user", {{"uid", 1000}, {"gid", 1000}}}}), 125);
}

TEST_F(StartFailureTest, ThePathAndTheDirectoryOfTheProcessHold) {
  EXPECT_EQ(code("good", {{"env", {"PATH=/opt"}}}), 125);
  EXPECT_EQ(code("good", {{"env", {"PATH=/srv:/usr"}}}), 127);
  EXPECT_EQ(code("./good", {{"cwd", "/opt"}}), 125);
  EXPECT_EQ(code("./good", {{"cwd", "/srv"}}), 127);
}

TEST_F(StartFailureTest, WhatCannotBeReadIsNotGuessed) {
  EXPECT_EQ(start_failure_code(path("absent"), {{"args", {"/bin/good"}}}), 125);
  EXPECT_EQ(start_failure_code(directory_.path(), base::Json::object()), 125);
}

}  // namespace
}  // namespace berth::ops
