// SPDX-License-Identifier: LGPL-2.1-or-later
// Host files and other users of the host, files and directories that replace each other, and files of several
// containers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/json.hpp"
#include "host/files/host_file.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/recover.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/uninstall.hpp"
#include "ops/containers/update.hpp"
#include "ops/images/pull.hpp"
#include "ops/journal_record.hpp"
#include "ops/killed_work.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using test::completed;
using test::killed;
using test::Machine;
using test::run_until;
using test::tree_text;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

constexpr uid_t neighbour = 1000;
constexpr const char* loader = "etc/ld.so.conf.d";

class HostFilesTest : public ::testing::Test {
 protected:
  HostFilesTest() : context(machine.context()) {
    context.config.settle_seconds = 0;
    machine.make_directory(loader);
    machine.write("etc/ld.so.conf.d/libc.conf", "/usr/local/lib\n");
  }

  /// An image with a service and the given host files.
  static test::ImageSpec image_with(const std::vector<std::pair<std::string, std::string>>& files) {
    auto spec = test::full_image();
    std::erase_if(spec.files, [](const auto& file) { return file.name.starts_with("exports/hostfs/"); });
    for (auto& file : spec.files) {
      if (file.name == "exports/manifest.json") {
        file.content = R"({"version":"1.0","defaultValues":{"PORT":"80"}})";
      }
    }
    for (const auto& [path, content] : files) {
      spec.files.push_back({"exports/hostfs" + path, content, path.ends_with('/') ? 0755U : 0644U, "", 0});
    }
    return spec;
  }

  void install_as(const std::string& name, const test::ImageSpec& spec) {
    InstallRequest request;
    request.image = machine.image(name, spec);
    request.name = name;
    request.start = true;
    install(context, request);
  }

  void offer(const std::string& name, const test::ImageSpec& spec) {
    fs::remove_all(machine.directory / name);
    pull(context, {machine.image(name, spec), "", ""});
  }

  void update_to(const std::string& name, const test::ImageSpec& spec, const StepHook& hook = {}) {
    offer(name, spec);
    UpdateRequest request;
    request.name = name;
    update(context, request, hook);
  }

  /// Gives the directory to another user.
  void give(const std::string& path) const {
    ASSERT_EQ(0, ::chown(machine.on_disk(path).c_str(), neighbour, neighbour)) << path;
  }

  /// The other user replaces a directory by a link to a directory of root.
  void plant(const std::string& path, const std::string& target = "/etc/ld.so.conf.d") const {
    fs::rename(machine.on_disk(path), machine.on_disk(path) + ".moved");
    fs::create_symlink(target, machine.on_disk(path));
    ASSERT_EQ(0, ::lchown(machine.on_disk(path).c_str(), neighbour, neighbour));
  }

  template <typename Work>
  static base::Error error_of(Work work) {
    try {
      work();
    } catch (const base::Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {base::ErrorKind::failed, "nothing was thrown"};
  }

  [[nodiscard]] std::string tree(const std::string& path = "") const { return tree_text(machine.on_disk(path)); }

  Machine machine;
  Context context;
};

TEST_F(HostFilesTest, AnUpdateDoesNotFollowALinkOfAnotherUser) {
  install_as("web", image_with({{"/srv/app/conf/a.conf", "one\n"}}));
  give("srv/app");
  plant("srv/app/conf");
  const auto before = tree("srv") + tree(loader);
  machine.systemd.calls.clear();
  const auto error = error_of([&] {
    update_to("web", image_with({{"/srv/app/conf/a.conf", "two\n"}, {"/srv/app/conf/evil.conf", "/home/me\n"}}));
  });
  EXPECT_EQ(base::ErrorKind::not_permitted, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("/srv/app"));
  EXPECT_THAT(error.what(), HasSubstr("1000"));
  EXPECT_THAT(machine.systemd.calls, Not(Contains(HasSubstr("stop"))));
  EXPECT_EQ(before, tree("srv") + tree(loader));
  EXPECT_FALSE(host::read_journal(machine.layout, "web"));
}

/// The link leads to the same content, but not to the file that was installed.
TEST_F(HostFilesTest, AnUninstallDoesNotFollowALinkOfAnotherUser) {
  install_as("web", image_with({{"/srv/app/conf/libc.conf", "/usr/local/lib\n"}, {"/etc/web.conf", "x\n"}}));
  give("srv/app");
  plant("srv/app/conf");
  uninstall(context, "web");
  EXPECT_EQ("/usr/local/lib\n", machine.read("etc/ld.so.conf.d/libc.conf"));
  EXPECT_FALSE(machine.exists("etc/web.conf"));
  EXPECT_FALSE(host::find_deployment(machine.layout, "web"));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/srv/app/conf/libc.conf is left as it is")));
}

TEST_F(HostFilesTest, ARollbackDoesNotFollowALinkOfAnotherUser) {
  install_as("web", image_with({{"/srv/app/conf/old.conf", "old\n"}}));
  update_to("web", image_with({{"/srv/app/conf/libc.conf", "/usr/local/lib\n"}}));
  give("srv/app");
  plant("srv/app/conf");
  EXPECT_EQ(base::ErrorKind::not_permitted, error_of([&] { rollback(context, {"web", {}}); }).kind());
  EXPECT_EQ("/usr/local/lib\n", machine.read("etc/ld.so.conf.d/libc.conf"));
  EXPECT_FALSE(machine.exists("etc/ld.so.conf.d/old.conf"));
  EXPECT_EQ(1, host::find_deployment(machine.layout, "web")->slot);
}

/// The link may appear at any moment of an update, which is then reverted.
TEST_F(HostFilesTest, AnUndoDoesNotFollowALinkOfAnotherUser) {
  const auto one = image_with({{"/srv/app/conf/libc.conf", "/usr/local/lib\n"}});
  install_as("web", one);
  give("srv/app");
  ASSERT_EQ(0, ::chown(machine.on_disk("srv/app/conf").c_str(), neighbour, neighbour));
  const auto two = image_with({{"/srv/app/conf/libc.conf", "/opt/lib\n"}, {"/srv/app/conf/more.conf", "/opt/more\n"}});
  offer("web", two);
  UpdateRequest request;
  request.name = "web";
  bool ended = false;
  for (std::size_t at = 0; !ended; ++at) {
    try {
      update(context, request, [&](std::size_t index) {
        if (index == at) {
          plant("srv/app/conf");
          throw base::Error(base::ErrorKind::failed, "planted");
        }
      });
      ended = true;
    } catch (const base::Error&) {
      ASSERT_EQ("/usr/local/lib\n", machine.read("etc/ld.so.conf.d/libc.conf")) << at;
      ASSERT_FALSE(machine.exists("etc/ld.so.conf.d/more.conf")) << at;
      fs::remove(machine.on_disk("srv/app/conf"));
      fs::rename(machine.on_disk("srv/app/conf.moved"), machine.on_disk("srv/app/conf"));
      recover_pending(context);  // completes the undo
      fs::remove_all(machine.on_disk("srv/app/conf"));
      machine.write("srv/app/conf/libc.conf", "/usr/local/lib\n");
      ASSERT_EQ(0, ::chown(machine.on_disk("srv/app/conf").c_str(), neighbour, neighbour));
    }
    ASSERT_LT(at, 60U);
  }
  EXPECT_EQ("/opt/lib\n", machine.read("srv/app/conf/libc.conf"));
}

/// The image gives the directory to another user, and the files in it to root.
TEST_F(HostFilesTest, RefusesHostFilesBelowADirectoryOfAnotherUser) {
  auto spec = image_with({{"/srv/app/conf/a.conf", "one\n"}});
  spec.files.push_back({"exports/hostfs/srv/app/", "", 0755, "", neighbour});
  const auto error = error_of([&] { install_as("web", spec); });
  EXPECT_EQ(base::ErrorKind::not_permitted, error.kind());
  EXPECT_FALSE(machine.exists("srv"));
}

/// Links of root are usable, and so is a directory whose contents belong to its owner.
TEST_F(HostFilesTest, LinksOfRootAreFollowed) {
  machine.make_directory("data");
  fs::create_symlink("/data", machine.on_disk("srv"));
  machine.make_directory("home/me/conf");
  give("home/me");
  give("home/me/conf");
  install_as("web", image_with({{"/srv/a.conf", "one\n"}, {"/home/me/conf/b.conf", "one\n"}}));
  EXPECT_EQ("one\n", machine.read("data/a.conf"));
  EXPECT_EQ("one\n", machine.read("home/me/conf/b.conf"));
  update_to("web", image_with({{"/srv/a.conf", "two\n"}}));
  EXPECT_EQ("two\n", machine.read("data/a.conf"));
  EXPECT_FALSE(machine.exists("home/me/conf/b.conf"));
  uninstall(context, "web");
  EXPECT_THAT(tree("data"), Not(HasSubstr("conf")));
}

/// Users who can write to the directory cannot create the backups first: the names depend on a secret in the record.
TEST_F(HostFilesTest, NamesOfBackupsCannotBePredicted) {
  install_as("web", image_with({{"/etc/web/a.conf", "one\n"}}));
  machine.write("etc/web/" + host::hidden_name("", "/etc/web/a.conf"), "mine\n");
  std::string secret;
  update_to("web", image_with({{"/etc/web/a.conf", "two\n"}}),
            [&](std::size_t) { secret = parse_switch_record(*host::read_journal(machine.layout, "web"))->secret; });
  EXPECT_GE(secret.size(), 32U);
  EXPECT_EQ("two\n", machine.read("etc/web/a.conf"));
  EXPECT_EQ("mine\n", machine.read("etc/web/" + host::hidden_name("", "/etc/web/a.conf")));
  std::string other;
  rollback(context, {"web", {}},
           [&](std::size_t) { other = parse_switch_record(*host::read_journal(machine.layout, "web"))->secret; });
  EXPECT_NE(secret, other);
}

/// A record of a version without secrets, whose backups have names without one.
TEST_F(HostFilesTest, ARecordOfAnEarlierVersionIsFinished) {
  install_as("web", image_with({{"/etc/web/a.conf", "one\n"}}));
  offer("web", image_with({{"/etc/web/a.conf", "two\n"}}));
  UpdateRequest request;
  request.name = "web";
  const auto before = tree("etc");
  base::Json json;
  fs::path waiting;
  for (std::size_t kill_at = 1; !fs::exists(waiting); ++kill_at) {
    recover_pending(context);
    ASSERT_EQ(killed, run_until(kill_at, [&](const StepHook& hook) { update(context, request, hook); }));
    json = *host::read_journal(machine.layout, "web");
    const auto secret = json.at("secret").get<std::string>();
    waiting = machine.on_disk("etc/web/" + host::hidden_name(secret, "/etc/web/a.conf"));
  }
  fs::rename(waiting, machine.on_disk("etc/web/" + host::hidden_name("", "/etc/web/a.conf")));
  json.erase("secret");
  host::write_journal(machine.layout, "web", json);
  recover_pending(context);
  EXPECT_EQ(before, tree("etc"));
}

/// An edit during the health gate is not lost.
TEST_F(HostFilesTest, AnEditDuringAChangeIsKeptWhenItIsReverted) {
  install_as("web", image_with({}));
  const auto unit = machine.read("etc/systemd/system/web.service");
  auto spec = image_with({});
  for (auto& file : spec.files) {
    if (file.name == "exports/service.template") {
      file.content.insert(0, "# two\n");
    }
  }
  EXPECT_THROW(update_to("web", spec,
                         [&](std::size_t) {
                           if (machine.read("etc/systemd/system/web.service").starts_with("# two")) {
                             machine.write("etc/systemd/system/web.service", "# mine\n");
                             throw base::Error(base::ErrorKind::failed, "it is enough");
                           }
                         }),
               base::Error);
  EXPECT_EQ(unit, machine.read("etc/systemd/system/web.service"));
  EXPECT_EQ("# mine\n", machine.read("etc/systemd/system/web.service.changed"));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("web.service.changed")));
}

TEST_F(HostFilesTest, ADirectoryBecomesAFileAndBack) {
  const auto directory = image_with({{"/etc/hf/b.conf/inner", "in\n"}, {"/etc/hf/b.conf/deep/er", "deep\n"}});
  const auto file = image_with({{"/etc/hf/b.conf", "flat\n"}});
  install_as("hf", directory);
  update_to("hf", file);
  EXPECT_EQ("flat\n", machine.read("etc/hf/b.conf"));
  EXPECT_THAT(tree("etc/hf"), Not(HasSubstr(".berth-")));
  rollback(context, {"hf", {}});
  EXPECT_EQ("in\n", machine.read("etc/hf/b.conf/inner"));
  EXPECT_EQ("deep\n", machine.read("etc/hf/b.conf/deep/er"));
  rollback(context, {"hf", {}});
  EXPECT_EQ("flat\n", machine.read("etc/hf/b.conf"));
  update_to("hf", directory);
  EXPECT_EQ("in\n", machine.read("etc/hf/b.conf/inner"));
  EXPECT_THAT(tree("etc/hf"), Not(HasSubstr(".berth-")));
  uninstall(context, "hf");
  EXPECT_FALSE(machine.exists("etc/hf"));
}

TEST_F(HostFilesTest, ADirectoryThatBecomesAFileIsRestoredAfterAKillAtAnyMoment) {
  install_as("hf", image_with({{"/etc/hf/b.conf/inner", "in\n"}, {"/etc/hf/b.conf/deep/er", "deep\n"}}));
  offer("hf", image_with({{"/etc/hf/b.conf", "flat\n"}}));
  const auto before = tree("etc");
  UpdateRequest request;
  request.name = "hf";
  for (std::size_t kill_at = 0;; ++kill_at) {
    const int ended = run_until(kill_at, [&](const StepHook& hook) { update(context, request, hook); });
    if (ended == completed) {
      EXPECT_GE(kill_at, 12U);
      break;
    }
    ASSERT_EQ(killed, ended) << kill_at;
    recover_pending(context);
    ASSERT_EQ(before, tree("etc")) << "killed before step " << kill_at;
    ASSERT_THAT(machine.reporter.warnings, IsEmpty()) << kill_at;
  }
  EXPECT_EQ("flat\n", machine.read("etc/hf/b.conf"));
}

TEST_F(HostFilesTest, ADirectoryWithOtherFilesIsNotReplaced) {
  install_as("hf", image_with({{"/etc/hf/b.conf/inner", "in\n"}}));
  machine.write("etc/hf/b.conf/mine", "mine\n");
  machine.systemd.calls.clear();
  const auto error = error_of([&] { update_to("hf", image_with({{"/etc/hf/b.conf", "flat\n"}})); });
  EXPECT_EQ(base::ErrorKind::conflict, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("/etc/hf/b.conf/mine"));
  EXPECT_THAT(machine.systemd.calls, Not(Contains(HasSubstr("stop"))));
  EXPECT_EQ("in\n", machine.read("etc/hf/b.conf/inner"));
}

/// The edited file is kept, so the directory cannot be created.
TEST_F(HostFilesTest, AnEditedFileIsNotReplacedByADirectory) {
  install_as("hf", image_with({{"/etc/hf/b.conf", "flat\n"}}));
  machine.write("etc/hf/b.conf", "mine\n");
  machine.systemd.calls.clear();
  const auto error = error_of([&] { update_to("hf", image_with({{"/etc/hf/b.conf/inner", "in\n"}})); });
  EXPECT_EQ(base::ErrorKind::conflict, error.kind());
  EXPECT_THAT(error.what(), HasSubstr("/etc/hf/b.conf exists on the host and is not a directory"));
  EXPECT_THAT(machine.systemd.calls, Not(Contains(HasSubstr("stop"))));
}

TEST_F(HostFilesTest, AFileOfTwoContainersIsRemovedWithTheSecond) {
  const std::vector<std::pair<std::string, std::string>> files = {{"/etc/both/both.conf", "both\n"},
                                                                  {"/var/spool/both/", ""}};
  auto one = files;
  one.emplace_back("/etc/both/one.conf", "one\n");
  install_as("one", image_with(one));
  install_as("two", image_with(files));
  EXPECT_THAT(machine.reporter.warnings, Not(Contains(HasSubstr("exists on the host already"))));
  uninstall(context, "one");
  EXPECT_EQ("both\n", machine.read("etc/both/both.conf"));
  EXPECT_TRUE(machine.exists("var/spool/both"));
  EXPECT_FALSE(machine.exists("etc/both/one.conf"));
  uninstall(context, "two");
  EXPECT_FALSE(machine.exists("etc/both"));
  EXPECT_FALSE(machine.exists("var/spool/both"));
}

/// Earlier versions recorded such a file for the first container only.
TEST_F(HostFilesTest, AFileThatTheSecondContainerDidNotRecordIsHandedOver) {
  install_as("one", image_with({{"/etc/both.conf", "both\n"}, {"/etc/one.conf", "one\n"}}));
  install_as("two", image_with({{"/etc/both.conf", "both\n"}}));
  const std::string path = "var/lib/containers/berth/two.0/info";
  auto info = host::parse_info(machine.read(path), "info");
  info.installed_files.clear();
  info.installed_files_checksum.clear();
  machine.write(path, host::write_info(info), 0600);
  uninstall(context, "one");
  EXPECT_EQ("both\n", machine.read("etc/both.conf"));
  EXPECT_FALSE(machine.exists("etc/one.conf"));
  uninstall(context, "two");
  EXPECT_FALSE(machine.exists("etc/both.conf"));
}

TEST_F(HostFilesTest, UpdateAndRollbackKeepFilesOfAnotherContainer) {
  const std::vector<std::pair<std::string, std::string>> files = {{"/etc/both.conf", "both\n"}};
  install_as("one", image_with(files));
  install_as("two", image_with(files));
  update_to("one", image_with({{"/etc/both.conf", "changed\n"}, {"/etc/one.conf", "one\n"}}));
  EXPECT_EQ("both\n", machine.read("etc/both.conf"));
  EXPECT_THAT(machine.reporter.warnings, Contains("/etc/both.conf exists on the host already and is left as it is"));
  rollback(context, {"one", {}});
  EXPECT_EQ("both\n", machine.read("etc/both.conf"));
  uninstall(context, "two");
  EXPECT_EQ("both\n", machine.read("etc/both.conf"));
  update_to("one", image_with({}));
  EXPECT_FALSE(machine.exists("etc/both.conf"));
}

TEST_F(HostFilesTest, AFileThatOverridesOneOfTheSystemIsAPrivilege) {
  machine.write("usr/lib/tmpfiles.d/systemd.conf", "d /run/x\n");
  machine.write("usr/bin/ls", "");
  InstallRequest request;
  request.image = machine.image("web", image_with({{"/etc/tmpfiles.d/systemd.conf", ""},
                                                   {"/usr/local/bin/ls", ""},
                                                   {"/etc/tmpfiles.d/web-own.conf", ""}}));
  request.only_plan = true;
  const auto plan = install(context, request).plan;
  EXPECT_THAT(plan->host_privileges, Contains("puts /etc/tmpfiles.d/systemd.conf on the host, which hides the system's "
                                              "/usr/lib/tmpfiles.d/systemd.conf"));
  EXPECT_THAT(plan->host_privileges,
              Contains("puts /usr/local/bin/ls on the host, which hides the system's /usr/bin/ls"));
  EXPECT_THAT(plan->host_privileges, Not(Contains(HasSubstr("web-own.conf on the host, which hides"))));
}

/// The links that enable the unit are not names of another unit.
TEST_F(HostFilesTest, AnUpdateRefusesTheNameOfAnotherUnit) {
  install_as("web", image_with({}));
  machine.write("usr/lib/systemd/system/sshd.service", "[Service]\n");
  const auto called = [](const std::string& alias) {
    auto spec = image_with({});
    for (auto& file : spec.files) {
      if (file.name == "exports/service.template") {
        file.content += "Alias=" + alias + "\n";
      }
    }
    return spec;
  };
  machine.systemd.calls.clear();
  EXPECT_EQ(base::ErrorKind::conflict, error_of([&] { update_to("web", called("sshd.service")); }).kind());
  EXPECT_THAT(machine.systemd.calls, Not(Contains(HasSubstr("stop"))));
  fs::create_symlink("/etc/systemd/system/web.service", machine.on_disk("etc/systemd/system/httpd.service"));
  update_to("web", called("httpd.service"));
  EXPECT_EQ(1, host::find_deployment(machine.layout, "web")->slot);
}

/// Both the install of the second container and the removal of the first warn about it.
TEST_F(HostFilesTest, AContainerThatIsLeftWithoutItsFileIsAWarning) {
  install_as("one", image_with({{"/etc/both.conf", "one\n"}}));
  install_as("two", image_with({{"/etc/both.conf", "two\n"}}));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/etc/both.conf belongs to one and differs")));
  machine.reporter.warnings.clear();
  uninstall(context, "one");
  EXPECT_THAT(
      machine.reporter.warnings,
      Contains(HasSubstr("/etc/both.conf is removed; two, whose image has another version of it, is without it")));
  EXPECT_FALSE(machine.exists("etc/both.conf"));
  update_to("two", image_with({{"/etc/both.conf", "two\n"}, {"/etc/more.conf", "more\n"}}));
  EXPECT_EQ("two\n", machine.read("etc/both.conf"));
  install_as("three", image_with({{"/etc/both.conf", "three\n"}}));
  machine.reporter.warnings.clear();
  update_to("two", image_with({{"/etc/more.conf", "more\n"}}));
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("/etc/both.conf is removed; three, whose image has")));
  machine.reporter.warnings.clear();
  uninstall(context, "two");
  EXPECT_THAT(machine.reporter.warnings, ::testing::IsEmpty());
  EXPECT_FALSE(machine.exists("etc/both.conf"));
}

/// A file with another content belongs to the first container only.
TEST_F(HostFilesTest, AFileWithAnotherContentIsNotShared) {
  install_as("one", image_with({{"/etc/both.conf", "one\n"}}));
  install_as("two", image_with({{"/etc/both.conf", "two\n"}}));
  EXPECT_THAT(machine.reporter.warnings, Contains("/etc/both.conf exists on the host already and is left as it is"));
  uninstall(context, "two");
  EXPECT_EQ("one\n", machine.read("etc/both.conf"));
  uninstall(context, "one");
  EXPECT_FALSE(machine.exists("etc/both.conf"));
}

}  // namespace
}  // namespace berth::ops
