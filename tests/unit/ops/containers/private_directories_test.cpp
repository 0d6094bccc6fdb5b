// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/private_directories.hpp"

#include "base/json.hpp"
#include "ops/private_deployment.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file.hpp"
#include "base/temp_directory.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/update.hpp"
#include "ops/machine.hpp"
#include "store/ostree/private_mark.hpp"

namespace berth::ops {
namespace {

using base::test::error_of;
using test::Machine;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

constexpr const char* place = "var/lib/containers/berth";

class PrivateDirectories : public ::testing::Test {
 protected:
  PrivateDirectories() : context_(machine_.context()) { context_.config.settle_seconds = 0; }

  void install_web(const std::string& program = "first") {
    auto spec = test::full_image();
    spec.files[1].content = program;
    fs::remove_all(machine_.directory / "web");
    InstallRequest request;
    request.image = machine_.image("web", spec);
    request.name = "web";
    install(context_, request);
  }
  [[nodiscard]] mode_t mode(const std::string& path) const {
    return base::stat_at(AT_FDCWD, machine_.on_disk(path)).value().st_mode & 07777U;
  }
  void set_mode(const std::string& path, mode_t mode) const {
    ASSERT_EQ(0, ::chmod(machine_.on_disk(path).c_str(), mode));
  }
  /// As an earlier version created it.
  void open_all() {
    machine_.reporter.warnings.clear();
    for (const std::string directory : {"", "/web.0", "/.storage"}) {
      set_mode(place + directory, 0755);
    }
    fs::remove(machine_.on_disk(std::string(place) + "/.storage/ostree/" + store::private_mark));
  }

  Machine machine_;
  Context context_;
};

TEST_F(PrivateDirectories, AnInstallCreatesPrivateDirectories) {
  install_web();
  for (const std::string directory : {"", "/web.0", "/.storage", "/.storage/ostree"}) {
    EXPECT_EQ(0700U, mode(place + directory)) << directory;
  }
  machine_.reporter.warnings.clear();
  make_directories_private(context_);
  EXPECT_THAT(machine_.reporter.warnings, IsEmpty());
}

TEST_F(PrivateDirectories, OpenDirectoriesOfEarlierVersionsAreClosedOnce) {
  install_web();
  open_all();
  make_directories_private(context_);
  for (const std::string directory : {"", "/web.0", "/.storage", "/.storage/ostree"}) {
    EXPECT_EQ(0700U, mode(place + directory)) << directory;
  }
  ASSERT_THAT(machine_.reporter.warnings, SizeIs(1));
  EXPECT_THAT(machine_.reporter.warnings.front(), HasSubstr("other users could enter"));
  EXPECT_EQ("open\n", machine_.read(std::string(place) + "/.storage/ostree/" + store::private_mark));
  make_directories_private(context_);
  EXPECT_THAT(machine_.reporter.warnings, SizeIs(1));
}

TEST_F(PrivateDirectories, ChangedObjectsAreNotDeployed) {
  install_web();
  open_all();
  std::ofstream(machine_.on_disk(std::string(place) + "/web.0/rootfs/bin/server"), std::ios::app) << "tampered";
  make_directories_private(context_);
  InstallRequest request;
  request.image = "oci:" + (machine_.directory / "web");
  request.name = "second";
  const auto error = error_of([&] { install(context_, request); });
  EXPECT_EQ(base::ErrorKind::verification, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("/bin/server"));
  EXPECT_FALSE(machine_.exists(std::string(place) + "/second"));
}

TEST_F(PrivateDirectories, ARollbackToChangedFilesIsRefused) {
  install_web();
  auto spec = test::full_image();
  spec.files[1].content = "second";
  fs::remove_all(machine_.directory / "web");
  UpdateRequest request;
  request.name = "web";
  request.rebase = machine_.image("web", spec);
  update(context_, request);
  open_all();
  const auto server = machine_.on_disk(std::string(place) + "/web.0/rootfs/bin/server");
  fs::remove(server);  // as in a world-writable directory of the image; the object does not change
  std::ofstream(server) << "tampered";
  make_directories_private(context_);
  const auto error = error_of([&] { rollback(context_, {"web", {}}); });
  EXPECT_EQ(base::ErrorKind::verification, error.kind());
  EXPECT_EQ("web.1", fs::read_symlink(machine_.on_disk(std::string(place) + "/web")));
}

TEST_F(PrivateDirectories, TheGroupOfAUserNamespaceMayEnter) {
  if (::geteuid() != 0) {
    return;  // only root can change to any group
  }
  const auto config = base::Json::parse(
      R"({"linux":{"gidMappings":[{"containerID":1,"hostID":5,"size":1},{"containerID":0,"hostID":100000,"size":1}]}})");
  EXPECT_EQ(100000U, passing_group(config));
  EXPECT_EQ(std::nullopt, passing_group(base::Json::parse(R"({"linux":{}})")));
  EXPECT_EQ(std::nullopt, passing_group(base::Json::parse("{}")));
  install_web();
  machine_.write(std::string(place) + "/web.0/config.json", config.dump(), 0600);
  open_all();
  make_directories_private(context_);
  EXPECT_EQ(0710U, mode(place));
  EXPECT_EQ(0710U, mode(std::string(place) + "/web.0"));
  EXPECT_EQ(0700U, mode(std::string(place) + "/.storage"));
  make_directories_private(context_);
  EXPECT_THAT(machine_.reporter.warnings, SizeIs(1));
  set_mode(std::string(place) + "/.storage", 0755);
  make_directories_private(context_);
  EXPECT_EQ(0700U, mode(std::string(place) + "/.storage"));
}

TEST_F(PrivateDirectories, AConfiguredRepositoryIsClosed) {
  host::LayoutSettings settings;
  settings.root = machine_.directory / "root";
  settings.running = true;
  settings.repository = "/srv/images";
  context_.layout = host::Layout(settings);
  install_web();
  set_mode("srv/images", 0755);
  make_directories_private(context_);
  EXPECT_EQ(0700U, mode("srv/images"));
  EXPECT_EQ("open\n", machine_.read(std::string("srv/images/") + store::private_mark));
}

}  // namespace
}  // namespace berth::ops
