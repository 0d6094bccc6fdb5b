// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/journal_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/temp_directory.hpp"

namespace berth::ops {
namespace {

using namespace std::string_literals;
using base::ErrorKind;
using base::Json;
using base::test::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Pointer = Json::json_pointer;
using Changes = std::vector<std::pair<std::string, Json>>;

/// A record of an update in which no member has the value that it has in a new record.
SwitchRecord full_switch() {
  SwitchRecord record;
  record.operation = "update";
  record.name = "web";
  record.secret = "secret";
  record.boot_id = "boot";
  record.before = RecordedDeployment{
      1, std::string(64, 'a'), std::string(64, 'b'), {{"/etc/web", ""}, {"/etc/web/x", std::string(64, 'c')}}, {}};
  record.after = RecordedDeployment{
      0, std::string(64, 'd'), std::string(64, '0'), {}, {"atomic-container-web", {{"/etc/web/y", ""}}}};
  record.prepared = true;
  record.had_place = true;
  record.was_active = true;
  record.starts = true;
  record.was_enabled = true;
  record.enables = true;
  record.relinks = true;
  record.link_directories = {"/etc/systemd/system/x.wants"};
  record.tmpfiles_paths = {"/var/lib/web"};
  record.moves = {{"/var/lib/web/data", "/var/lib/berth/web/data"}};
  record.fills = {{"/var/lib/berth/web/data", "/data"}};
  record.committed = true;
  record.invocation = "invocation";
  record.runtime = "/usr/bin/runc";
  record.taken_along = {"app.service"};
  record.masked = true;
  record.saved_unit = "/etc/systemd/system/web.service.saved";
  record.saved_tmpfiles = "/etc/tmpfiles.d/web.conf.saved.1";
  record.links_known = true;
  record.made_links = {"/etc/systemd/system/made"};
  record.dropped_links = {"/etc/systemd/system/dropped"};
  record.companions = {{"web.socket", true, false, true}};
  record.tmpfiles_masked = true;
  record.also_units = {"also.timer"};
  record.also_links = {"/etc/systemd/system/also"};
  return record;
}

UninstallRecord full_uninstall() {
  UninstallRecord record;
  record.name = "web";
  record.secret = "secret";
  record.has_unit = true;
  record.was_active = true;
  record.was_enabled = true;
  record.links = {"/etc/systemd/system/link"};
  record.committed = true;
  record.files = {{"/etc/web/x", std::string(64, 'c')}};
  record.package = {"atomic-container-web", {{"/etc/web/y", ""}}};
  record.slot = 1;
  record.runtime = "/usr/bin/runc";
  record.invocation = "invocation";
  record.pid_file = "/run/container-web.pid";
  record.taken_along = {"app.service"};
  record.saved_unit = "/etc/systemd/system/web.service.saved";
  record.saved_tmpfiles = "/etc/tmpfiles.d/web.conf.saved";
  record.companions = {{"web.socket", false, true, false}};
  return record;
}

Json switch_json() {
  return to_json(full_switch());
}

Json uninstall_json() {
  return to_json(full_uninstall());
}

void parse(const Json& json) {
  parse_switch_record(json);
  parse_uninstall_record(json);
}

Json with(Json record, const std::string& member, const Json& value) {
  record[Pointer(member)] = value;
  return record;
}

/// Checks that the record is refused. @return the message
std::string refusal(const Json& json) {
  const auto error = error_of([&] { parse(json); });
  EXPECT_EQ(error.kind(), ErrorKind::verification) << json;
  EXPECT_THAT(error.message(), StartsWith("journal record: "));
  return error.message();
}

void expect_refused(const Json& record, const Changes& changes) {
  for (const auto& [member, value] : changes) {
    SCOPED_TRACE(member + " = " + value.dump());
    refusal(with(record, member, value));
  }
}

void expect_accepted(const Json& record, const Changes& changes) {
  for (const auto& [member, value] : changes) {
    EXPECT_NO_THROW(parse(with(record, member, value))) << member << " = " << value;
  }
}

TEST(JournalRecord, OfASwitchIsReadAsItWasWritten) {
  const auto json = switch_json();
  const auto defaults = to_json(SwitchRecord());
  for (const auto& [key, value] : json.items()) {
    EXPECT_TRUE(key == "prepared" || value != defaults.at(key)) << key << " is not tested";
  }
  const auto record = parse_switch_record(base::parse_json(json.dump(), "x")).value();
  EXPECT_EQ(to_json(record), json);
  EXPECT_EQ(record.before->slot, 1);
  EXPECT_EQ(record.before->files.at(1).checksum, std::string(64, 'c'));
  EXPECT_EQ(record.after.package.configuration.at(0).path, "/etc/web/y");
  EXPECT_EQ(record.moves.at(0).to, "/var/lib/berth/web/data");
  EXPECT_EQ(record.fills.at(0).content, "/data");
  EXPECT_TRUE(record.companions.at(0).active && !record.companions.at(0).enabled && record.companions.at(0).stays);
  EXPECT_THAT(record.made_links, ElementsAre("/etc/systemd/system/made"));
  EXPECT_THAT(record.dropped_links, ElementsAre("/etc/systemd/system/dropped"));
  EXPECT_FALSE(parse_switch_record(with(with(json, "/prepared", false), "/hadPlace", false))->prepared);
}

TEST(JournalRecord, OfAnUninstallIsReadAsItWasWritten) {
  const auto json = uninstall_json();
  const auto defaults = to_json(UninstallRecord());
  for (const auto& [key, value] : json.items()) {
    EXPECT_TRUE(key == "operation" || value != defaults.at(key)) << key << " is not tested";
  }
  const auto record = parse_uninstall_record(base::parse_json(json.dump(), "x")).value();
  EXPECT_EQ(to_json(record), json);
  EXPECT_THAT(record.links, ElementsAre("/etc/systemd/system/link"));
  EXPECT_EQ(record.pid_file, "/run/container-web.pid");
  EXPECT_FALSE(record.companions.at(0).active);
  EXPECT_TRUE(record.companions.at(0).enabled);
}

TEST(JournalRecord, OfAnotherOperationIsNotSet) {
  EXPECT_FALSE(parse_switch_record(uninstall_json()));
  EXPECT_FALSE(parse_uninstall_record(switch_json()));
}

TEST(JournalRecord, MustBeAnObjectWithAnOperation) {
  for (const auto* text : {"null", "[]", "{}", "\"uninstall\"", "1", R"({"operation":null})", R"({"operation":["x"]})",
                           R"({"operation":"updatf"})"}) {
    SCOPED_TRACE(text);
    const auto json = base::parse_json(text, "x");
    EXPECT_EQ(error_of([&] { parse_switch_record(json); }).kind(), ErrorKind::verification);
  }
  EXPECT_EQ(error_of([] { parse_uninstall_record(Json::array()); }).kind(), ErrorKind::verification);
}

/// Not those that the first versions wrote.
TEST(JournalRecord, MembersOfLaterVersionsMayBeMissing) {
  const std::set<std::string> first_members = {"operation", "name",      "bootId",  "after",         "prepared",
                                               "hadPlace",  "wasActive", "starts",  "wasEnabled",    "enables",
                                               "relinks",   "committed", "hasUnit", "tmpfilesPaths", "before"};
  for (const auto& whole : {switch_json(), uninstall_json()}) {
    const bool uninstalls = whole.at("operation") == "uninstall";
    for (const auto& [key, value] : whole.items()) {
      SCOPED_TRACE(whole.at("operation").get<std::string>() + " without " + key);
      auto record = whole;
      record.erase(key);
      if (first_members.contains(key) || (uninstalls && key == "files")) {
        refusal(record);
        continue;
      }
      const auto parsed =
          uninstalls ? to_json(parse_uninstall_record(record).value()) : to_json(parse_switch_record(record).value());
      EXPECT_EQ(parsed.at(key), (uninstalls ? to_json(UninstallRecord()) : to_json(SwitchRecord())).at(key));
      auto others = whole;
      others[key] = parsed.at(key);
      EXPECT_EQ(parsed, others) << "the other members are read";
    }
  }
}

TEST(JournalRecord, MembersOfAnotherTypeAreRefused) {
  for (const auto& whole : {switch_json(), uninstall_json()}) {
    for (const auto& [key, value] : whole.items()) {
      expect_refused(whole, {{"/" + key, 7}, {"/" + key, {{"x", "y"}}}});
    }
  }
  expect_refused(switch_json(), {{"/hadPlace", "true"},
                                 {"/masked", "no"},
                                 {"/linksKnown", 1},
                                 {"/madeLinks", "/etc/x"},
                                 {"/after/files", nullptr},
                                 {"/after/files/0", "/etc/x"},
                                 {"/companions/0/active", 1},
                                 {"/companions/0/name", nullptr},
                                 {"/volumeMoves/0/to", nullptr},
                                 {"/volumeFills/0", "/x"}});
}

TEST(JournalRecord, PathsAreAbsoluteAndDoNotLeadUpwards) {
  for (const auto* member : {"/before/files/0/path", "/after/package/configuration/0/path", "/tmpfilesPaths/0",
                             "/linkFolders/0", "/madeLinks/0", "/droppedLinks/0", "/alsoLinks/0", "/runtime"}) {
    expect_refused(switch_json(), {{member, "etc/web"},
                                   {member, "./web"},
                                   {member, "/etc/../web"},
                                   {member, "/.."},
                                   {member, "/etc/.."},
                                   {member, "/etc\0/web"s}});
    expect_accepted(switch_json(), {{member, "/"}, {member, "/..a/b.."}, {member, "/a//b/"}});
  }
  expect_refused(uninstall_json(), {{"/links/0", "x"}, {"/links/0", "/.."}, {"/files/0/path", ""}});
  expect_accepted(uninstall_json(), {{"/runtime", ""}});
}

TEST(JournalRecord, ChecksumsAreEmptyOrSha256) {
  for (const auto* member : {"/before/unit", "/after/tmpfiles", "/before/files/0/sha256"}) {
    expect_refused(switch_json(), {{member, "0"},
                                   {member, std::string(63, 'a')},
                                   {member, std::string(65, 'a')},
                                   {member, std::string(64, 'A')},
                                   {member, std::string(63, 'a') + "g"}});
    expect_accepted(switch_json(), {{member, ""}, {member, std::string(64, 'f')}});
  }
}

TEST(JournalRecord, NamesAreThoseOfContainers) {
  for (const auto& record : {switch_json(), uninstall_json()}) {
    for (const auto& name : {""s, "../web"s, "a/b"s, "-web"s, ".web"s, "web\0"s, std::string(300, 'n')}) {
      EXPECT_THAT(refusal(with(record, "/name", name)), HasSubstr("name: expected the name of a container"));
    }
  }
}

TEST(JournalRecord, UnitNamesHaveASuffixAndAtMost255Bytes) {
  const std::string longest = std::string(247, 'u') + ".service";
  for (const auto* member : {"/takenAlong/0", "/alsoUnits/0", "/companions/0/name"}) {
    expect_refused(switch_json(), {{member, ""},
                                   {member, "web"},
                                   {member, ".service"},
                                   {member, "--now.service"},
                                   {member, "../web.socket"},
                                   {member, "web\0.service"s},
                                   {member, "u" + longest}});
    expect_accepted(switch_json(), {{member, longest}, {member, "a@b.service"}, {member, "x.y"}});
  }
  expect_refused(uninstall_json(), {{"/takenAlong/0", "--now"}, {"/companions/0/name", "a/b.socket"}});
}

/// An undo removes or overwrites these files.
TEST(JournalRecord, CopiesAndPidFilesHaveTheContainersName) {
  expect_refused(switch_json(), {{"/savedUnit", "/etc/passwd"},
                                 {"/savedUnit", "/etc/systemd/system/web.service"},
                                 {"/savedUnit", "/etc/systemd/system/api.service.saved"},
                                 {"/savedUnit", "/web.service.saved/../x"},
                                 {"/savedUnit", "/etc/web.service.saved/passwd"},
                                 {"/savedUnit", "web.service.saved"},
                                 {"/savedTmpfiles", "/etc/tmpfiles.d/web.conf"}});
  expect_refused(uninstall_json(), {{"/pidFile", "/etc/web/web.conf"},
                                    {"/pidFile", "/run/container-api.pid"},
                                    {"/savedUnit", "/etc/passwd"},
                                    {"/savedTmpfiles", "/etc/tmpfiles.d/api.conf.saved"}});
  expect_accepted(switch_json(), {{"/savedUnit", ""}, {"/savedUnit", "/etc/systemd/system/web.service.saved.7"}});
  expect_accepted(uninstall_json(), {{"/pidFile", ""}});
}

TEST(JournalRecord, ThereAreTwoSlots) {
  expect_refused(switch_json(), {{"/after/slot", -1}, {"/after/slot", 2}, {"/after/slot", 0.5}, {"/after/slot", "0"}});
  expect_refused(uninstall_json(), {{"/slot", -1}, {"/slot", 2}, {"/slot", std::int64_t{1} << 32U}});
  expect_accepted(uninstall_json(), {{"/slot", 0}, {"/slot", 1}});
}

/// To act on such a record could remove the live deployment.
TEST(JournalRecord, OperationsDetermineTheDeployments) {
  EXPECT_THAT(refusal(with(switch_json(), "/before/slot", 0)), HasSubstr("both deployments have the same slot"));
  EXPECT_THAT(refusal(with(switch_json(), "/before", nullptr)), HasSubstr("no deployment to go back to"));
  EXPECT_THAT(refusal(with(switch_json(), "/prepared", false)), HasSubstr("hadPlace: this operation displaces no"));
  EXPECT_THAT(refusal(with(switch_json(), "/operation", "install")), HasSubstr("an install has no deployment before"));
  const auto install = with(with(with(switch_json(), "/operation", "install"), "/before", nullptr), "/hadPlace", false);
  EXPECT_NO_THROW(parse(install));
  EXPECT_THAT(refusal(with(install, "/after/slot", 1)), HasSubstr("slot"));
  EXPECT_THAT(refusal(with(install, "/hadPlace", true)), HasSubstr("displaces no deployment"));
  const auto rollback =
      with(with(with(switch_json(), "/operation", "rollback"), "/prepared", false), "/hadPlace", false);
  EXPECT_NO_THROW(parse(rollback));
  EXPECT_THAT(refusal(with(rollback, "/operation", "rollbacks")), HasSubstr("operation: unknown operation"));
}

TEST(JournalRecord, TheRuntimeIsRecordedWhenItsPathIsAbsolute) {
  host::DeploymentInfo info;
  for (const auto& runtime : {""s, "runc"s, "bin/runc"s, "/usr/../runc"s, "/usr/bin/runc\0"s}) {
    info.runtime = runtime;
    EXPECT_EQ(recorded_runtime(info), "") << runtime;
  }
  info.runtime = "/usr/bin/runc";
  EXPECT_EQ(recorded_runtime(info), "/usr/bin/runc");
}

}  // namespace
}  // namespace berth::ops
