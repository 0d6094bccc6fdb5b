// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/state/lock.hpp"

#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "host/fake_systemd.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LockTest : public ::testing::Test {
 protected:
  LockTest() : layout_(layout_in(root_)) {}

  ContainerLock take(const std::string& name, std::chrono::seconds timeout = 0s, const std::stop_token& stop = {}) {
    return ContainerLock::take(layout_, name, "berth test", timeout, reporter_, stop);
  }

  static constexpr const char* directory_ = "var/lib/containers/berth/.locks";
  Scratch root_;
  Layout layout_;
  RecordingReporter reporter_;
};

TEST_F(LockTest, TheFileNamesTheHolder) {
  const ContainerLock lock = take("web");
  const std::string file = std::string(directory_) + "/web";
  EXPECT_EQ(std::to_string(::getpid()) + " berth test\n", root_.text(file));
  EXPECT_EQ(0600U, root_.status(file).st_mode & 07777U);
  EXPECT_EQ(0700U, root_.status(directory_).st_mode & 07777U);
}

TEST_F(LockTest, LeavesNothingBehind) {
  const std::string before = root_.listing();
  { const ContainerLock lock = take("web"); }
  EXPECT_EQ(before, root_.listing());
}

TEST_F(LockTest, KeepsDirectoriesWithContent) {
  {
    const ContainerLock lock = take("web");
    root_.directory("var/lib/containers/berth/web.0");
  }
  EXPECT_TRUE(root_.has("var/lib/containers/berth/web.0"));
  EXPECT_FALSE(root_.has(directory_));
}

TEST_F(LockTest, NamesAPathThatIsInTheWay) {
  root_.directory("var/lib/containers/berth");
  const auto refused = [&](const std::string& path) {
    const auto error = error_of([&] { take("web"); });
    EXPECT_EQ(base::ErrorKind::conflict, error.kind()) << error.what();
    EXPECT_THAT(error.message(), HasSubstr(path + " is in the way"));
    EXPECT_THAT(error.hint(), HasSubstr("rm -r "));
  };
  const std::string file = std::string(directory_) + "/web";
  root_.directory(file);
  refused(file);
  ASSERT_EQ(0, ::rmdir(root_.at(file).c_str()));
  ASSERT_EQ(0, ::mkfifo(root_.at(file).c_str(), 0600));
  refused(file);
  ASSERT_EQ(0, ::unlink(root_.at(file).c_str()));
  ASSERT_EQ(0, ::symlink("/nowhere", root_.at(file).c_str()));
  refused(file);
  ASSERT_EQ(0, ::unlink(root_.at(file).c_str()));
  ASSERT_EQ(0, ::rmdir(root_.at(directory_).c_str()));
  root_.file(directory_, "");
  refused(directory_);
}

TEST_F(LockTest, OtherContainersAreFree) {
  const ContainerLock web = take("web");
  {
    const ContainerLock api = take("api");
    EXPECT_TRUE(root_.has(std::string(directory_) + "/api"));
  }
  EXPECT_TRUE(root_.has(std::string(directory_) + "/web"));
}

TEST_F(LockTest, TimeoutNamesTheHolder) {
  const ContainerLock lock = take("web");
  const base::Error error = error_of([&] { take("web", 0s); });
  EXPECT_EQ(base::ErrorKind::conflict, error.kind());
  EXPECT_THAT(error.message(), HasSubstr("berth test (pid " + std::to_string(::getpid()) + ") works on web"));
  EXPECT_THAT(error.hint(), HasSubstr("ps -p " + std::to_string(::getpid())));
}

TEST_F(LockTest, AHolderMayBeUnknown) {
  root_.file(std::string(directory_) + "/web", "");
  const base::Fd other = base::open_at(AT_FDCWD, root_.at(std::string(directory_) + "/web"), O_RDWR);
  ASSERT_EQ(0, ::flock(other.get(), LOCK_EX));
  EXPECT_THAT(error_of([&] { take("web"); }).message(), HasSubstr("another berth command works on web"));
}

TEST_F(LockTest, IgnoresAFileWithoutAHolder) {
  root_.file(std::string(directory_) + "/web", "1 berth killed, with a rather long command\n");
  const ContainerLock lock = take("web");
  EXPECT_EQ(std::to_string(::getpid()) + " berth test\n", root_.text(std::string(directory_) + "/web"));
}

/// Records steps, and calls a function at each of them.
class PromptReporter final : public base::Reporter {
 public:
  explicit PromptReporter(std::function<void()> act) : act_(std::move(act)) {}
  void step(std::string_view message) override {
    steps.emplace_back(message);
    act_();
  }
  void progress(const base::Progress& /*progress*/) override {}
  void warning(std::string_view /*message*/) override {}

  std::vector<std::string> steps;

 private:
  std::function<void()> act_;
};

TEST_F(LockTest, ReportsTheWaitOnce) {
  auto held = std::make_unique<ContainerLock>(take("web"));
  std::jthread release;
  PromptReporter reporter([&] {
    release = std::jthread([&] {
      std::this_thread::sleep_for(200ms);
      held.reset();
    });
  });
  const auto lock = ContainerLock::take(layout_, "web", "berth test", 60s, reporter, {});
  EXPECT_THAT(reporter.steps,
              ElementsAre("waiting for berth test (pid " + std::to_string(::getpid()) + "), which works on web"));
  EXPECT_TRUE(root_.has(std::string(directory_) + "/web"));
}

TEST_F(LockTest, AStopRequestEndsTheWait) {
  const ContainerLock held = take("web");
  std::stop_source source;
  PromptReporter reporter([&source] { source.request_stop(); });
  const auto wait = [&] { ContainerLock::take(layout_, "web", "berth test", 60s, reporter, source.get_token()); };
  EXPECT_THROW(wait(), base::Interrupted);
  EXPECT_EQ(reporter.steps.size(), 1U);
}

TEST_F(LockTest, TheKernelReleasesTheLockOfADeadProcess) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const ContainerLock lock = take("web");
    ::_exit(0);  // no destructor runs
  }
  int status = 0;
  ASSERT_EQ(child, ::waitpid(child, &status, 0));
  EXPECT_THAT(root_.text(std::string(directory_) + "/web"), HasSubstr(std::to_string(child)));
  EXPECT_NO_THROW(take("web"));
}

TEST_F(LockTest, NamesAReadOnlyDirectory) {
  root_.file("var/lib/containers/berth", "a file, where a directory should be");
  EXPECT_THAT(error_of([&] { take("web"); }).what(), HasSubstr("berth"));
}

TEST_F(LockTest, NeverHasTwoHolders) {
  std::atomic<int> holders = 0;
  std::atomic<int> mistakes = 0;
  std::atomic<int> taken = 0;
  std::vector<std::jthread> threads;
  for (int index = 0; index < 4; ++index) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        RecordingReporter reporter;
        const ContainerLock lock = ContainerLock::take(layout_, "web", "berth test", 60s, reporter, {});
        mistakes += holders.fetch_add(1) == 0 ? 0 : 1;
        std::this_thread::sleep_for(1ms);
        holders.fetch_sub(1);
        ++taken;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(0, mistakes);
  EXPECT_EQ(40, taken);
  EXPECT_FALSE(root_.has(directory_));
}

}  // namespace
}  // namespace berth::host::testing
