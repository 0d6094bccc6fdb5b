// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/plan/plan.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/json.hpp"
#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// A host with a few paths, all owned by root; /link is a link to the directory of deployments.
class FakeProbe final : public HostProbe {
 public:
  [[nodiscard]] bool exists(const std::string& path) const override { return existing.contains(path); }
  [[nodiscard]] bool matches(const PlannedFile& /*planned*/) const override { return false; }
  [[nodiscard]] std::string resolve(const std::string& path) const override {
    return path.starts_with("/link/") ? host::Layout({}).deployments_in_root() + path.substr(5) : path;
  }
  [[nodiscard]] std::optional<uid_t> directory_owner(const std::string& path) const override {
    return exists(path) ? std::optional<uid_t>(0) : std::nullopt;
  }
  [[nodiscard]] std::optional<struct stat> status(const std::string& path) const override {
    return exists(path) ? std::optional<struct stat>(std::in_place) : std::nullopt;
  }
  [[nodiscard]] std::string read_entry(const render::HostEntry& /*entry*/) const override { return "text $PORT\n"; }
  [[nodiscard]] std::string entry_checksum(const render::HostEntry& /*entry*/) const override {
    return std::string(64, '1');
  }
  [[nodiscard]] std::string generate_config(const render::Values& /*values*/,
                                            const render::HostFeatures& /*features*/) const override {
    return generated;
  }
  [[nodiscard]] std::vector<render::Volume> volumes(const std::string& directory) const override {
    return {{"/v", directory + "/v", 0750, 33, 33, {}}};
  }
  [[nodiscard]] std::vector<std::string> stream_links() const override { return links; }

  std::set<std::string> existing = {"/", "/etc", "/srv", "/usr", "/usr/bin"};
  std::vector<std::string> links;  ///< links of the image to standard streams
  std::string generated =
      R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
      R"("mounts":[{"destination":"/v","type":"bind","source":"/var/lib/berth/web/v","options":["rbind"]}],"linux":{}})";
};

class Plan : public ::testing::Test {
 protected:
  Plan() : layout({}) {
    exports.present = true;
    exports.config_template =
        R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
        R"("mounts":[{"destination":"/d","type":"bind","source":"/srv/missing","options":["rbind"]}],"linux":{}})";
    exports.service_template = "[Service]\nExecStart=$EXEC_START\nSlice=a-b.slice\n";
  }

  InstallPlan make() const {
    PlanRequest request;
    request.set = set;
    request.uuid = "00000000-0000-4000-8000-000000000000";
    request.runtime = runtime;
    request.one_off = one_off;
    PlanTarget target;
    target.name = "web";
    target.preview = preview;
    const std::string image_name = "registry.example/web:latest";
    return make_plan({target,
                      {image_name, std::string(64, 'a'), std::string(64, 'c'), image_config, exports},
                      {layout, facts, {}, {}, {}, {}},
                      request,
                      probe});
  }

  void add_file(const std::string& path, mode_t mode = 0644) {
    render::HostEntry entry;
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
  host::Runtime runtime = {"/usr/bin/runc", "runc 1.1.5", true};
  image::ImageConfig image_config;
  render::Exports exports;
  render::Values set;
  FakeProbe probe;
  bool one_off = false;
  bool preview = false;
};

TEST_F(Plan, CgroupFollowsTheSliceOfTheUnit) {
  EXPECT_THAT(make().config, HasSubstr("\"web.service/payload\""));  // relative to the parent of runc's cgroup
  runtime = {"/usr/bin/crun", "crun 1.8.1", true};
  EXPECT_THAT(make().config, HasSubstr("/a.slice/a-b.slice/web.service/payload"));
}

TEST_F(Plan, MissingBindSourcesBecomeTmpfilesLines) {
  const auto plan = make();
  EXPECT_EQ(plan.tmpfiles, "d /srv/missing 0700 0 0 - -\n");
  EXPECT_THAT(plan.tmpfiles_paths, ElementsAre("/srv/missing"));
}

TEST_F(Plan, VolumesKeepTheOwnerThatTheImageGivesThem) {
  exports.config_template.reset();
  EXPECT_EQ(make().tmpfiles,
            "d /var/lib/berth 0700 0 0 - -\nd /var/lib/berth/web 0700 0 0 - -\n"
            "d /var/lib/berth/web/v 0750 33 33 - -\n");
  set = {{"STATE_DIRECTORY", "/data"}};
  EXPECT_EQ(make().volumes.at(0).source, "/data/berth/web/v");
}

TEST_F(Plan, CopiesForNameResolutionGetNoTmpfilesLine) {
  exports.config_template.reset();
  probe.generated =
      R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
      R"("mounts":[{"destination":"/etc/hosts","type":"bind","source":"/run/container-web/hosts",)"
      R"("options":["bind","ro"]}],"linux":{}})";
  const auto plan = make();
  EXPECT_THAT(*plan.tmpfiles, Not(HasSubstr("container-web")));
  EXPECT_THAT(*plan.unit, HasSubstr("RuntimeDirectory=container-web\n"));
  EXPECT_TRUE(plan.findings.empty());
}

TEST_F(Plan, RefusesBindsOfDataOfOtherContainers) {
  const auto bind = [this](const std::string& source) {
    exports.config_template =
        R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
        R"("mounts":[{"destination":"/d","type":"bind","source":")" +
        source + R"(","options":["rbind"]}],"linux":{}})";
  };
  bind("/var/lib/berth/web/data");
  EXPECT_NO_THROW(make());
  bind("/var/lib/berth/other/data");
  EXPECT_THAT(error_of([this] { make(); }).message(), HasSubstr("berth's own"));
}

TEST_F(Plan, SourcesAmongHostFilesGetNoTmpfilesLine) {
  exports.config_template =
      R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
      R"("mounts":[{"destination":"/d","type":"bind","source":"/etc/kubernetes/","options":["rbind","ro"]},)"
      R"({"destination":"/f","type":"bind","source":"/etc/kubernetes/conf","options":["rbind","ro"]}],"linux":{}})";
  add_file("etc/kubernetes/conf");
  const auto plan = make();
  EXPECT_FALSE(plan.tmpfiles);
  EXPECT_TRUE(plan.findings.empty());
}

TEST_F(Plan, SourcesThatAreNotCreatedAreReported) {
  exports.tmpfiles_template = "d /var/lib/other 0700\n";
  const auto plan = make();
  ASSERT_EQ(plan.findings.size(), 1U);
  EXPECT_EQ(plan.findings[0].code, "source-not-made");
  EXPECT_THAT(plan.findings[0].message, HasSubstr("/srv/missing, which is bound at /d"));
  probe.existing.insert("/srv/missing");
  exports.config_template->replace(exports.config_template->find("\"rbind\""), 7, "\"rbind\",\"ro\"");
  EXPECT_TRUE(make().findings.empty());
}

TEST_F(Plan, WritableDirectoriesAreClosedToOthersOrReported) {
  exports.tmpfiles_template = "d /srv/missing 0755 0 0 - -\n";
  exports.config_template->replace(exports.config_template->find("{}}"), 2, R"({"namespaces":[{"type":"mount"}]})");
  auto plan = make();
  EXPECT_EQ(plan.tmpfiles, "d /srv/missing 0750 0 0 - -\n");
  ASSERT_EQ(plan.findings.size(), 1U);
  EXPECT_EQ(plan.findings[0].code, "closed-directory");
  for (const char* lines : {"d /srv/missing 0777 0 0 - -\n", "d /srv/missing 0700 1000 1000 - -\n"}) {
    exports.tmpfiles_template = lines;
    plan = make();
    EXPECT_EQ(plan.tmpfiles, lines);
    ASSERT_EQ(plan.findings.size(), 1U) << lines;
    EXPECT_EQ(plan.findings[0].code, "open-to-others");
  }
}

TEST_F(Plan, LinksToStandardStreamsAreReportedUnlessTheOutputIsAFile) {
  probe.existing.insert("/srv/missing");
  exports.config_template->replace(exports.config_template->find("\"rbind\""), 7, "\"rbind\",\"ro\"");
  probe.links = {"/var/log/nginx/access.log"};
  const auto plan = make();
  ASSERT_EQ(plan.findings.size(), 1U);
  EXPECT_EQ(plan.findings[0].code, "stream-link");
  EXPECT_THAT(plan.findings[0].message, HasSubstr("/var/log/nginx/access.log"));
  exports.service_template = "[Service]\nExecStart=$EXEC_START\nStandardOutput=append:/var/log/x\n";
  EXPECT_TRUE(make().findings.empty());
}

TEST_F(Plan, ATmpfilesTemplateReplacesTheGeneratedLines) {
  exports.tmpfiles_template = "  \n";
  EXPECT_FALSE(make().tmpfiles);
  exports.tmpfiles_template = "d $RUN_DIRECTORY/$NAME - - - - -\n";
  EXPECT_EQ(make().tmpfiles, "d /run/web - - - - -\n");
}

TEST_F(Plan, InvalidTmpfilesLinesAreRefused) {
  for (const auto* line : {"d run/x", "d /run/../x", "k /run/x", "d /run/x 99999"}) {
    exports.tmpfiles_template = fmt::format("# first\n{}\n", line);
    const auto error = error_of([&] { make(); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << line;
    EXPECT_THAT(error.what(), HasSubstr("exports/tmpfiles.template:2: ")) << line;
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(Plan, FilesInDirectoriesOfTheKernelAreRefused) {
  for (const auto* path : {"proc/x", "sys/x/y", "dev/shm/x"}) {
    exports.host_entries.clear();
    add_file(path);
    EXPECT_THAT(error_of([&] { make(); }).what(), HasSubstr("which belongs to the kernel")) << path;
  }
}

TEST_F(Plan, MissingParentsArePlannedAndRecorded) {
  add_file("etc/web/conf.d/a");
  add_file("etc/web/b");
  const auto plan = make();
  EXPECT_THAT(destinations(plan), ElementsAre("/etc/web", "/etc/web/conf.d", "/etc/web/conf.d/a", "/etc/web/b"));
  EXPECT_THAT(plan.info.installed_files, ElementsAre("/etc/web", "/etc/web/conf.d", "/etc/web/conf.d/a", "/etc/web/b"));
  EXPECT_EQ(plan.info.installed_files_checksum.size(), 2U);
}

TEST_F(Plan, TwoFilesWithOneDestinationAreRefused) {
  add_file("etc/a");
  add_file("etc/b");
  exports.manifest.rename_files = {{"/etc/b", "/etc/a"}};
  const auto error = error_of([this] { make(); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("/etc/a"));
}

TEST_F(Plan, HostFilesAtPathsOfBerthAreRefused) {
  for (const std::string path : {"etc/systemd/system/web.service", "etc/tmpfiles.d/web.conf",
                                 "var/lib/containers/berth/other/config.json", "link/other/config.json"}) {
    exports.host_entries.clear();
    add_file(path);
    EXPECT_THAT(error_of([this] { make(); }).message(), HasSubstr(path)) << path;
  }
}

TEST_F(Plan, HostFilesInDirectoriesOfBerthAreRefused) {
  for (const std::string path : {"etc/berth/berth.conf", "usr/lib/containers/berth/x.0/info",
                                 "var/lib/containers/berth/.storage/ostree/config"}) {
    exports.host_entries.clear();
    add_file(path);
    const auto error = error_of([this] { make(); });
    EXPECT_EQ(error.kind(), ErrorKind::conflict);
    EXPECT_THAT(error.message(), HasSubstr("which berth itself writes")) << path;
    EXPECT_THAT(error.hint(), HasSubstr("--name"));
  }
}

TEST_F(Plan, HostFilesRenamedToPathsOfBerthAreRefused) {
  add_file("etc/harmless");
  exports.manifest.rename_files = {{"/etc/harmless", "/etc/systemd/system/${NAME}.service"}};
  EXPECT_THAT(error_of([this] { make(); }).message(), HasSubstr("exports/hostfs/etc/harmless"));
}

TEST_F(Plan, LinksIntoDirectoriesOfBerthAreRefused) {
  for (const std::string target : {"/var/lib/containers/berth", "/var/lib/containers/berth/x.0/rootfs", "/etc/berth"}) {
    exports.host_entries.clear();
    render::HostEntry entry;
    entry.path = "srv/link";
    entry.kind = render::HostEntryKind::link;
    entry.link_target = target;
    exports.host_entries.push_back(entry);
    EXPECT_THAT(error_of([this] { make(); }).message(), HasSubstr("leads to " + target));
  }
}

/// A configuration with one mount.
std::string config_with(const std::string& mount) {
  return R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"process":{"args":["x"],"cwd":"/"},)"
         R"("mounts":[)" +
         mount +
         R"(],"linux":{"namespaces":[{"type":"mount"},{"type":"network"},{"type":"pid"},{"type":"ipc"},{"type":"uts"}]}})";
}

TEST_F(Plan, WritableMountsOfDirectoriesOfBerthAreRefused) {
  const std::vector<std::pair<std::string, std::string>> mounts = {
      {R"({"destination":"/d","type":"bind","source":"/var/lib/containers/berth","options":["rbind","rw"]})",
       "/var/lib/containers/berth, which is berth's own"},
      {R"({"destination":"/d","type":"bind","source":"/var/lib/containers/berth/other.1","options":["rbind"]})",
       "which is berth's own"},
      {R"({"destination":"/d","source":"$DESTDIR/rootfs/etc","options":["bind"]})", "web.0/rootfs/etc"},
      {R"({"destination":"/d","source":"/var/lib/containers/berth/.storage/ostree","options":["bind","ro","rw"]})",
       ".storage/ostree"},
      {R"({"destination":"/d","source":"/link/other.0","options":["bind"]})", "/link/other.0"},
      {R"({"destination":"/d","source":"rootfs","options":["bind"]})", "write to rootfs"},
      {R"({"destination":"/d","source":"/etc/berth","options":["bind"]})", "/etc/berth"},
      {R"({"destination":"/d","source":"/srv/../var/lib/containers/berth","options":["bind"]})", "has `..` in it"},
      {R"({"destination":"/d","type":"overlay","source":"overlay","options":["lowerdir=/a","upperdir=/var/lib/containers/berth/x","workdir=/w"]})",
       "/var/lib/containers/berth/x"}};
  for (const auto& [mount, words] : mounts) {
    exports.config_template = config_with(mount);
    const auto error = error_of([this] { make(); });
    EXPECT_EQ(error.kind(), ErrorKind::verification) << mount;
    EXPECT_THAT(error.message(), HasSubstr("/d")) << mount;
    EXPECT_THAT(error.message(), HasSubstr(words)) << mount;
    EXPECT_FALSE(error.hint().empty()) << mount;
  }
}

TEST_F(Plan, ReadOnlyMountsAndMountsOfParentDirectoriesArePrivileges) {
  exports.config_template =
      config_with(R"({"destination":"/d","type":"bind","source":"$DESTDIR","options":["rbind","ro"]},)"
                  R"({"destination":"/v","type":"bind","source":"/var/lib","options":["rbind","rw"]})");
  const auto plan = make();
  EXPECT_THAT(plan.privileges, ElementsAre("binds the host's /var/lib/containers/berth/web.0 read-only at /d",
                                           "binds the host's /var/lib read-write at /v",
                                           "may change the files of all containers, which are below /var/lib"));
  EXPECT_THAT(plan.host_privileges, ElementsAre("binds the host's /var/lib read-write at /v",
                                                "may change the files of all containers, which are below /var/lib"));
}

TEST_F(Plan, PrivilegesOfUnitTmpfilesAndHostFilesAreShown) {
  exports.config_template = config_with("");
  exports.service_template = "[Service]\nExecStartPre=/bin/true\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\n";
  exports.tmpfiles_template = "d /run/$NAME - - - -\nw /proc/sys/vm/swappiness - - - - 1\n";
  add_file("usr/bin/su2", 04755);
  add_file("etc/cron.d/web");
  const auto plan = make();
  const std::vector<std::string> all = {"puts a setuid or setgid program on the host: /usr/bin/su2 (4755)",
                                        "puts a file on the host that controls programs run by root: /etc/cron.d/web",
                                        "the unit runs a program of the host as root: ExecStartPre=/bin/true",
                                        "changes the host by a tmpfiles.d line: w /proc/sys/vm/swappiness - - - - 1"};
  EXPECT_EQ(plan.privileges, all);
  EXPECT_EQ(plan.host_privileges, all);
  EXPECT_EQ(plan.info.document[privileges_key], base::Json(all));
  EXPECT_EQ(to_json(plan)["privileges"].size(), 4U);
}

TEST_F(Plan, LinksAmongHostFilesAreFollowed) {
  const auto add_link = [this](const std::string& path, const std::string& target) {
    render::HostEntry entry;
    entry.path = path;
    entry.kind = render::HostEntryKind::link;
    entry.link_target = target;
    exports.host_entries.push_back(entry);
  };
  exports.config_template =
      config_with(R"({"destination":"/d","type":"bind","source":"/srv/all/inner","options":["bind","rw"]})");
  add_link("srv/all", "next");
  add_link("srv/next", "../");
  const std::string etc = "binds the host's /srv/all/inner, which leads to /inner, read-write at /d";
  EXPECT_THAT(make().host_privileges, Not(::testing::Contains(etc)));
  exports.host_entries.pop_back();
  add_link("srv/next", "../usr/..");
  add_link("inner", "/etc/");
  EXPECT_THAT(make().host_privileges,
              ::testing::Contains("binds the host's /srv/all/inner, which leads to /etc, read-write at /d"));
  exports.host_entries.pop_back();
  add_link("inner", "var/lib");
  EXPECT_THAT(make().host_privileges, ::testing::Contains("may change the files of all containers, which are below "
                                                          "/srv/all/inner"));
  exports.config_template = config_with(
      R"({"destination":"/d","type":"bind","source":"/srv/all/inner/containers/berth","options":["bind"]})");
  EXPECT_THAT(error_of([this] { make(); }).message(), HasSubstr("which is berth's own"));
  exports.host_entries.clear();
  add_link("srv/link", "../var/lib/containers/berth/x.0");
  EXPECT_THAT(error_of([this] { make(); }).message(), HasSubstr("which berth itself writes"));
}

TEST_F(Plan, ATemplateAsAnEnvironmentFileIsAPrivilege) {
  exports.service_template = "[Service]\nExecStart=$EXEC_START\nEnvironmentFile=-/etc/sysconfig/*\n";
  set = {{"PORT", "LD_PRELOAD=/x"}};
  add_file("etc/sysconfig/web");
  EXPECT_THAT(make().host_privileges, Not(::testing::Contains(HasSubstr("/etc/sysconfig/web"))));
  exports.manifest.installed_files_template = {"/etc/sysconfig/web"};
  EXPECT_THAT(
      make().host_privileges,
      ::testing::Contains("the unit changes which programs it runs by a file of the image: /etc/sysconfig/web"));
}

TEST_F(Plan, AServiceWithATerminalIsRefused) {
  exports.config_template->replace(exports.config_template->find("\"cwd\""), 0, "\"terminal\":true,");
  const auto error = error_of([this] { make(); });
  EXPECT_EQ(error.kind(), ErrorKind::verification);
  EXPECT_EQ(error.message(),
            "exports/config.json.template: the process requires a terminal, which a service does not have");
  preview = true;  // lint reports it itself
  EXPECT_NO_THROW(make());
  preview = false;
  one_off = true;  // run provides a terminal
  EXPECT_NO_THROW(make());
}

TEST_F(Plan, AOneOffHasThePrivilegesOfItsConfigurationOnly) {
  one_off = true;
  exports.service_template = "[Service]\nExecStart=$EXEC_START\nExecStartPre=/bin/evil\n";
  exports.tmpfiles_template = "R /etc\n";
  add_file("etc/cron.d/x");
  exports.config_template->replace(exports.config_template->find("\"mounts\""), 0,
                                   R"("hooks":{"prestart":[{"path":"/bin/hook"}]},)");
  const auto plan = make();
  EXPECT_THAT(plan.host_privileges,
              ElementsAre("shares the host's mounts", "hooks run on the host: /bin/hook (prestart)"));
  EXPECT_FALSE(plan.unit || plan.tmpfiles || !plan.files.empty());
}

TEST_F(Plan, APayloadWithTheHostsRunNotifiesSystemdItself) {
  exports.config_template =
      config_with(R"({"destination":"/run","type":"bind","source":"/run","options":["rbind","rw"]})");
  exports.service_template = "[Service]\nType=notify\nExecStart=$EXEC_START\n";
  for (const host::Runtime& each : {host::Runtime{"/usr/bin/crun", "crun 1.8.1", true}, runtime}) {
    runtime = each;
    const auto plan = make();
    EXPECT_THAT(*plan.unit, HasSubstr("\nUnsetEnvironment=NOTIFY_SOCKET\nNotifyAccess=all\n")) << each.version;
    EXPECT_THAT(plan.config, HasSubstr("NOTIFY_SOCKET=/run/systemd/notify"));
    EXPECT_EQ(plan.conversions.size(), 1U);
  }
  exports.config_template = config_with("");
  EXPECT_THAT(*make().unit, Not(HasSubstr("UnsetEnvironment")));
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

TEST_F(Plan, EveryMissingVariableOfEveryTemplateIsReported) {
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

TEST_F(Plan, JsonContainsEveryMember) {
  add_file("etc/web.conf", 0600);
  const auto json = to_json(make());
  EXPECT_EQ(json["name"], "web");
  EXPECT_EQ(json["hostFiles"][0]["path"], "/etc/web.conf");
  EXPECT_EQ(json["hostFiles"][0]["mode"], "0600");
  EXPECT_EQ(json["config"]["root"]["path"], "rootfs");
  EXPECT_THAT(json["unit"].get<std::string>(), HasSubstr("Delegate=yes"));
}

}  // namespace
}  // namespace berth::ops
