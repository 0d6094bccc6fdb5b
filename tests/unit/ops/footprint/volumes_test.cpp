// SPDX-License-Identifier: LGPL-2.1-or-later
// Volumes whose directories berth chooses: not accessible to other users, filled when they are new, and moved by
// updates from the directories of earlier versions.
#include "ops/footprint/volumes.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/killed_work.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

namespace fs = std::filesystem;

using base::Error;
using base::ErrorKind;
using base::test::error_of;
using test::ImageSpec;
using test::Machine;
using test::tree_text;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr const char* former = "var/lib/web/data";
constexpr const char* place = "var/lib/berth/web/data";

/// An image without /exports, with files in its volume.
ImageSpec plain_image(const std::string& mark) {
  ImageSpec spec;
  spec.files = {{"bin/", "", 0755, ""},
                {"bin/server", "#!/bin/sh\n# " + mark + "\n", 0755, ""},
                {"data/", "", 0777, ""},
                {"data/app.conf", "from the image\n", 0640, ""},
                {"data/tool", "x", 04755, ""},
                {"data/sub/", "", 01770, ""},
                {"data/sub/link", "", 0777, "/etc/passwd"}};
  spec.config = R"({"Entrypoint": ["/bin/server"], "Volumes": {"/data": {}}})";
  return spec;
}

class VolumesTest : public ::testing::Test {
 protected:
  VolumesTest() : context(machine.context()) { context.config.settle_seconds = 0; }

  void install_web(const StepHook& hook = {}) {
    InstallRequest request;
    request.image = machine.image("web", plain_image("one"));
    request.name = "web";
    install(context, request, hook);
  }

  /// As earlier versions installed it: the volume is in /var/lib/web, which all users may enter.
  void make_former() {
    install_web();
    fs::create_directories(machine.on_disk("var/lib/web"));
    fs::permissions(machine.on_disk("var/lib/web"), fs::perms(0755));
    fs::rename(machine.on_disk(place), machine.on_disk(former));
    fs::remove_all(machine.on_disk("var/lib/berth"));
    for (const std::string file : {"var/lib/containers/berth/web.0/config.json", "etc/tmpfiles.d/web.conf",
                                   "var/lib/containers/berth/web.0/tmpfiles-web.conf"}) {
      auto text = machine.read(file);
      for (auto at = text.find("/var/lib/berth/web/"); at != std::string::npos; at = text.find("/var/lib/berth/web/")) {
        text.replace(at, 19, "/var/lib/web/");
      }
      if (text.starts_with("d /var/lib/berth ")) {  // the two lines that close the directories
        text.erase(0, text.find("d /var/lib/web/"));
      }
      machine.write(file, text);
    }
    machine.write(std::string(former) + "/precious", "kept\n");
    recover_pending(context);
  }

  void pull_newer() {
    fs::remove_all(machine.directory / "web");
    pull(context, {machine.image("web", plain_image("two")), "", ""});
  }

  static UpdateRequest web() {
    UpdateRequest request;
    request.name = "web";
    return request;
  }

  [[nodiscard]] unsigned mode_of(const std::string& path) const {
    struct stat status {};
    return ::lstat(machine.on_disk(path).c_str(), &status) == 0 ? status.st_mode & 07777U : 0U;
  }

  [[nodiscard]] std::string tree() const { return tree_text(machine.on_disk(""), "var/lib/containers/berth/.storage"); }

  Machine machine;
  Context context;
};

TEST_F(VolumesTest, RefusesDirectoriesThatAnotherUserCouldReplace) {
  constexpr uid_t neighbour = 1000;
  fs::create_directories(machine.on_disk("home/bob"));
  fs::create_directories(machine.on_disk("srv"));
  ASSERT_EQ(::chown(machine.on_disk("home/bob").c_str(), neighbour, neighbour), 0);
  InstallRequest request;
  request.image = machine.image("web", plain_image("one"));
  request.name = "web";
  request.set = {"STATE_DIRECTORY=/home/bob/state"};
  fs::create_directory_symlink("/srv", machine.on_disk("home/bob/state"));
  ASSERT_EQ(::lchown(machine.on_disk("home/bob/state").c_str(), neighbour, neighbour), 0);
  EXPECT_EQ(error_of([&] { install(context, request); }).kind(), ErrorKind::not_permitted);
  EXPECT_FALSE(fs::exists(machine.on_disk("srv/berth")));
  fs::remove(machine.on_disk("home/bob/state"));
  EXPECT_EQ(error_of([&] { install(context, request); }).kind(), ErrorKind::not_permitted);
  EXPECT_FALSE(fs::exists(machine.on_disk("home/bob/state")));
  fs::create_directories(machine.on_disk("home/bob/state"));
  EXPECT_THAT(error_of([&] { install(context, request); }).message(), HasSubstr("not safe to go from /home/bob"));
}

TEST_F(VolumesTest, ANewVolumeIsFilledFromTheImage) {
  install_web();
  EXPECT_EQ(machine.read("var/lib/berth/web/data/app.conf"), "from the image\n");
  EXPECT_EQ(mode_of("var/lib/berth/web/data/app.conf"), 0640U);
  EXPECT_EQ(mode_of("var/lib/berth/web/data/tool"), 04755U);
  EXPECT_EQ(mode_of("var/lib/berth/web/data/sub"), 01770U);
  EXPECT_EQ(fs::read_symlink(machine.on_disk("var/lib/berth/web/data/sub/link")), "/etc/passwd");
  EXPECT_EQ(mode_of(place), 0777U);
  EXPECT_EQ(mode_of("var/lib/berth"), 0700U);
  EXPECT_EQ(mode_of("var/lib/berth/web"), 0700U);
  EXPECT_THAT(
      machine.read("etc/tmpfiles.d/web.conf"),
      HasSubstr("d /var/lib/berth 0700 0 0 - -\nd /var/lib/berth/web 0700 0 0 - -\nd /var/lib/berth/web/data "));
  // A copy, because the service must not be able to change the store.
  struct stat copy {};
  ASSERT_EQ(::stat(machine.on_disk("var/lib/berth/web/data/tool").c_str(), &copy), 0);
  EXPECT_EQ(copy.st_nlink, 1U);
}

TEST_F(VolumesTest, AnExistingVolumeIsNotFilled) {
  machine.make_directory(place);
  install_web();
  EXPECT_FALSE(machine.exists("var/lib/berth/web/data/app.conf"));
}

TEST_F(VolumesTest, AFailedInstallLeavesNoVolume) {
  machine.make_directory("var/lib");
  std::size_t steps = 0;
  install_web([&steps](std::size_t) { ++steps; });
  uninstall(context, "web");
  fs::remove_all(machine.on_disk("var/lib/berth"));
  for (std::size_t at = 0; at < steps; ++at) {
    EXPECT_THROW(install_web([at](std::size_t index) {
                   if (index == at) {
                     throw Error(ErrorKind::failed, "injected");
                   }
                 }),
                 Error);
    EXPECT_FALSE(machine.exists("var/lib/berth")) << "step " << at;
  }
}

TEST_F(VolumesTest, VolumesOfEarlierVersionsAreClosed) {
  make_former();
  EXPECT_EQ(mode_of("var/lib/web"), 0700U);
  EXPECT_EQ(mode_of(former), 0777U);
  EXPECT_EQ(machine.read(std::string(former) + "/precious"), "kept\n");
}

TEST_F(VolumesTest, ADirectoryWithOtherFilesIsAWarning) {
  make_former();
  fs::permissions(machine.on_disk("var/lib/web"), fs::perms(0755));
  machine.write("var/lib/web/of-the-host", "");
  recover_pending(context);
  EXPECT_EQ(mode_of("var/lib/web"), 0755U);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/var/lib/web, which also holds other files")));
}

/// Directories of the image's own tmpfiles.d lines are not moved. They are closed in place, for the next boot, too.
TEST_F(VolumesTest, DirectoriesOfTmpfilesLinesAreClosed) {
  auto spec = test::full_image();
  spec.files.push_back({"exports/tmpfiles.template", "d ${STATE_DIRECTORY}/$NAME 0755 - - - -\n", 0644, ""});
  InstallRequest request;
  request.image = machine.image("web", spec);
  request.name = "web";
  install(context, request);
  const std::string open = "d /var/lib/web 0755 - - - -\n";
  const std::string closed = "d /var/lib/web 0750 - - - -\n";
  const std::string of_deployment = "var/lib/containers/berth/web.0/tmpfiles-web.conf";
  const std::string of_host = "etc/tmpfiles.d/web.conf";
  ASSERT_EQ(machine.read(of_host), closed);
  machine.write(of_host, open);
  machine.write(of_deployment, open);
  machine.make_directory("var/lib/web");
  fs::permissions(machine.on_disk("var/lib/web"), fs::perms(0755));
  recover_pending(context);
  EXPECT_EQ(mode_of("var/lib/web"), 0750U);
  EXPECT_EQ(machine.read(of_host), closed);
  EXPECT_EQ(machine.read(of_deployment), closed);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("could enter /var/lib/web, where web writes")));

  machine.write(of_host, "# of the administrator\n" + open);
  machine.write(of_deployment, open);
  recover_pending(context);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/etc/tmpfiles.d/web.conf was edited and stays")));
}

TEST_F(VolumesTest, AnUpdateMovesVolumesAndARollbackMovesThemBack) {
  make_former();
  pull_newer();
  update(context, web());
  EXPECT_EQ(machine.read(std::string(place) + "/precious"), "kept\n");
  EXPECT_FALSE(machine.exists("var/lib/web"));
  EXPECT_EQ(mode_of("var/lib/berth"), 0700U);
  EXPECT_EQ(mode_of("var/lib/berth/web"), 0700U);
  EXPECT_THAT(machine.read("var/lib/containers/berth/web.1/config.json"), HasSubstr("/var/lib/berth/web/data"));

  rollback(context, {"web", {}});
  EXPECT_EQ(machine.read(std::string(former) + "/precious"), "kept\n");
  EXPECT_FALSE(machine.exists(place));
  EXPECT_EQ(mode_of("var/lib/web"), 0700U);

  rollback(context, {"web", {}});
  EXPECT_EQ(machine.read(std::string(place) + "/precious"), "kept\n");
  EXPECT_FALSE(machine.exists(former));
}

TEST_F(VolumesTest, AFailedUpdateLeavesVolumesInPlace) {
  make_former();
  pull_newer();
  recover_pending(context);
  const auto before = tree();
  bool failed = true;
  for (std::size_t at = 0; failed; ++at) {
    failed = false;
    const auto fail = [&failed, at](std::size_t index) {
      if (index == at) {
        failed = true;
        throw Error(ErrorKind::failed, "injected");
      }
    };
    try {
      update(context, web(), fail);
    } catch (const Error&) {
      EXPECT_EQ(tree(), before) << "step " << at;
    }
  }
  EXPECT_EQ(machine.read(std::string(place) + "/precious"), "kept\n");
}

/// An update moves volumes into the new directory, and a rollback back.
TEST_F(VolumesTest, KilledAtAnyStepVolumesAreWhereTheLiveDeploymentExpectsThem) {
  make_former();
  pull_newer();
  recover_pending(context);
  const auto sweep = [&](const std::function<void(const StepHook&)>& work) {
    const auto before = tree();
    std::size_t steps = 0;
    for (int ended = test::killed; ended == test::killed; ++steps) {
      ended = test::run_until(steps, work);
      ASSERT_THAT(ended, AnyOf(test::killed, test::completed)) << steps;
      if (ended == test::killed) {
        recover_pending(context);
        ASSERT_EQ(tree(), before) << "killed before step " << steps;
      }
    }
    EXPECT_GT(steps, 10U);
  };
  sweep([&](const StepHook& hook) { update(context, web(), hook); });
  EXPECT_EQ(machine.read(std::string(place) + "/precious"), "kept\n");
  sweep([&](const StepHook& hook) { rollback(context, {"web", {}}, hook); });
  EXPECT_EQ(machine.read(std::string(former) + "/precious"), "kept\n");
}

TEST_F(VolumesTest, AVolumeThatCannotBeMovedStays) {
  make_former();
  pull_newer();
  machine.write(std::string(place) + "/other", "");
  update(context, web());
  EXPECT_EQ(machine.read(std::string(former) + "/precious"), "kept\n");
  EXPECT_THAT(machine.read("var/lib/containers/berth/web.1/config.json"), HasSubstr("\"/var/lib/web/data\""));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("the volumes of web stay in /var/lib/web")));
}

TEST_F(VolumesTest, DataOfAnEarlierInstallationIsAWarning) {
  machine.write(std::string(former) + "/precious", "");
  install_web();
  EXPECT_THAT(machine.reporter.warnings,
              Contains(HasSubstr("/var/lib/web/data holds data of an earlier installation")));
}

}  // namespace
}  // namespace berth::ops
