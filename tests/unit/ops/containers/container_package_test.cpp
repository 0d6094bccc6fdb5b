// SPDX-License-Identifier: LGPL-2.1-or-later
// Packages of whole containers, built and inspected with the real tools.
#include "ops/containers/container_package.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstdlib>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/temp_directory.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::ImageSpec;
using test::Machine;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* place = "/usr/lib/containers/berth/web.0";

class ContainerPackages : public ::testing::TestWithParam<host::PackageKind> {
 protected:
  ContainerPackages() : context(machine.context()) {
    if (is_deb()) {
      machine.write("var/lib/dpkg/status", "");
    } else {
      machine.make_directory("var/lib/rpm");
      base::run_checked({"rpm", "--root", machine.layout.root(), "--dbpath", "/var/lib/rpm", "--initdb"});
    }
    std::filesystem::create_directories(machine.directory / "made");
    std::filesystem::create_directories(machine.directory / "temporary");
    ::setenv("TMPDIR", (machine.directory / "temporary").c_str(), 1);
  }
  ContainerPackages(const ContainerPackages&) = delete;
  ContainerPackages& operator=(const ContainerPackages&) = delete;
  ~ContainerPackages() override { ::unsetenv("TMPDIR"); }

  [[nodiscard]] static bool is_deb() { return GetParam() == host::PackageKind::deb; }

  InstallRequest request_for(const ImageSpec& spec) {
    InstallRequest request;
    request.image = machine.image("image", spec);
    request.name = "web";
    return request;
  }
  ContainerPackage make(const InstallRequest& request) {
    return make_container_package(context, request, machine.directory / "made");
  }
  [[nodiscard]] std::string made_files() const { return names_in(machine.directory / "made"); }
  [[nodiscard]] std::string left_files() const { return names_in(machine.directory / "temporary"); }

  [[nodiscard]] std::string listing(const std::string& file) const {
    return (is_deb() ? base::run_checked({"dpkg-deb", "--contents", file})
                     : base::run_checked({"rpm", "--query", "--list", "--verbose", "--package", file}))
        .output;
  }
  /// Unpacks the package into the directory `unpacked`.
  void unpack(const std::string& file) const {
    const std::string root = machine.directory / "unpacked";
    std::filesystem::create_directories(root);
    if (is_deb()) {
      base::run_checked({"dpkg-deb", "--extract", file, root});
    } else {
      base::run_checked({"rpm", "--root", root, "--dbpath", "/rpmdb", "--nodeps", "--noscripts", "--install", file});
    }
  }
  [[nodiscard]] std::string unpacked(const std::string& path) const { return machine.directory / ("unpacked" + path); }
  [[nodiscard]] std::string text_of(const std::string& path) const {
    return base::read_file_at(AT_FDCWD, unpacked(path), 1U << 20U).value_or("");
  }

  Machine machine;
  Context context;

 private:
  static std::string names_in(const std::string& directory) {
    std::string names;
    for (const auto& name : base::list_directory(base::open_host_directory(directory).get())) {
      names += name + " ";
    }
    return names;
  }
};

TEST_P(ContainerPackages, ContainTheWholeContainer) {
  auto spec = full_image();
  spec.config = R"({"Labels":{"version":"1.2","release":"3"}})";
  const auto package = make(request_for(spec));
  EXPECT_THAT(package.file, HasSubstr(is_deb() ? "/made/atomic-container-web-preinstalled_1.2-3_"
                                               : "/made/atomic-container-web-preinstalled-1.2-3."));
  EXPECT_EQ(made_files(), package.file.substr(package.file.rfind('/') + 1) + " ");
  unpack(package.file);
  EXPECT_EQ(std::filesystem::read_symlink(unpacked("/usr/lib/containers/berth/web")), "web.0");
  for (const auto* path : {"/rootfs/bin/server", "/config.json", "/info"}) {
    EXPECT_TRUE(std::filesystem::exists(unpacked(std::string(place) + path))) << path;
  }
  EXPECT_TRUE(std::filesystem::is_directory(unpacked(std::string(place) + "/rootfs/data"))) << "a mount point";
  EXPECT_THAT(text_of("/usr/lib/systemd/system/web.service"), HasSubstr(place));
  EXPECT_EQ(std::filesystem::read_symlink(unpacked("/usr/lib/systemd/system/multi-user.target.wants/web.service")),
            "/usr/lib/systemd/system/web.service");
  EXPECT_EQ(text_of("/usr/lib/tmpfiles.d/web.conf"), "d /var/lib/web 0700 0 0 - -\n");
  EXPECT_EQ(text_of("/etc/web/web.conf"), "greeting=hello\n");
  EXPECT_THAT(listing(package.file), HasSubstr("/usr/local/bin/webctl"));
}

TEST_P(ContainerPackages, LeaveNothingOnThisMachine) {
  make(request_for(full_image()));
  EXPECT_FALSE(machine.exists("var/lib/containers"));
  EXPECT_FALSE(machine.exists("usr/lib/containers"));
  EXPECT_EQ(left_files(), "");
}

TEST_P(ContainerPackages, ReplaceAPackageOfTheSameName) {
  auto spec = full_image();
  spec.config = R"({"Labels":{"version":"1"}})";
  const auto request = request_for(spec);
  const auto first = make(request).file;
  std::ofstream(std::string(first)) << "older";
  EXPECT_EQ(make(request).file, first);
  EXPECT_GT(std::filesystem::file_size(first), 100U);
  EXPECT_THAT(made_files(), Not(HasSubstr(" atomic"))) << "one file";
}

TEST_P(ContainerPackages, IgnoreFilesOfThisMachine) {
  machine.write("usr/local/bin/webctl", "the host's\n");
  machine.make_directory("var/lib/web");
  const auto package = make(request_for(full_image()));
  unpack(package.file);
  EXPECT_EQ(text_of("/usr/local/bin/webctl"), "control\n");
  EXPECT_FALSE(package.plan.tmpfiles) << "the line would change a directory that such machines have";
}

TEST_P(ContainerPackages, UseAStoredImage) {
  auto request = request_for(full_image());
  request.image = "localhost/stored:latest";
  EXPECT_THAT(error_of([&] { make(request); }).what(), HasSubstr("localhost"));
  pull(context, {machine.image("stored", full_image()), "", ""});
  make(request);
  EXPECT_EQ(left_files(), "");
}

TEST_P(ContainerPackages, AreNotBuiltForAPlan) {
  auto request = request_for(full_image());
  request.only_plan = true;
  const auto package = make(request);
  EXPECT_EQ(package.file, "");
  EXPECT_EQ(package.plan.deployment, place);
  EXPECT_EQ(package.layout.unit_in_root("web"), "/usr/lib/systemd/system/web.service");
  EXPECT_EQ(made_files(), "");
}

TEST_P(ContainerPackages, AMissingVariableIsReportedAndNothingIsLeft) {
  auto spec = full_image();
  spec.files.push_back({"exports/tmpfiles.template", "d $UNKNOWN\n", 0644, ""});
  EXPECT_THAT(error_of([&] { make(request_for(spec)); }).what(), HasSubstr("UNKNOWN"));
  EXPECT_EQ(made_files() + left_files(), "");
}

TEST_P(ContainerPackages, RefuseAnImageThatRunsOnce) {
  auto spec = full_image();
  spec.config = R"({"Labels":{"atomic.run":"once"}})";
  const auto error = error_of([&] { make(request_for(spec)); });
  EXPECT_THAT(error.message(), HasSubstr("run once"));
  EXPECT_THAT(error.hint(), HasSubstr("berth run"));
}

TEST_P(ContainerPackages, RefuseOptionsOfAnInstall) {
  auto request = request_for(full_image());
  request.start = true;
  EXPECT_THAT(error_of([&] { make(request); }).message(), HasSubstr("--now"));
  request.start = false;
  request.rootfs = "/srv/x";
  EXPECT_THAT(error_of([&] { make(request); }).message(), HasSubstr("--rootfs"));
}

TEST_P(ContainerPackages, RefuseFilesThatThePackageCannotKeep) {
  auto spec = full_image();
  spec.files.push_back({"bin/ping", "x", 0755, "", 54321});
  const auto request = request_for(spec);
  if (is_deb()) {
    EXPECT_NO_THROW(make(request)) << "dpkg keeps a number that has no name";
    return;
  }
  EXPECT_THAT(error_of([&] { make(request); }).message(), HasSubstr("54321"));
  EXPECT_EQ(made_files() + left_files(), "");
}

INSTANTIATE_TEST_SUITE_P(BothKinds, ContainerPackages,
                         ::testing::Values(host::PackageKind::deb, host::PackageKind::rpm),
                         [](const auto& kind) { return kind.param == host::PackageKind::deb ? "deb" : "rpm"; });

TEST(ContainerPackage, NeedsAPackageDatabase) {
  Machine machine;
  auto context = machine.context();
  InstallRequest request;
  request.image = machine.image("web", full_image());
  EXPECT_THAT(error_of([&] { make_container_package(context, request, machine.directory.path()); }).message(),
              HasSubstr("neither a dpkg nor an rpm database"));
}

TEST(ContainerPackage, IsRefusedInUserMode) {
  Machine machine(host::UserDirectories{"alice", 1000, "/home/alice", "/home/alice/.local/share", "/home/alice/.config",
                                        "/run/user/1000"});
  auto context = machine.context();
  const auto error = error_of([&] { make_container_package(context, {}, "."); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.message(), HasSubstr("a user's container cannot be packaged"));
}

}  // namespace
}  // namespace berth::ops
