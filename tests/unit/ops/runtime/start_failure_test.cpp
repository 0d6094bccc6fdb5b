// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/start_failure.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/json.hpp"
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
    return start_failure_code("/", config_, process);
  }

  base::test::TempDirectory directory_;
  base::Json config_ = {{"root", {{"path", directory_.path()}}}};
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
  EXPECT_EQ(start_failure_code("/", config_, base::Json::object()), 125);
  config_["root"]["path"] = path("absent");
  EXPECT_EQ(code("/bin/good"), 125);
}

TEST_F(StartFailureTest, ARelativeRootIsBelowTheBundle) {
  config_["root"]["path"] = "bin";
  const base::Json process = {{"args", {"/missing"}}};
  EXPECT_EQ(start_failure_code(directory_.path(), config_, process), 127);
}

TEST_F(StartFailureTest, BindMountsAreSearchedAndOtherMountsAreNotGuessed) {
  config_["mounts"] = {{{"destination", "/data"}, {"type", "bind"}, {"source", path("bin")}},
                       {{"destination", "/run"}, {"type", "tmpfs"}, {"source", "tmpfs"}},
                       {{"destination", "/file"}, {"source", path("bin/good")}, {"options", {"rbind", "ro"}}}};
  EXPECT_EQ(code("/data/good"), 125);
  EXPECT_EQ(code("/data/plain"), 126);
  EXPECT_EQ(code("/data/missing"), 127);
  EXPECT_EQ(code("/file"), 125);
  EXPECT_EQ(code("/run/anything"), 125);
}

}  // namespace
}  // namespace berth::ops
