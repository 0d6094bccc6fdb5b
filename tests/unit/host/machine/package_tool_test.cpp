// SPDX-License-Identifier: LGPL-2.1-or-later
// With the real dpkg and rpm, and databases in directories of the test.
#include "host/machine/package_tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/process.hpp"
#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using base::ErrorKind;
using ::testing::HasSubstr;

constexpr const char* control =
    "Package: berth-test\nVersion: 1.0-2\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\n"
    "Description: a test\n";

constexpr const char* spec =
    "Name: berth-test\nVersion: 1.0\nRelease: 2\nSummary: a test\nLicense: none\nBuildArch: noarch\n"
    "%description\na test\n%files\n/usr/share/berth-test\n%config(noreplace) /etc/berth-test.conf\n";

TEST(PackageKindTest, IsThatOfTheDatabase) {
  const Scratch root;
  EXPECT_FALSE(package_kind(layout_in(root)));
  root.directory("var/lib/rpm");
  EXPECT_EQ(package_kind(layout_in(root)), PackageKind::rpm);
  root.file("var/lib/dpkg/status", "");
  EXPECT_EQ(package_kind(layout_in(root)), PackageKind::deb);
}

TEST(PackageKindTest, NamesTheFile) {
  EXPECT_EQ(package_file(PackageKind::deb), "package.deb");
  EXPECT_EQ(package_file(PackageKind::rpm), "package.rpm");
}

class PackageToolTest : public ::testing::TestWithParam<PackageKind> {
 protected:
  PackageToolTest() {
    if (is_deb()) {
      root_.directory("var/lib/dpkg/info");
      root_.directory("var/lib/dpkg/updates");
      root_.file("var/lib/dpkg/status", "");
    } else {
      root_.directory("var/lib/rpm");
      base::run_checked({"rpm", "--root", root_.path(), "--dbpath", "/var/lib/rpm", "--initdb"});
    }
  }
  static bool is_deb() { return GetParam() == PackageKind::deb; }
  [[nodiscard]] PackageTool tool() const {
    return {layout_in(root_), GetParam(), std::chrono::seconds(0), std::stop_token()};
  }

  /// @return path of a package with a program and a configuration file
  [[nodiscard]] std::string build() const {
    work_.file("tree/usr/share/berth-test", "a file\n");
    work_.file("tree/etc/berth-test.conf", "default\n");
    tool().build({work_.at("tree"), is_deb() ? control : spec, is_deb() ? "/etc/berth-test.conf\n" : ""}, work_.path());
    return work_.at(std::string(package_file(GetParam())));
  }

  Scratch root_;
  Scratch work_;
};

TEST_P(PackageToolTest, ReadsTheNameAndTheFileNameOfAPackage) {
  const auto file = build();
  EXPECT_EQ(tool().name_of(file), "berth-test");
  EXPECT_EQ(tool().file_name_of(file), is_deb() ? "berth-test_1.0-2_all.deb" : "berth-test-1.0-2.noarch.rpm");
}

TEST_P(PackageToolTest, RefusesAFileThatIsNotAPackage) {
  work_.file("other", "not a package\n");
  EXPECT_EQ(error_of([this] { static_cast<void>(tool().name_of(work_.at("other"))); }).kind(), ErrorKind::failed);
}

TEST_P(PackageToolTest, InstallsAndRemoves) {
  const auto file = build();
  tool().install(file);
  EXPECT_EQ(root_.text("usr/share/berth-test"), "a file\n");
  EXPECT_EQ(root_.text("etc/berth-test.conf"), "default\n");
  tool().install(file);
  tool().remove("berth-test");
  EXPECT_FALSE(root_.has("usr/share/berth-test"));
  tool().purge("berth-test");
  EXPECT_FALSE(root_.has("etc/berth-test.conf"));
}

TEST_P(PackageToolTest, KeepsEditedConfiguration) {
  const auto file = build();
  tool().install(file);
  root_.file("etc/berth-test.conf", "edited\n");
  tool().install(file);
  EXPECT_EQ(root_.text("etc/berth-test.conf"), "edited\n");
  tool().remove("berth-test");
  EXPECT_TRUE(root_.has("etc/berth-test.conf") || root_.has("etc/berth-test.conf.rpmsave"));
}

TEST_P(PackageToolTest, RemovesAPackageThatIsNotInstalled) {
  tool().remove("berth-test");
  tool().purge("berth-test");
}

TEST_P(PackageToolTest, ReportsWhyAPackageWasRefused) {
  work_.file("other", "not a package\n");
  EXPECT_EQ(error_of([this] { tool().install(work_.at("other")); }).kind(), ErrorKind::failed);
}

INSTANTIATE_TEST_SUITE_P(BothKinds, PackageToolTest, ::testing::Values(PackageKind::deb, PackageKind::rpm),
                         [](const auto& kind) { return kind.param == PackageKind::deb ? "deb" : "rpm"; });

TEST(PackageToolLock, AnotherPackageManagerIsAConflict) {
  const Scratch root;
  root.directory("var/lib/dpkg/info");
  root.directory("var/lib/dpkg/updates");
  root.file("var/lib/dpkg/status", "");
  root.file("var/lib/dpkg/lock-frontend", "");
  const auto directory = root.open();
  const base::Fd held = base::open_at(directory.get(), "var/lib/dpkg/lock-frontend", O_RDWR);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(held.get(), F_OFD_SETLK, &lock), 0);
  const PackageTool tool(layout_in(root), PackageKind::deb, std::chrono::seconds(0), std::stop_token());
  const auto error = error_of([&tool] { tool.remove("berth-test"); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("another package manager"));
}

}  // namespace
}  // namespace berth::host::testing
