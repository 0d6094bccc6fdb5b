// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/installed_unit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/digest.hpp"
#include "base/temp_directory.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* unit_path = "etc/systemd/system/web.service";

class InstalledUnit : public test::WebTest {
 protected:
  void SetUp() override { install_web(); }
  void replace_by_link(const std::string& target) const {
    fs::remove(machine.on_disk(unit_path));
    fs::create_symlink(target, machine.on_disk(unit_path));
  }
};

TEST_F(InstalledUnit, IsMaskedByALinkToDevNullOrAnEmptyFile) {
  EXPECT_FALSE(is_masked(context, "web"));
  refuse_masked(context, "web");
  machine.write(unit_path, "");
  EXPECT_TRUE(is_masked(context, "web"));
  replace_by_link("/srv/web.service");
  EXPECT_FALSE(is_masked(context, "web"));
  replace_by_link("/dev/null");
  EXPECT_TRUE(is_masked(context, "web"));
  EXPECT_EQ(error_of([&] { refuse_masked(context, "web"); }).kind(), ErrorKind::failed);
}

TEST_F(InstalledUnit, TextsAreReadThroughLinks) {
  EXPECT_EQ(text_on_host(context, std::string("/") + unit_path), installed_unit_text(live()));
  EXPECT_FALSE(text_on_host(context, "/etc/nothing"));
  EXPECT_FALSE(text_on_host(context, "/etc/systemd"));
  machine.write("srv/web.service", "mine");
  replace_by_link("/srv/web.service");
  EXPECT_EQ(text_on_host(context, std::string("/") + unit_path), "mine");
}

TEST_F(InstalledUnit, ChecksumsAreThoseOfFilesAndLinkTargets) {
  machine.write("srv/file", "content");
  EXPECT_EQ(checksum_on_host(context, "/srv/file"), base::digest_of("content").hex());
  replace_by_link("/srv/file");
  EXPECT_EQ(checksum_on_host(context, std::string("/") + unit_path), base::digest_of("/srv/file").hex());
  EXPECT_EQ(checksum_on_host(context, "/srv/nothing"), "");
  EXPECT_EQ(error_of([&] { checksum_on_host(context, "/srv"); }).kind(), ErrorKind::conflict);
}

TEST_F(InstalledUnit, EditedFilesAndLinksAreSavedUnderAFreeName) {
  EXPECT_EQ(saved_texts(context, live()).unit, "");
  machine.write(unit_path, "edited");
  EXPECT_EQ(saved_texts(context, live()).unit, std::string("/") + unit_path + ".saved");
  EXPECT_EQ(saved_texts(context, live()).tmpfiles, "");
  machine.write(std::string(unit_path) + ".saved", "earlier");
  EXPECT_EQ(saved_texts(context, live()).unit, std::string("/") + unit_path + ".saved.1");
  replace_by_link("/srv/web.service");
  EXPECT_EQ(saved_texts(context, live()).unit, std::string("/") + unit_path + ".saved.1");
  replace_by_link("/dev/null");
  EXPECT_EQ(saved_texts(context, live()).unit, "");
}

TEST_F(InstalledUnit, MissingFilesAreRestoredFromTheDeployment) {
  const auto before = tree();
  EXPECT_FALSE(misses_texts(context, live()));
  EXPECT_FALSE(restore_missing_texts(context, live()));
  fs::remove(machine.on_disk(unit_path));
  fs::remove(machine.on_disk("etc/tmpfiles.d/web.conf"));
  EXPECT_TRUE(misses_texts(context, live()));
  EXPECT_TRUE(restore_missing_texts(context, live()));
  EXPECT_EQ(tree(), before);
  EXPECT_THAT(machine.systemd.calls, ElementsAre("reload"));
}

TEST_F(InstalledUnit, DamageOfADeploymentIsReported) {
  const auto path = live().path;
  const std::string directory = std::string(test::deployments) + "/web.0/";
  EXPECT_EQ(damage_of_deployment(path, "web", true), "");
  machine.write(directory + "web.service", "");
  EXPECT_THAT(damage_of_deployment(path, "web", true), HasSubstr("web.service is empty"));
  EXPECT_EQ(damage_of_deployment(path, "web", false), "");
  machine.write(directory + "web.service", "[Service]\n");
  machine.write(directory + "config.json", "{");
  EXPECT_THAT(damage_of_deployment(path, "web", true), HasSubstr("config.json"));
  fs::remove(machine.on_disk(directory + "config.json"));
  EXPECT_THAT(damage_of_deployment(path, "web", true), HasSubstr("config.json is missing"));
}

TEST_F(InstalledUnit, DropInsAreFoundInAllUnitDirectories) {
  machine.write("etc/systemd/system/web.service.d/a.conf", "");
  machine.write("etc/systemd/system/web.service.d/a.txt", "");
  machine.write("etc/systemd/system.control/web.service.d/b.conf", "");
  EXPECT_THAT(settings_beside(context, "web"), ElementsAre("/etc/systemd/system/web.service.d/a.conf",
                                                           "/etc/systemd/system.control/web.service.d/b.conf"));
}

TEST_F(InstalledUnit, UnitsAreThoseOfContainersWithAService) {
  EXPECT_EQ(unit_of(context, "web"), "web.service");
  EXPECT_EQ(error_of([&] { unit_of(context, "other"); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
