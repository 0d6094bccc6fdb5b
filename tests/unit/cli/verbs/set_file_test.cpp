#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Standard input from a file, for as long as it lives.
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
  SetFile() { build(app_, line_); }

  std::string file(const std::string& content) {
    const auto path = ::testing::TempDir() + "/berth-set-file-" + std::to_string(::getpid());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  void read(const std::string& verb, const std::vector<std::string>& options) {
    std::vector<std::string> words{"x"};  // back to front
    words.insert(words.end(), options.rbegin(), options.rend());
    words.push_back(verb);
    app_.parse(words);
    read_set_files(line_);
  }
  base::Error refusal(const std::string& text) {
    try {
      read("install", {"--set=B=1", "--set-file", text});
    } catch (const base::Error& error) {
      return error;
    }
    return {base::ErrorKind::failed, "read"};
  }

  CLI::App app_;
  CommandLine line_;
};

TEST_F(SetFile, AddsToWhatSetGaveInTheRequestOfTheVerb) {
  read("install", {"--set=B=1", "--set-file", "A=" + file("s3cret\n")});
  EXPECT_THAT(line_.install.set, ElementsAre("B=1", "A=s3cret"));
  line_.set_files.clear();
  read("update", {"--set-file=A=" + file("x")});
  EXPECT_THAT(line_.update.set, ElementsAre("A=x"));
  line_.set_files.clear();
  line_.install.set.clear();
  read("run", {"--set-file=A=" + file("y")});
  EXPECT_THAT(line_.install.set, ElementsAre("A=y"));
}

TEST_F(SetFile, LeavesOutOneLineBreakAtTheEnd) {
  read("install", {"--set-file", "A=" + file("one\ntwo\n\n")});
  EXPECT_THAT(line_.install.set, ElementsAre("A=one\ntwo\n"));
}

TEST_F(SetFile, ReadsStandardInput) {
  const StandardInput input(file("piped=value\n"));
  read("install", {"--set-file", "A=-"});
  EXPECT_THAT(line_.install.set, ElementsAre("A=piped=value"));
}

TEST_F(SetFile, ReadsThroughLinksAndFromPipes) {
  const auto path = file("x") + ".link";
  ::unlink(path.c_str());
  ASSERT_EQ(::symlink(file("behind").c_str(), path.c_str()), 0);
  read("install", {"--set-file", "A=" + path});
  EXPECT_THAT(line_.install.set, ElementsAre("A=behind"));
  ::unlink(path.c_str());
}

TEST_F(SetFile, RefusesTwoValuesOfOneVariableAndOneStreamForTwo) {
  EXPECT_THAT(refusal("B=" + file("x")).what(), HasSubstr("--set-file B=…: the variable has a value already"));
  line_.set_files = {"C=-", "D=-"};
  const StandardInput input("/dev/null");
  try {
    read_set_files(line_);
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("standard input is another variable's value already"));
  }
}

TEST_F(SetFile, RefusesWhatIsNoAssignment) {
  EXPECT_THAT(refusal("A").what(), HasSubstr("--set-file A: there is no `=`"));
  EXPECT_EQ(refusal("A").kind(), base::ErrorKind::usage);
}

TEST_F(SetFile, RefusesForcedVariables) {
  EXPECT_THAT(refusal("NAME=/dev/null").what(), HasSubstr("--set-file NAME=…: berth itself sets this variable"));
}

TEST_F(SetFile, NamesTheFileThatCannotBeRead) {
  EXPECT_EQ(refusal("A=/no/such/file").kind(), base::ErrorKind::not_found);
}

TEST_F(SetFile, NamesTheFileThatIsNone) {
  EXPECT_THAT(refusal("A=/etc").what(), HasSubstr("--set-file A=/etc: cannot read /etc: Is a directory"));
}

TEST_F(SetFile, HasALimit) {
  read("install", {"--set-file", "A=" + file(std::string(65536, 'x'))});
  EXPECT_EQ(line_.install.set.front().size(), 65538U);
  line_.install.set.clear();
  const auto error = refusal("A=" + file(std::string(65537, 'x')));
  EXPECT_THAT(error.what(), HasSubstr("limit of 65536 bytes"));
  EXPECT_THAT(error.hint(), HasSubstr("bind the file"));
}

}  // namespace
}  // namespace berth::cli
