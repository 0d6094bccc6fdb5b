// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/install.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/temp_directory.hpp"
#include "host/state/deployment.hpp"
#include "host/state/lock.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::deployments;
using test::full_image;
using test::ImageSpec;
using test::Machine;
using test::tree_text;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

InstallRequest request_for(const std::string& image, const std::string& name = "web") {
  InstallRequest request;
  request.image = image;
  request.name = name;
  return request;
}

TEST(Install, CreatesAllFiles) {
  Machine machine;
  auto context = machine.context();
  const auto outcome = install(context, request_for(machine.image("web", full_image())));
  EXPECT_FALSE(outcome.already_present);
  const std::string base = std::string(deployments) + "/web";
  EXPECT_EQ(std::filesystem::read_symlink(machine.on_disk(base)), "web.0");
  EXPECT_TRUE(machine.exists(base + "/rootfs/bin/server"));
  EXPECT_THAT(machine.read(base + "/config.json"), HasSubstr(R"("80")"));
  EXPECT_THAT(machine.read(base + "/config.json"), HasSubstr("\"web.service/payload\""));
  EXPECT_THAT(machine.read("etc/systemd/system/web.service"), HasSubstr("Description=Test web"));
  EXPECT_EQ(machine.read("etc/systemd/system/web.service"), machine.read(base + "/web.service"));
  EXPECT_EQ(machine.read("etc/tmpfiles.d/web.conf"), "d /var/lib/web 0700 0 0 - -\n");
  EXPECT_EQ(machine.read("usr/local/bin/webctl"), "control\n");
  EXPECT_EQ(std::filesystem::status(machine.on_disk("usr/local/bin/webctl")).permissions(),
            std::filesystem::perms{04755});
  EXPECT_EQ(machine.read("etc/web/web.conf"), "greeting=hello\n");
  EXPECT_EQ(std::filesystem::read_symlink(machine.on_disk("etc/web/current")), "web.conf");
  EXPECT_TRUE(machine.exists("var/lib/web-data"));
  EXPECT_THAT(machine.systemd.calls,
              ::testing::ElementsAre("enable web.service", "reload", "create_tmpfiles /etc/tmpfiles.d/web.conf"));
  const auto found = host::find_deployment(machine.layout, "web");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->info.values.at("GREETING"), "hello");
  EXPECT_THAT(found->info.installed_files, Contains("/etc/web"));
  EXPECT_EQ(found->info.installed_files_checksum.at("/etc/web/web.conf"), base::digest_of("greeting=hello\n").hex());
  EXPECT_FALSE(host::read_journal(machine.layout, "web"));
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/.staging-web"));
}

/// Files that systemd-tmpfiles created are removed unless they were changed.
TEST(Install, KeepsChangedFilesOfTmpfilesLines) {
  Machine machine;
  auto context = machine.context();
  auto spec = full_image();
  spec.files.push_back(
      {"exports/tmpfiles.template",
       "d /srv/web 0755 - - - -\nf /srv/web/made 0644 - - - one\\n100%%\nf /srv/web/edited - - - - one\n"
       "L /srv/web/link - - - - made\nL /srv/web/turned - - - - made\nC /srv/web/copy - - - - /srv/source\n"
       "f /srv/web/host - - - - %H\np /srv/web/pipe - - - -\n",
       0644, ""});
  machine.write("srv/source", "copied\n");
  machine.systemd.on_call = [&](const std::string& call) {
    if (call.starts_with("create_tmpfiles")) {
      for (const auto& [name, text] : {std::pair("made", "one\n100%"), std::pair("edited", "two"),
                                       std::pair("copy", "copied\n"), std::pair("host", "berth")}) {
        machine.write("srv/web/" + std::string(name), text);
      }
      std::filesystem::create_symlink("made", machine.on_disk("srv/web/link"));
      std::filesystem::create_symlink("/etc", machine.on_disk("srv/web/turned"));
      ASSERT_EQ(::mkfifo(machine.on_disk("srv/web/pipe").c_str(), 0600), 0);
    }
    if (call.starts_with("start")) {
      throw base::Error(ErrorKind::failed, "injected");
    }
  };
  auto request = request_for(machine.image("web", spec));
  request.start = true;
  EXPECT_THROW(install(context, request), base::Error);
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(machine.on_disk("srv/web"))) {
    left.insert(entry.path().filename());
  }
  EXPECT_THAT(left, ::testing::ElementsAre("edited", "host", "turned"));
  EXPECT_THAT(machine.reporter.warnings,
              Contains("/srv/web/edited was changed after systemd-tmpfiles created it and is kept"));
}

TEST(Install, FilesWithValuesAreNotReadableByOtherUsers) {
  Machine machine;
  auto context = machine.context();
  install(context, request_for(machine.image("web", full_image())));
  for (const std::string file : {"info", "config.json"}) {
    const auto status = std::filesystem::status(machine.on_disk(std::string(deployments) + "/web/" + file));
    EXPECT_EQ(status.permissions(), std::filesystem::perms{0600}) << file;
  }
}

TEST(Install, AUnitThatSystemdCannotReadIsRemovedAndTheReasonReported) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  machine.systemd.on_state = [](host::UnitState& state) {
    if (state.load_state == "loaded") {
      state.load_state = "bad-setting";
      state.load_error = "Unit web.service has a bad unit file setting.";
    }
  };
  machine.systemd.journal["web.service"] = {"web.service:3: Unknown key name"};
  const auto error = error_of([&] { install(context, request_for(image)); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_EQ(error.message(),
            "systemd cannot load web.service (bad-setting): Unit web.service has a bad unit file setting.");
  EXPECT_THAT(error.details(), HasSubstr("web.service:3: Unknown key name"));
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
  ASSERT_FALSE(machine.systemd.calls.empty());
  EXPECT_EQ(machine.systemd.calls.back(), "reload") << "systemd has forgotten the unit again";
}

TEST(Install, TakenNameChangesNothing) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  install(context, request_for(image));
  const auto before = tree_text(machine.on_disk(""));
  EXPECT_TRUE(install(context, request_for(image)).already_present);
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

/// Fails at every step, and compares the whole tree each time.
TEST(Install, AFailureAtAnyStepLeavesTheHostUnchanged) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  std::size_t steps = 0;
  for (std::size_t fail_at = 0;; ++fail_at) {
    auto request = request_for(image);
    request.start = true;
    bool failed = false;
    try {
      install(context, request, [&](std::size_t index) {
        steps = std::max(steps, index);
        if (index == fail_at) {
          throw base::Error(ErrorKind::failed, "injected");
        }
      });
    } catch (const base::Error& error) {
      failed = true;
      EXPECT_EQ(error.message(), "injected");
    }
    if (!failed) {
      break;
    }
    ASSERT_EQ(tree_text(machine.on_disk("")), before) << "after a failure at step " << fail_at;
    ASSERT_TRUE(machine.systemd.enabled.empty());
    ASSERT_TRUE(machine.systemd.active.empty());
  }
  EXPECT_GE(steps, 12U);
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
}

/// The same, but the step itself fails, in systemd, half-way.
TEST(Install, AFailureOfSystemdAtAnyCallLeavesTheHostUnchanged) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  for (const std::string call : {"reload", "create_tmpfiles", "enable", "start"}) {
    auto request = request_for(image);
    request.start = true;
    machine.systemd.fail_on = call;
    const auto error = error_of([&] { install(context, request); });
    EXPECT_EQ(error.message(), "systemd refused") << call;
    machine.systemd.fail_on.clear();
    recover_all(context);  // for a reload that fails the second time, too
    ASSERT_EQ(tree_text(machine.on_disk("")), before) << call;
  }
}

TEST(Install, AServiceThatDoesNotStartIsRemoved) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  machine.systemd.start_results["web.service"] = {false, "failed", "exited with status 3"};
  machine.systemd.journal["web.service"] = {"cannot bind"};
  auto request = request_for(image);
  request.start = true;
  const auto error = error_of([&] { install(context, request); });
  EXPECT_EQ(error.kind(), ErrorKind::start_failed);
  EXPECT_THAT(error.message(), HasSubstr("exited with status 3"));
  EXPECT_THAT(error.details(), HasSubstr("cannot bind"));
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

TEST(Install, AStopRequestRevertsTheInstall) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  const auto stop = [&](std::size_t index) {
    if (index == 5) {
      machine.stop.request_stop();
    }
  };
  EXPECT_THROW(install(context, request_for(image), stop), base::Interrupted);
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

/// As after a kill: the record exists, and the steps up to i are done. The next command reverts the install.
TEST(Install, TheJournalRecordIsSufficientToRevertIt) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  const auto outcome = install(context, request_for(image));
  host::write_journal(machine.layout, "web", to_json(install_record(context, *outcome.plan, false)));
  recover_pending(context);
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
  EXPECT_THAT(machine.reporter.steps, Contains("undoing an interrupted install of web"));
}

TEST(Install, StaleStagingIsRemovedByTheNextCommand) {
  Machine machine;
  auto context = machine.context();
  machine.write(std::string(deployments) + "/.staging-old/rootfs/x", "left over");
  recover_pending(context);
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/.staging-old"));
}

TEST(Install, OnlyPlanChangesNothing) {
  Machine machine;
  auto context = machine.context();
  auto request = request_for(machine.image("web", full_image()));
  request.only_plan = true;
  const auto before = tree_text(machine.on_disk(""));
  const auto outcome = install(context, request);
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
  EXPECT_EQ(outcome.plan->files.size(), 5U);
  EXPECT_TRUE(machine.systemd.calls.empty());
}

TEST(Install, ExistingHostFileStaysAndIsNotRecorded) {
  Machine machine;
  auto context = machine.context();
  machine.write("etc/web/web.conf", "mine\n");
  install(context, request_for(machine.image("web", full_image())));
  EXPECT_EQ(machine.read("etc/web/web.conf"), "mine\n");
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/etc/web/web.conf exists on the host already")));
  const auto info = host::find_deployment(machine.layout, "web")->info;
  EXPECT_THAT(info.installed_files, ::testing::Not(Contains("/etc/web/web.conf")));
}

TEST(Install, PrivilegesAreOneWarning) {
  Machine machine;
  auto context = machine.context();
  auto request = request_for(machine.image("web", full_image()));
  install(context, request);
  EXPECT_THAT(machine.reporter.warnings,
              ElementsAre("web can do what root on this host can: puts a setuid or setgid program on the host: "
                          "/usr/local/bin/webctl (4755)"));
}

TEST(Install, AnImageForAnotherPlatformIsAWarningEvenWhenItIsStored) {
  Machine machine;
  auto context = machine.context();
  ImageSpec spec = full_image();
  spec.architecture = "pdp11";
  auto request = request_for(machine.image("web", spec));
  const auto words = HasSubstr("is built for linux/pdp11, not for linux/");
  pull(context, {request.image, "", ""});
  EXPECT_THAT(machine.reporter.warnings, ElementsAre(words));
  machine.reporter.warnings.clear();
  install(context, request);
  EXPECT_THAT(machine.reporter.warnings, Contains(words));
  machine.reporter.warnings.clear();
  pull(context, {request.image, "", "linux/pdp11"});
  EXPECT_TRUE(machine.reporter.warnings.empty());
}

struct Refusal {
  std::string label;
  std::function<void(Machine&, InstallRequest&)> prepare;
  ErrorKind kind;
  std::string message;
};

TEST(Install, RefusalsChangeNothing) {
  const std::vector<Refusal> refusals = {
      {"unit", [](Machine& m, InstallRequest&) { m.write("etc/systemd/system/web.service", "x"); }, ErrorKind::conflict,
       "the unit /etc/systemd/system/web.service exists already"},
      {"vendor unit", [](Machine& m, InstallRequest&) { m.write("usr/lib/systemd/system/web.service", "x"); },
       ErrorKind::conflict, "the unit /usr/lib/systemd/system/web.service exists already"},
      {"tmpfiles", [](Machine& m, InstallRequest&) { m.write("etc/tmpfiles.d/web.conf", "x"); }, ErrorKind::conflict,
       "the tmpfiles configuration /etc/tmpfiles.d/web.conf exists already"},
      {"vendor tmpfiles", [](Machine& m, InstallRequest&) { m.write("usr/lib/tmpfiles.d/web.conf", "x"); },
       ErrorKind::conflict, "the tmpfiles configuration /usr/lib/tmpfiles.d/web.conf exists already"},
      {"tmpfiles of this boot", [](Machine& m, InstallRequest&) { m.write("run/tmpfiles.d/web.conf", "x"); },
       ErrorKind::conflict, "the tmpfiles configuration /run/tmpfiles.d/web.conf exists already"},
      {"vendor sysusers", [](Machine& m, InstallRequest&) { m.write("usr/lib/sysusers.d/web.conf", "x"); },
       ErrorKind::conflict, "the sysusers configuration /usr/lib/sysusers.d/web.conf exists already"},
      {"vendor drop-in",
       [](Machine& m, InstallRequest&) { m.write("usr/lib/systemd/system/web.service.d/a.conf", ""); },
       ErrorKind::conflict, "the directory /usr/lib/systemd/system/web.service.d exists already"},
      {"drop-in of units so called",
       [](Machine& m, InstallRequest& request) {
         request.name = "team-web-one";
         m.write("usr/lib/systemd/system/team-web-.service.d/a.conf", "");
       },
       ErrorKind::conflict, "the directory /usr/lib/systemd/system/team-web-.service.d exists already"},
      {"vendor dependencies",
       [](Machine& m, InstallRequest&) { m.make_directory("usr/lib/systemd/system/web.service.wants"); },
       ErrorKind::conflict, "the directory /usr/lib/systemd/system/web.service.wants exists already"},
      {"vendor socket", [](Machine& m, InstallRequest&) { m.write("usr/lib/systemd/system/web.socket", "x"); },
       ErrorKind::conflict,
       "a unit that starts the service of that name, /usr/lib/systemd/system/web.socket exists already"},
      {"timer of this boot", [](Machine& m, InstallRequest&) { m.write("run/systemd/system/web.timer", "x"); },
       ErrorKind::conflict, "a unit that starts the service of that name, /run/systemd/system/web.timer exists"},
      {"link of the vendor",
       [](Machine& m, InstallRequest&) {
         m.make_directory("usr/lib/systemd/system/multi-user.target.wants");
         std::filesystem::create_symlink("../web.service",
                                         m.on_disk("usr/lib/systemd/system/multi-user.target.wants/web.service"));
       },
       ErrorKind::conflict,
       "the system enables a unit of that name: the link /usr/lib/systemd/system/multi-user.target.wants/web.service"},
      {"alias",
       [](Machine& m, InstallRequest& request) {
         m.write("usr/lib/systemd/system/sshd.service", "x");
         auto spec = test::full_image();
         for (auto& file : spec.files) {
           if (file.name == "exports/service.template") {
             file.content += "Alias=httpd.service sshd.service\n";
           }
         }
         request.image = m.image("alias", spec);
       },
       ErrorKind::conflict, "has the alias sshd.service"},
      {"runtime", [](Machine&, InstallRequest& r) { r.runtime = "/usr/bin/nope"; }, ErrorKind::not_found,
       "is not installed"},
      {"name", [](Machine&, InstallRequest& r) { r.name = "../x"; }, ErrorKind::usage, "../x"},
      {"forced", [](Machine&, InstallRequest& r) { r.set = {"NAME=other"}; }, ErrorKind::usage, "NAME"},
      {"malformed", [](Machine&, InstallRequest& r) { r.set = {"PORT"}; }, ErrorKind::usage, "PORT"},
      {"package", [](Machine&, InstallRequest& r) { r.system_package = "maybe"; }, ErrorKind::usage,
       "--system-package=maybe is not supported"},
      {"left over", [](Machine& m, InstallRequest&) { m.make_directory("var/lib/containers/berth/web.0"); },
       ErrorKind::conflict, "is left over from a container"},
      {"no container", [](Machine& m, InstallRequest&) { m.make_directory("var/lib/containers/berth/web"); },
       ErrorKind::conflict, "exists and is not a container"}};
  for (const auto& refusal : refusals) {
    Machine machine;
    auto context = machine.context();
    auto request = request_for(machine.image("web", full_image()));
    refusal.prepare(machine, request);
    pull(context, {request.image, "", ""});
    const auto before = tree_text(machine.on_disk(""));
    const auto error = error_of([&] { install(context, request); });
    EXPECT_EQ(error.kind(), refusal.kind) << refusal.label;
    EXPECT_THAT(error.what(), HasSubstr(refusal.message)) << refusal.label;
    EXPECT_EQ(tree_text(machine.on_disk("")), before) << refusal.label;
  }
}

TEST(Install, AllMissingVariablesAreReported) {
  Machine machine;
  auto context = machine.context();
  auto spec = full_image();
  spec.files[5].content = "{}";  // $PORT and $GREETING have no default values
  spec.files[5].content = R"({"installedFilesTemplate":["/etc/web/web.conf"]})";
  const auto image = machine.image("web", spec);
  pull(context, {image, "", ""});
  const auto before = tree_text(machine.on_disk(""));
  const auto error = error_of([&] { install(context, request_for(image)); });
  EXPECT_THAT(error.what(), HasSubstr("PORT"));
  EXPECT_THAT(error.what(), HasSubstr("GREETING"));
  EXPECT_EQ(tree_text(machine.on_disk("")), before);
}

TEST(Install, RefusesTheNameOfAnotherDeployment) {
  Machine machine;
  auto context = machine.context();
  const auto image = machine.image("web", full_image());
  install(context, request_for(image, "web"));
  EXPECT_EQ(error_of([&] { install(context, request_for(image, "web.0")); }).kind(), ErrorKind::conflict);
  install(context, request_for(image, "other.1"));
  EXPECT_EQ(error_of([&] { install(context, request_for(image, "other")); }).kind(), ErrorKind::conflict);
}

TEST(Install, ALockedContainerIsAConflictThatNamesTheHolder) {
  Machine machine;
  auto context = machine.context();
  const auto lock =
      host::ContainerLock::take(machine.layout, "web", "berth update", std::chrono::seconds(0), machine.reporter, {});
  const auto error = error_of([&] { install(context, request_for(machine.image("web", full_image()))); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.what(), HasSubstr("berth update"));
}

TEST(Install, AnImageWithoutAServiceInstallsHostFilesOnly) {
  Machine machine;
  auto context = machine.context();
  test::ImageSpec spec;
  spec.files = {{"exports/manifest.json", R"({"noContainerService":true})", 0644, ""},
                {"exports/hostfs/usr/local/bin/tool", "tool\n", 0755, ""}};
  install(context, request_for(machine.image("tool", spec), "tool"));
  EXPECT_EQ(machine.read("usr/local/bin/tool"), "tool\n");
  EXPECT_FALSE(machine.exists("etc/systemd/system/tool.service"));
  EXPECT_FALSE(machine.exists(std::string(deployments) + "/tool/rootfs"));
  EXPECT_TRUE(machine.systemd.calls.empty());
  uninstall(context, "tool");
  EXPECT_FALSE(machine.exists("usr/local/bin/tool"));
}

TEST(Install, PlainImageGetsADefaultConfigAndUnit) {
  Machine machine;
  auto context = machine.context();
  test::ImageSpec spec;
  spec.files = {{"bin/", "", 0755, ""}, {"bin/server", "#!/bin/sh\n", 0755, ""}, {"etc/", "", 0755, ""}};
  spec.config = R"({"Cmd":["/bin/server"],"StopSignal":"SIGQUIT"})";
  install(context, request_for(machine.image("plain", spec), "plain"));
  const auto unit = machine.read("etc/systemd/system/plain.service");
  EXPECT_THAT(unit, HasSubstr("PIDFile=/run/container-plain.pid"));
  EXPECT_THAT(unit, HasSubstr("ExecStart=/usr/bin/runc run -d --pid-file /run/container-plain.pid 'plain'"));
  EXPECT_THAT(unit, HasSubstr("kill 'plain' SIGQUIT"));
  EXPECT_THAT(unit, HasSubstr("KillSignal=SIGQUIT"));
  EXPECT_THAT(unit, HasSubstr("ExecStopPost=-/usr/bin/runc delete --force"));
  EXPECT_THAT(machine.read(std::string(deployments) + "/plain/config.json"), HasSubstr("/bin/server"));
}

}  // namespace
}  // namespace berth::ops
