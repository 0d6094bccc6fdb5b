#include "host/config/atomic_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/temp_folder.hpp"

namespace berth::host {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::HasSubstr;

class OlderTool : public ::testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(folder_ / "etc/atomic.conf") << text; }
  [[nodiscard]] OlderSettings read() const { return read_older_settings(folder_ / "", ""); }
  void SetUp() override { std::filesystem::create_directories(folder_ / "etc"); }

  base::test::TempFolder folder_;
};

TEST_F(OlderTool, WithoutAFileNothingIsSet) {
  const auto settings = read();
  EXPECT_EQ(settings.deployments, "");
  EXPECT_EQ(settings.repository, "");
}

TEST_F(OlderTool, ReadsTheKeysThatMatter) {
  write("default_storage: ostree\ncheckout_path: /srv/a\nostree_repository: /srv/b\nruntime: /bin/crun\nother: [1]\n");
  const auto settings = read();
  EXPECT_EQ(settings.deployments, "/srv/a");
  EXPECT_EQ(settings.repository, "/srv/b");
  EXPECT_EQ(settings.runtime, "/bin/crun");
  EXPECT_EQ(settings.storage, "ostree");
}

TEST_F(OlderTool, AnEmptyFileAndEmptyKeysSetNothing) {
  write("");
  EXPECT_EQ(read().deployments, "");
  write("checkout_path:\n");
  EXPECT_EQ(read().deployments, "");
}

TEST_F(OlderTool, WrongFilesAreNamed) {
  for (const std::string text : {"just words\n", "checkout_path: [a]\n", "a: b: c\n"}) {
    write(text);
    const auto error = error_of([&] { static_cast<void>(read()); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_THAT(error.what(), HasSubstr("etc/atomic.conf")) << text;
  }
}

TEST_F(OlderTool, AnotherFileMayBeNamed) {
  std::ofstream(folder_ / "mine.yaml") << "runtime: crun\n";
  EXPECT_EQ(read_older_settings("/", folder_ / "mine.yaml").runtime, "crun");
}

}  // namespace
}  // namespace berth::host
