// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gmock/gmock.h>

#include "host/machine/facts.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::HasSubstr;

class RuntimeTest : public ::testing::Test {
 protected:
  [[nodiscard]] Runtime find(const std::string& wanted, const std::vector<std::string>& candidates = {}) const {
    return find_runtime(layout_in(root_), wanted, candidates);
  }
  [[nodiscard]] Runtime find_on_host(const std::string& wanted) const {
    return find_runtime(Layout(LayoutSettings{}), wanted, {});
  }

  Scratch root_;
};

TEST_F(RuntimeTest, ChoosesTheFirstInstalledCandidate) {
  root_.file("usr/bin/crun", "", 0755);
  EXPECT_EQ("/usr/bin/crun", find("", {"runc", "crun"}).path);
  root_.file("usr/sbin/runc", "", 0755);
  const Runtime runtime = find("", {"runc", "crun"});
  EXPECT_EQ("/usr/sbin/runc", runtime.path);
  EXPECT_EQ("", runtime.version);
  EXPECT_TRUE(runtime.has_pid_file);
}

TEST_F(RuntimeTest, PrefersUsrLocal) {
  root_.file("usr/bin/runc", "", 0755);
  root_.file("usr/local/bin/runc", "", 0755);
  EXPECT_EQ("/usr/local/bin/runc", find("runc").path);
}

TEST_F(RuntimeTest, LinksStayInsideTheRoot) {
  root_.file("usr/libexec/runc-1", "", 0755);
  root_.link("bin", "usr/bin");
  root_.link("usr/bin/runc", "/usr/libexec/runc-1");
  EXPECT_EQ("/usr/bin/runc", find("runc").path);
  EXPECT_EQ("/bin/runc", find("/bin/runc").path);
  root_.link("usr/bin/outside", std::string(root_.at("usr/libexec/runc-1")));  // leads out of the root
  EXPECT_EQ(base::ErrorKind::not_found, error_of([&] { (void)find("outside"); }).kind());
}

TEST_F(RuntimeTest, NamesAMissingRuntime) {
  const base::Error error = error_of([&] { (void)find("krun"); });
  EXPECT_EQ(base::ErrorKind::not_found, error.kind());
  EXPECT_EQ("The runtime krun is not installed", error.message());
  EXPECT_EQ("The runtime /opt/krun is not installed", error_of([&] { (void)find("/opt/krun"); }).message());
  EXPECT_EQ("The runtime runc or crun is not installed", error_of([&] { (void)find("", {"runc", "crun"}); }).message());
  EXPECT_EQ(base::ErrorKind::usage, error_of([&] { (void)find("./runc"); }).kind());
}

TEST_F(RuntimeTest, RefusesAFileThatIsNotExecutable) {
  root_.file("usr/bin/runc", "", 0644);
  root_.directory("opt/directory");
  const base::Error error = error_of([&] { (void)find("runc"); });
  EXPECT_EQ(base::ErrorKind::not_permitted, error.kind());
  EXPECT_EQ("The runtime /usr/bin/runc is not an executable file", error.message());
  EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { (void)find("/opt/directory"); }).kind());
  root_.file("usr/bin/crun", "", 0755);
  EXPECT_EQ("/usr/bin/crun", find("", {"runc", "crun"}).path);
}

TEST_F(RuntimeTest, QueriesTheRuntimeOfTheRunningHost) {
  root_.file(
      "modern",
      "#!/bin/sh\ncase $1 in --version) echo 'runx version 1.2.3'; echo more;; *) echo ' --pid-file FILE';; esac\n",
      0755);
  const Runtime modern = find_on_host(root_.at("modern"));
  EXPECT_EQ("runx 1.2.3", modern.version);
  EXPECT_TRUE(modern.has_pid_file);
  root_.file("ancient", "#!/bin/sh\nexit 1\n", 0755);
  const Runtime ancient = find_on_host(root_.at("ancient"));
  EXPECT_EQ("", ancient.version);
  EXPECT_FALSE(ancient.has_pid_file);
  root_.file("plain", "#!/bin/sh\necho 3.0\n", 0755);
  EXPECT_EQ("3.0", find_on_host(root_.at("plain")).version);
}

TEST_F(RuntimeTest, RefusesARuntimeThatIsTooOld) {
  root_.file("old", "#!/bin/sh\necho 'runc version 1.0.0-rc10'\n", 0755);
  const base::Error error = error_of([&] { (void)find_on_host(root_.at("old")); });
  EXPECT_EQ(base::ErrorKind::failed, error.kind());
  EXPECT_EQ("The runtime " + root_.at("old") + " is too old: it is runc 1.0.0-rc10, and berth needs 1.0.0 or newer",
            error.message());
  EXPECT_THAT(error.hint(), HasSubstr("--runtime"));
}

TEST_F(RuntimeTest, RefusesARootfulOnlyRuntimeInUserMode) {
  LayoutSettings settings;
  settings.user = UserDirectories{"alice", 1000, "/home/alice", "/data", "/conf", "/run/user/1000"};
  const Layout users(settings);
  const std::string begin = "#!/bin/sh\n[ \"$1\" = features ] && echo '";
  root_.file("rootful", begin + R"({"linux": {"namespaces": ["pid", "mount"]}})" + "'\n", 0755);
  const base::Error error = error_of([&] { (void)find_runtime(users, root_.at("rootful"), {}); });
  EXPECT_EQ(base::ErrorKind::failed, error.kind());
  EXPECT_EQ(
      "The runtime " + root_.at("rootful") + " cannot run rootless containers: it does not support user namespaces",
      error.message());
  EXPECT_THAT(error.hint(), HasSubstr("--runtime"));
  EXPECT_EQ(root_.at("rootful"), find_on_host(root_.at("rootful")).path);
  root_.file("rootless", begin + R"({"linux": {"namespaces": ["pid", "user"]}})" + "'\n", 0755);
  root_.file("vague", begin + R"({"linux": {}})" + "'\n", 0755);
  root_.file("other", begin + "42 features'\n", 0755);
  root_.file("silent", "#!/bin/sh\nexit 1\n", 0755);
  for (const std::string name : {"rootless", "vague", "other", "silent"}) {
    EXPECT_EQ(root_.at(name), find_runtime(users, root_.at(name), {}).path);
  }
}

TEST_F(RuntimeTest, QueriesWhetherAContainerExists) {
  root_.file("runx", "#!/bin/sh\n[ \"$1 $2\" = 'state taken' ]\n", 0755);
  Runtime runtime;
  runtime.path = root_.at("runx");
  EXPECT_TRUE(runtime_knows(runtime, "taken"));
  EXPECT_FALSE(runtime_knows(runtime, "free"));
}

TEST_F(RuntimeTest, NamesAFileThatCannotBeRun) {
  root_.file("broken", "\177ELF and nothing more", 0755);
  EXPECT_THAT(error_of([&] { (void)find_on_host(root_.at("broken")); }).what(),
              HasSubstr("querying the version of the runtime " + root_.at("broken")));
}

}  // namespace
}  // namespace berth::host::testing
