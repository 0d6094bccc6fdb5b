// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cli/options/parsed.hpp"

namespace berth::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Redirects standard input to a file during its lifetime.
class StandardInput {
 public:
  explicit StandardInput(const std::string& path) : before_(::dup(STDIN_FILENO)) {
    const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ::dup2(file.get(), STDIN_FILENO);
  }
  StandardInput(const StandardInput&) = delete;
  StandardInput& operator=(const StandardInput&) = delete;
  ~StandardInput() { ::dup2(before_.get(), STDIN_FILENO); }

 private:
  base::Fd before_;
};

class SetFile : public ::testing::Test {
 protected:
  std::string file(const std::string& content) {
    const auto path = ::testing::TempDir() + "/berth-set-file-" + std::to_string(::getpid());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  /// Values of `--set B=1` and of --set-file for each of `files`.
  static std::vector<std::string> read(const std::vector<std::string>& files) { return read_values({{"B=1"}, files}); }

  static base::Error refusal(const std::vector<std::string>& files) {
    try {
      read(files);
    } catch (const base::Error& error) {
      return error;
    }
    return {base::ErrorKind::failed, "read"};
  }
};

TEST_F(SetFile, FollowsTheValuesOfSet) {
  EXPECT_THAT(read({"A=" + file("s3cret\n")}), ElementsAre("B=1", "A=s3cret"));
}

TEST_F(SetFile, IsAnOptionOfTheVerbsWithSet) {
  for (const char* verb : {"install", "update", "run", "lint", "render"}) {
    Parsed parsed;
    parsed.app.parse(std::string(verb) + " --set A=1 --set-file C=/f x", false);
    EXPECT_THAT(parsed.line.set.assignments, ElementsAre("A=1"));
    EXPECT_THAT(parsed.line.set.files, ElementsAre("C=/f"));
  }
}

TEST_F(SetFile, LeavesOutOneLineBreakAtTheEnd) {
  EXPECT_THAT(read({"A=" + file("one\ntwo\n\n")}), ElementsAre("B=1", "A=one\ntwo\n"));
}

TEST_F(SetFile, ReadsStandardInput) {
  const StandardInput input(file("piped=value\n"));
  EXPECT_THAT(read({"A=-"}), ElementsAre("B=1", "A=piped=value"));
}

TEST_F(SetFile, FollowsLinks) {
  const auto path = file("x") + ".link";
  ::unlink(path.c_str());
  ASSERT_EQ(::symlink(file("target").c_str(), path.c_str()), 0);
  EXPECT_THAT(read({"A=" + path}), ElementsAre("B=1", "A=target"));
  ::unlink(path.c_str());
}

TEST_F(SetFile, RefusesASecondValueOfAVariable) {
  EXPECT_THAT(refusal({"B=" + file("x")}).what(), HasSubstr("--set-file B=…: the variable already has a value"));
}

TEST_F(SetFile, RefusesStandardInputForTwoVariables) {
  const StandardInput input("/dev/null");
  const auto error = refusal({"C=-", "D=-"});
  EXPECT_EQ(error.kind(), base::ErrorKind::usage);
  EXPECT_THAT(error.what(), HasSubstr("standard input is already the value of another variable"));
}

TEST_F(SetFile, RefusesWordsWithoutAnEqualsSign) {
  EXPECT_THAT(refusal({"A"}).what(), HasSubstr("--set-file A: "));
  EXPECT_EQ(refusal({"A"}).kind(), base::ErrorKind::usage);
}

TEST_F(SetFile, RefusesVariablesThatBerthSets) {
  EXPECT_THAT(refusal({"NAME=/dev/null"}).what(), HasSubstr("--set-file NAME=…: "));
}

TEST_F(SetFile, ReportsAFileThatDoesNotExist) {
  EXPECT_EQ(refusal({"A=/no/such/file"}).kind(), base::ErrorKind::not_found);
}

TEST_F(SetFile, ReportsADirectory) {
  EXPECT_THAT(refusal({"A=/etc"}).what(), HasSubstr("--set-file A=/etc: cannot read /etc: Is a directory"));
}

TEST_F(SetFile, LimitsTheSizeOfAFile) {
  EXPECT_EQ(read({"A=" + file(std::string(65536, 'x'))}).back().size(), 65538U);
  const auto error = refusal({"A=" + file(std::string(65537, 'x'))});
  EXPECT_THAT(error.what(), HasSubstr("limit of 65536 bytes"));
  EXPECT_THAT(error.hint(), HasSubstr("bind the file"));
}

}  // namespace
}  // namespace berth::cli
