// SPDX-License-Identifier: LGPL-2.1-or-later
// Host files in packages, with the real dpkg and rpm and a database below the root of the machine.
#include "ops/footprint/system_package.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/process.hpp"
#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/plan/plan_package.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::ImageSpec;
using test::Machine;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* name = "atomic-container-web";

/// With labels and without a setuid file. The newer image has one file less and another one more.
ImageSpec first_image() {
  auto spec = full_image();
  spec.config = R"({"Labels":{"version":"1.0","summary":"a web server","atomic.has_install_files":""}})";
  return spec;
}

ImageSpec second_image() {
  auto spec = first_image();
  spec.config = R"({"Labels":{"version":"1.1","atomic.has_install_files":""}})";
  std::erase_if(spec.files, [](const auto& file) { return file.name == "exports/hostfs/etc/web/current"; });
  spec.files.push_back({"exports/hostfs/usr/local/bin/more", "more\n", 0755, ""});
  return spec;
}

class SystemPackage : public ::testing::TestWithParam<host::PackageKind> {
 protected:
  SystemPackage() : context(machine.context()) {
    context.config.settle_seconds = 0;
    if (GetParam() == host::PackageKind::deb) {
      machine.make_directory("var/lib/dpkg/info");
      machine.make_directory("var/lib/dpkg/updates");
      machine.write("var/lib/dpkg/status", "");
    } else {
      machine.make_directory("var/lib/rpm");
      base::run_checked({"rpm", "--root", root(), "--dbpath", "/var/lib/rpm", "--initdb"});
    }
  }

  [[nodiscard]] std::string root() const { return machine.layout.root(); }

  /// @return the version of the installed package; empty when it is not installed
  [[nodiscard]] std::string version() const {
    const auto asked = GetParam() == host::PackageKind::deb
                           ? base::run_process({"dpkg-query", "--admindir=" + root() + "/var/lib/dpkg", "--show",
                                                "--showformat=${db:Status-Abbrev}${Version}", name})
                           : base::run_process({"rpm", "--root", root(), "--dbpath", "/var/lib/rpm", "--query",
                                                "--queryformat", "ii %{VERSION}-%{RELEASE}", name});
    return asked.exit_code == 0 && asked.output.starts_with("ii ") ? asked.output.substr(3) : "";
  }

  InstallOutcome install_web(const std::string& mode = "auto", const StepHook& hook = {}) {
    InstallRequest request;
    request.image = machine.image("web", first_image());
    request.name = "web";
    request.system_package = mode;
    return install(context, request, hook);
  }

  void update_web(const StepHook& hook = {}) {
    std::filesystem::remove_all(machine.directory / "web");
    pull(context, {machine.image("web", second_image()), "", ""});
    UpdateRequest request;
    request.name = "web";
    update(context, request, hook);
  }

  [[nodiscard]] bool has(const std::string& path) const { return machine.exists(path); }

  /// The package and its files are removed.
  void expect_clean() const {
    EXPECT_EQ(version(), "");
    for (const auto* path : {"usr/local/bin/webctl", "usr/local/bin/more", "etc/web"}) {
      EXPECT_FALSE(has(path)) << path;
    }
  }

  Machine machine;
  Context context;
};

TEST_P(SystemPackage, FollowsInstallUpdateRollbackAndUninstall) {
  install_web();
  EXPECT_THAT(version(), StartsWith("1.0-"));
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n");
  EXPECT_TRUE(has("usr/local/bin/webctl"));
  const auto info = host::find_deployment(machine.layout, "web").value().info;
  EXPECT_EQ(info.package, name);
  EXPECT_EQ(info.system_package, "yes");
  EXPECT_EQ(info.rpm_installed, GetParam() == host::PackageKind::rpm);
  EXPECT_THAT(info.installed_files, Contains("/usr/local/bin/webctl"));

  update_web();
  EXPECT_THAT(version(), StartsWith("1.1-"));
  EXPECT_TRUE(has("usr/local/bin/more"));
  EXPECT_FALSE(has("etc/web/current"));

  rollback(context, {"web", {}});
  EXPECT_THAT(version(), StartsWith("1.0-"));
  EXPECT_FALSE(has("usr/local/bin/more"));
  EXPECT_TRUE(has("etc/web/current"));

  uninstall(context, "web");
  expect_clean();
}

TEST_P(SystemPackage, EditedConfigurationStays) {
  install_web();
  machine.write("etc/web/web.conf", "mine\n");
  update_web();
  EXPECT_EQ(machine.read("etc/web/web.conf"), "mine\n");
  const auto outcome = uninstall(context, "web");
  if (GetParam() == host::PackageKind::deb) {
    EXPECT_EQ(machine.read("etc/web/web.conf"), "mine\n");
  } else {
    EXPECT_TRUE(has("etc/web/web.conf") || has("etc/web/web.conf.rpmsave"));
  }
  EXPECT_EQ(version(), "");
}

TEST_P(SystemPackage, AFailedInstallLeavesNoPackage) {
  const auto fail_late = [](std::size_t index) {
    if (index == 5) {
      throw base::Error(ErrorKind::failed, "stopped by the test");
    }
  };
  EXPECT_EQ(error_of([&] { install_web("yes", fail_late); }).message(), "stopped by the test");
  expect_clean();
}

TEST_P(SystemPackage, AFailedUpdateRestoresTheEarlierPackage) {
  install_web();
  for (std::size_t fatal = 0; fatal < 12; ++fatal) {
    bool reached = false;
    const auto fail = [&](std::size_t index) {
      if (index == fatal) {
        reached = true;
        throw base::Error(ErrorKind::failed, "stopped by the test");
      }
    };
    try {
      update_web(fail);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.message(), "stopped by the test");
    }
    if (!reached) {
      return;
    }
    EXPECT_THAT(version(), StartsWith("1.0-")) << "step " << fatal;
    EXPECT_TRUE(has("etc/web/current")) << "step " << fatal;
    EXPECT_FALSE(has("usr/local/bin/more")) << "step " << fatal;
  }
  ADD_FAILURE() << "an update has fewer steps";
}

TEST_P(SystemPackage, ExistingFilesStay) {
  machine.write("usr/local/bin/webctl", "the host's\n");
  install_web();
  uninstall(context, "web");
  EXPECT_EQ(machine.read("usr/local/bin/webctl"), "the host's\n");
}

TEST_P(SystemPackage, NoPackageWithoutARequest) {
  install_web("no");
  EXPECT_EQ(version(), "");
  EXPECT_TRUE(has("usr/local/bin/webctl"));
  update_web();
  EXPECT_EQ(version(), "");
  EXPECT_TRUE(has("usr/local/bin/more"));
}

TEST_P(SystemPackage, ARefusedPackageIsReportedAndTheInstallReverted) {
  InstallRequest request;
  auto spec = first_image();
  spec.config = R"({"Labels":{"requires":"no-such-package","atomic.has_install_files":""}})";
  request.image = machine.image("web", spec);
  request.name = "web";
  const auto error = error_of([&] { install(context, request); });
  EXPECT_THAT(error.message(), HasSubstr("no-such-package"));
  expect_clean();
  EXPECT_FALSE(has("var/lib/containers/berth/web.0"));
}

INSTANTIATE_TEST_SUITE_P(BothKinds, SystemPackage, ::testing::Values(host::PackageKind::deb, host::PackageKind::rpm),
                         [](const auto& kind) { return kind.param == host::PackageKind::deb ? "deb" : "rpm"; });

TEST(SystemPackageModes, AnUnknownModeIsAUsageError) {
  const auto error = error_of([] { check_package_mode("maybe"); });
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_THAT(error.hint(), HasSubstr("auto"));
}

TEST(SystemPackageModes, AHostWithoutAPackageDatabaseRefusesThem) {
  Machine machine;
  auto context = machine.context();
  InstallRequest request;
  request.image = machine.image("web", first_image());
  request.system_package = "yes";
  const auto error = error_of([&] { install(context, request); });
  EXPECT_THAT(error.message(), HasSubstr("no package manager"));
  EXPECT_THAT(error.hint(), HasSubstr("--system-package=no"));
  request.system_package = "auto";
  install(context, request);
  EXPECT_TRUE(machine.exists("etc/web/web.conf"));
}

TEST(SystemPackageModes, AnotherPackageManagerAtWorkIsAConflict) {
  Machine machine;
  auto context = machine.context();
  machine.make_directory("var/lib/dpkg/info");
  machine.make_directory("var/lib/dpkg/updates");
  machine.write("var/lib/dpkg/status", "");
  machine.write("var/lib/dpkg/lock-frontend", "");
  const base::Fd held(base::open_at(AT_FDCWD, machine.on_disk("var/lib/dpkg/lock-frontend"), O_RDWR));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(held.get(), F_OFD_SETLK, &lock), 0);
  InstallRequest request;
  request.image = machine.image("web", first_image());
  request.name = "web";
  const auto error = error_of([&] { install(context, request); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("another package manager"));
  EXPECT_FALSE(machine.exists("etc/web"));
}

}  // namespace
}  // namespace berth::ops
