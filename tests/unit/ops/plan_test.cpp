#include "ops/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/temp_folder.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Plan : public ::testing::Test {
 protected:
  Plan() : layout({}) {
    exports.present = true;
    exports.config_template =
        R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
        R"("mounts":[{"destination":"/d","type":"bind","source":"/srv/missing","options":["rbind"]}],"linux":{}})";
    exports.service_template = "[Service]\nExecStart=$EXEC_START\nSlice=a-b.slice\n";
  }

  InstallPlan make() {
    PlanInputs in;
    in.name = "web";
    in.image = "registry.example/web:latest";
    in.image_id = std::string(64, 'a');
    in.commit = std::string(64, 'c');
    in.image_config = &image_config;
    in.exports = &exports;
    in.set = set;
    in.uuid = "00000000-0000-4000-8000-000000000000";
    in.runtime = {"/usr/bin/runc", "runc 1.1.5", true};
    in.facts = &facts;
    in.layout = &layout;
    in.host_exists = [this](const std::string& path) { return existing.contains(path); };
    in.host_place = [this](const std::string& path) {
      return path.starts_with("/link/") ? layout.deployments_inside() + path.substr(5) : path;
    };
    in.read_entry = [](const exports::HostEntry&) { return std::string("text $PORT\n"); };
    in.entry_checksum = [](const exports::HostEntry&) { return std::string(64, '1'); };
    in.generate_config = [](const exports::Values&, const exports::HostFeatures&) {
      return std::string(
          R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
          R"("mounts":[{"destination":"/v","type":"bind","source":"/var/lib/web/v","options":["rbind"]}],"linux":{}})");
    };
    in.volume_tmpfiles = [](const exports::Values&) { return std::string("d /var/lib/web/v 0750 33 33 - -\n"); };
    return make_plan(in);
  }

  void add_file(const std::string& path, mode_t mode = 0644) {
    exports::HostEntry entry;
    entry.path = path;
    entry.mode = mode;
    exports.host_entries.push_back(entry);
  }

  std::vector<std::string> destinations(const InstallPlan& plan) {
    std::vector<std::string> result;
    for (const auto& planned : plan.files) {
      result.push_back(planned.file.destination);
    }
    return result;
  }

  host::Layout layout;
  host::Facts facts;
  image::ImageConfig image_config;
  exports::Exports exports;
  exports::Values set;
  std::set<std::string> existing = {"/", "/etc", "/srv", "/usr", "/usr/bin"};
};

TEST_F(Plan, CgroupFollowsTheSliceOfTheUnit) {
  EXPECT_THAT(make().config, HasSubstr("/a.slice/a-b.slice/web.service/payload"));
}

TEST_F(Plan, MissingBindSourcesBecomeTmpfilesLines) {
  const auto plan = make();
  EXPECT_EQ(plan.tmpfiles, "d /srv/missing 0700 0 0 - -\n");
  EXPECT_THAT(plan.tmpfiles_paths, ElementsAre("/srv/missing"));
}

TEST_F(Plan, VolumesKeepTheOwnerThatTheImageGivesThem) {
  exports.config_template.reset();
  EXPECT_EQ(make().tmpfiles, "d /var/lib/web/v 0750 33 33 - -\n");
}

TEST_F(Plan, OwnTmpfilesTemplateWinsAndAnEmptyOneMeansNone) {
  exports.tmpfiles_template = "  \n";
  EXPECT_FALSE(make().tmpfiles);
  exports.tmpfiles_template = "d $RUN_DIRECTORY/$NAME - - - - -\n";
  EXPECT_EQ(make().tmpfiles, "d /run/web - - - - -\n");
}

TEST_F(Plan, ParentsThatAreMissingArePlannedAndRecorded) {
  add_file("etc/web/conf.d/a");
  add_file("etc/web/b");
  const auto plan = make();
  EXPECT_THAT(destinations(plan), ElementsAre("/etc/web", "/etc/web/conf.d", "/etc/web/conf.d/a", "/etc/web/b"));
  EXPECT_THAT(plan.info.installed_files, ElementsAre("/etc/web", "/etc/web/conf.d", "/etc/web/conf.d/a", "/etc/web/b"));
  EXPECT_EQ(plan.info.installed_files_checksum.size(), 2U);
}

TEST_F(Plan, TwoFilesForOnePlaceAreRefused) {
  add_file("etc/a");
  add_file("etc/b");
  exports.manifest.rename_files = {{"/etc/b", "/etc/a"}};
  const auto error = error_of([this] { make(); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.sentence(), HasSubstr("/etc/a"));
}

TEST_F(Plan, FilesForOurOwnPlacesAreRefused) {
  for (const std::string path : {"etc/systemd/system/web.service", "etc/tmpfiles.d/web.conf",
                                 "var/lib/containers/berth/other/config.json", "link/other/config.json"}) {
    exports.host_entries.clear();
    add_file(path);
    EXPECT_THAT(error_of([this] { make(); }).sentence(), HasSubstr(path)) << path;
  }
}

TEST_F(Plan, TemplatesAmongHostFilesAreRendered) {
  add_file("etc/web.conf");
  exports.manifest.installed_files_template = {"/etc/web.conf"};
  set = {{"PORT", "81"}};
  const auto plan = make();
  ASSERT_EQ(plan.files.size(), 1U);
  EXPECT_EQ(plan.files[0].file.content, "text 81\n");
  EXPECT_EQ(plan.files[0].checksum, base::digest_of("text 81\n").hex());
}

TEST_F(Plan, EveryMissingVariableOfEveryTemplateIsNamed) {
  add_file("etc/web.conf");
  exports.manifest.installed_files_template = {"etc/web.conf"};
  exports.service_template = "[Service]\nExecStart=$EXEC_START $ONE\n";
  exports.tmpfiles_template = "d /x/$TWO - - - -\n";
  const auto error = error_of([this] { make(); });
  for (const std::string part : {"exports/service.template:2", "ONE", "exports/tmpfiles.template:1", "TWO",
                                 "exports/hostfs/etc/web.conf:1", "PORT"}) {
    EXPECT_THAT(std::string(error.what()), HasSubstr(part));
  }
}

TEST_F(Plan, JsonHoldsEverything) {
  add_file("etc/web.conf", 0600);
  const auto json = plan_to_json(make());
  EXPECT_EQ(json["name"], "web");
  EXPECT_EQ(json["hostFiles"][0]["path"], "/etc/web.conf");
  EXPECT_EQ(json["hostFiles"][0]["mode"], "0600");
  EXPECT_EQ(json["config"]["root"]["path"], "rootfs");
  EXPECT_THAT(json["unit"].get<std::string>(), HasSubstr("Delegate=yes"));
}

}  // namespace
}  // namespace berth::ops
