// SPDX-License-Identifier: LGPL-2.1-or-later
// Damage of the files that berth keeps in a deployment and on the host.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/images/verify.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::Machine;
using ::testing::Contains;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* live = "var/lib/containers/berth/web.1";
constexpr const char* other = "var/lib/containers/berth/web.0";

/// A container that was updated once: web.1 is live.
class DamagedDeployment : public ::testing::Test {
 protected:
  DamagedDeployment() : context(machine.context()) {
    context.config.settle_seconds = 0;
    InstallRequest request;
    request.image = machine.image("web", full_image());
    request.name = "web";
    install(context, request);
    store_newer("first");
    update_web();
    machine.reporter.warnings.clear();
  }

  void store_newer(const std::string& name) {
    fs::remove_all(machine.directory / "web");
    auto spec = full_image();
    spec.files.push_back({"usr/share/" + name, "x\n", 0644, ""});
    pull(context, {machine.image("web", spec), "", ""});
  }

  bool update_web() {
    UpdateRequest request;
    request.name = "web";
    return update(context, request).changed;
  }

  /// Damages a file. @return whether the file does not exist afterwards
  void damage(const std::string& path, const std::string& how) const {
    const auto place = machine.on_disk(path);
    fs::remove(place);
    if (how == "fifo") {
      ASSERT_EQ(::mkfifo(place.c_str(), 0600), 0);
    } else if (how == "directory") {
      fs::create_directory(place);
    } else if (how == "link") {
      fs::create_symlink("nowhere", place);
    } else {
      machine.write(path, how == "zeroed" ? std::string(40, '\0') : "");
    }
  }

  void expect_gone() const {
    EXPECT_FALSE(machine.exists("etc/systemd/system/web.service"));
    EXPECT_FALSE(machine.exists("var/lib/containers/berth/web"));
    EXPECT_FALSE(machine.exists(live));
    EXPECT_FALSE(host::read_journal(machine.layout, "web"));
  }

  Machine machine;
  Context context;
};

class DamagedFile : public DamagedDeployment,
                    public ::testing::WithParamInterface<std::tuple<const char*, const char*>> {};

TEST_P(DamagedFile, OfTheLiveDeploymentDoesNotPreventAnUninstall) {
  const auto& [name, how] = GetParam();
  damage(std::string(live) + "/" + name, how);
  recover_all(context);
  uninstall(context, "web");
  expect_gone();
}

TEST_P(DamagedFile, OfTheLiveDeploymentDoesNotPreventARollback) {
  const auto& [name, how] = GetParam();
  damage(std::string(live) + "/" + name, how);
  rollback(context, {"web", {}});
  EXPECT_EQ(host::current_slot(machine.layout, "web"), 0);
}

TEST_P(DamagedFile, OfTheLiveDeploymentIsReplacedByAnUpdateToTheSameImage) {
  const auto& [name, how] = GetParam();
  damage(std::string(live) + "/" + name, how);
  EXPECT_TRUE(update_web());
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr(std::string("web.1/") + name)));
  EXPECT_FALSE(update_web());
  const auto error = error_of([&] { rollback(context, {"web", {}}); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_THAT(error.what(), HasSubstr(std::string("web.1/") + name));
  EXPECT_THAT(error.hint(), HasSubstr("the next update replaces it"));
  uninstall(context, "web");
  expect_gone();
}

TEST_P(DamagedFile, IsFoundByVerify) {
  const auto& [name, how] = GetParam();
  damage(std::string(other) + "/" + name, how);
  const auto images = verify_images(context, {});
  const auto found = std::find_if(images.begin(), images.end(), [](const auto& image) { return image.name == "web"; });
  ASSERT_NE(found, images.end());
  EXPECT_THAT(found->deployments.front().reason, HasSubstr(std::string("web.0/") + name));
}

INSTANTIATE_TEST_SUITE_P(Files, DamagedFile,
                         ::testing::Combine(::testing::Values("web.service", "config.json"),
                                            ::testing::Values("fifo", "directory", "link", "empty")));
INSTANTIATE_TEST_SUITE_P(Lines, DamagedFile,
                         ::testing::Combine(::testing::Values("tmpfiles-web.conf"),
                                            ::testing::Values("fifo", "directory", "link")));
INSTANTIATE_TEST_SUITE_P(Zeroed, DamagedFile, ::testing::Values(std::tuple("config.json", "zeroed")));

TEST_F(DamagedDeployment, AnInfoThatIsNotAFileHasARemedy) {
  damage(std::string(live) + "/info", "fifo");
  EXPECT_THAT(error_of([&] { update_web(); }).hint(), HasSubstr("berth uninstall"));
  const auto images = verify_images(context, {});
  EXPECT_TRUE(images.back().deployments.front().unreadable);
  uninstall(context, "web");
  expect_gone();
}

/// The installed text is not known, so the existing file is kept.
TEST_F(DamagedDeployment, ATextWithoutItsCopyIsKept) {
  machine.write("etc/systemd/system/web.service", "# mine\n");
  damage(std::string(live) + "/web.service", "fifo");
  rollback(context, {"web", {}});
  EXPECT_EQ(machine.read("etc/systemd/system/web.service.saved"), "# mine\n");
}

TEST_F(DamagedDeployment, AMissingUnitWithoutItsCopyIsAFailureOfRecover) {
  damage(std::string(live) + "/web.service", "fifo");
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  const auto error = error_of([&] { recover_all(context); });
  EXPECT_THAT(error.what(), HasSubstr("/etc/systemd/system/web.service is missing, and its copy is damaged"));
  EXPECT_TRUE(update_web());
  EXPECT_TRUE(machine.exists("etc/systemd/system/web.service"));
}

class ReplacedFile : public DamagedDeployment, public ::testing::WithParamInterface<const char*> {};

TEST_P(ReplacedFile, IsNotAFileOfTheContainer) {
  const std::string path = GetParam();
  for (const auto* how : {"directory", "fifo"}) {
    damage(path, how);
    const auto error = error_of([&] { rollback(context, {"web", {}}); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict) << how;
    EXPECT_THAT(error.what(), HasSubstr("/" + path + " is not a regular file"));
    EXPECT_FALSE(error.hint().empty());
  }
  uninstall(context, "web");
  EXPECT_THAT(machine.reporter.warnings,
              Contains(HasSubstr("/" + path + " was not created by berth and is left in place")));
  EXPECT_TRUE(machine.exists(path));
  EXPECT_FALSE(machine.exists("var/lib/containers/berth/web"));
  EXPECT_FALSE(host::read_journal(machine.layout, "web"));
}

TEST_P(ReplacedFile, ALinkBelongsToTheAdministrator) {
  const std::string path = GetParam();
  machine.write("srv/mine", "# mine\n");
  for (const auto* target : {"/srv/mine", "/srv/gone"}) {
    fs::remove(machine.on_disk(path));
    fs::create_symlink(target, machine.on_disk(path));
    rollback(context, {"web", {}});
    EXPECT_EQ(fs::read_symlink(machine.on_disk(path + ".saved")), target);
    EXPECT_FALSE(fs::is_symlink(machine.on_disk(path)));
    fs::remove(machine.on_disk(path + ".saved"));
  }
  fs::remove(machine.on_disk(path));
  fs::create_symlink("/srv/mine", machine.on_disk(path));
  uninstall(context, "web");
  EXPECT_EQ(fs::read_symlink(machine.on_disk(path + ".saved")), "/srv/mine");
  EXPECT_EQ(machine.read("srv/mine"), "# mine\n");
}

TEST_P(ReplacedFile, ALinkIsRestoredAfterAFailure) {
  const std::string path = GetParam();
  fs::remove(machine.on_disk(path));
  fs::create_symlink("/srv/mine", machine.on_disk(path));
  machine.systemd.fail_on = "create_tmpfiles";
  error_of([&] { rollback(context, {"web", {}}); });
  EXPECT_EQ(fs::read_symlink(machine.on_disk(path)), "/srv/mine");
  EXPECT_FALSE(machine.exists(path + ".saved"));
}

INSTANTIATE_TEST_SUITE_P(Texts, ReplacedFile,
                         ::testing::Values("etc/systemd/system/web.service", "etc/tmpfiles.d/web.conf"));

}  // namespace
}  // namespace berth::ops
