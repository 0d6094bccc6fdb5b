// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/config/atomic_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/error.hpp"
#include "base/temp_directory.hpp"

namespace berth::host {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::HasSubstr;

class AtomicTool : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(directory_ / "etc/atomic.conf") << text; }
  [[nodiscard]] AtomicSettings read(const std::map<std::string, std::string>& environment = {}) const {
    return read_atomic_settings(directory_ / "", [&](const char* name) {
      const auto found = environment.find(name);
      return found == environment.end() ? std::string() : found->second;
    });
  }
  void SetUp() override { std::filesystem::create_directories(directory_ / "etc"); }

  base::test::TempDirectory directory_;
};

TEST_F(AtomicTool, AMissingFileSetsNothing) {
  const auto settings = read();
  EXPECT_EQ(settings.deployments, "");
  EXPECT_EQ(settings.repository, "");
}

TEST_F(AtomicTool, ReadsTheKeysThatBerthUses) {
  write("default_storage: ostree\ncheckout_path: /srv/a\nostree_repository: /srv/b\nruntime: /bin/crun\nother: [1]\n");
  const auto settings = read();
  EXPECT_EQ(settings.deployments, "/srv/a");
  EXPECT_EQ(settings.repository, "/srv/b");
  EXPECT_EQ(settings.runtime, "/bin/crun");
  EXPECT_EQ(settings.storage, "ostree");
}

TEST_F(AtomicTool, AnEmptyFileAndEmptyKeysSetNothing) {
  write("");
  EXPECT_EQ(read().deployments, "");
  write("checkout_path:\n");
  EXPECT_EQ(read().deployments, "");
}

TEST_F(AtomicTool, InvalidFilesAreNamed) {
  for (const std::string text : {"just words\n", "checkout_path: [a]\n", "a: b: c\n"}) {
    write(text);
    const auto error = error_of([&] { static_cast<void>(read()); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("etc/atomic.conf")) << text;
  }
}

TEST_F(AtomicTool, ReadsAnotherFile) {
  std::ofstream(directory_ / "mine.yaml") << "runtime: crun\n";
  EXPECT_EQ(read({{"ATOMIC_CONF", directory_ / "mine.yaml"}}).runtime, "crun");
}

TEST_F(AtomicTool, TheEnvironmentHasPrecedence) {
  write("checkout_path: /srv/a\nostree_repository: /srv/b\n");
  const auto settings = read({{"ATOMIC_OSTREE_CHECKOUT_PATH", "/srv/c"}, {"ATOMIC_OSTREE_REPO", ""}});
  EXPECT_EQ(settings.deployments, "/srv/c");
  EXPECT_EQ(settings.repository, "/srv/b");
}

}  // namespace
}  // namespace berth::host
