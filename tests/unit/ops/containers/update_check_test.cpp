// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/update_check.hpp"

#include <gmock/gmock.h>

#include "base/temp_directory.hpp"
#include "ops/containers/install.hpp"
#include "ops/images/pull.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using test::Machine;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class UpdateCheckTest : public ::testing::Test {
 protected:
  UpdateCheckTest() : context(machine.context()) {
    InstallRequest request;
    auto spec = full_image();
    spec.config = R"({"Labels":{"version":"1.0"}})";
    request.image = machine.image("web", spec);
    request.name = "web";
    install(context, request);
  }

  void store(const test::ImageSpec& spec) {
    std::filesystem::remove_all(machine.directory / "web");
    pull(context, {machine.image("web", spec), "", ""});
  }

  static UpdateRequest web() {
    UpdateRequest request;
    request.name = "web";
    return request;
  }

  Machine machine;
  Context context;
};

TEST_F(UpdateCheckTest, ReportsNoDifferenceWithoutANewerImage) {
  const auto check = check_update(context, web(), true);
  EXPECT_FALSE(check.newer());
  EXPECT_EQ(check.id_installed, check.id_available);
  EXPECT_EQ(check.version_installed, "1.0");
  EXPECT_EQ(check.version_available, "1.0");
  EXPECT_TRUE(check.diff->empty());
}

TEST_F(UpdateCheckTest, ReportsEveryKindOfDifference) {
  auto spec = full_image();
  spec.config = R"({"Labels":{"version":"2.0"}})";
  for (auto& file : spec.files) {
    if (file.name == "exports/config.json.template") {
      file.content = R"({"ociVersion":"1.0.2","root":{"path":"rootfs","readonly":true},"hostname":"new",)"
                     R"("process":{"args":["/bin/server","$PORT"],"cwd":"/","user":{"uid":0,"gid":0},"env":["A=b"],)"
                     R"("capabilities":{"bounding":["CAP_KILL"]}},"mounts":[],)"
                     R"("linux":{"namespaces":[{"type":"mount"},{"type":"ipc"}]}})";
    } else if (file.name == "exports/service.template") {
      file.content += "Alias=other.service\n";
    } else if (file.name == "exports/hostfs/usr/local/bin/ctl") {
      file.content = "other\n";
    } else if (file.name == "exports/manifest.json") {
      file.content.replace(file.content.find("hello"), 5, "howdy");
    }
  }
  spec.files.push_back({"exports/hostfs/etc/web/new", "", 0644, ""});
  store(spec);
  const auto before = test::tree_text(machine.on_disk(""));
  const auto check = check_update(context, web(), true);
  EXPECT_EQ(test::tree_text(machine.on_disk("")), before);
  EXPECT_TRUE(check.newer());
  EXPECT_EQ(check.version_available, "2.0");
  const auto& diff = check.diff.value();
  EXPECT_THAT(diff.capabilities.added, ElementsAre("CAP_KILL"));
  EXPECT_THAT(diff.namespaces.added, ElementsAre(R"({"type":"ipc"})"));
  EXPECT_THAT(diff.namespaces.removed, ElementsAre(R"({"type":"pid"})"));
  EXPECT_THAT(diff.mounts.removed, ElementsAre("/var/lib/web on /data type bind (rbind,rw)"));
  EXPECT_THAT(diff.environment.added, ElementsAre("A=b"));
  EXPECT_THAT(diff.config, HasSubstr("+  \"hostname\": \"new\""));
  EXPECT_THAT(diff.unit, HasSubstr("+Alias=other.service"));
  EXPECT_THAT(diff.tmpfiles, HasSubstr("-d /var/lib/web 0700"));
  EXPECT_THAT(diff.host_files.added, ElementsAre("/etc/web/new"));
  EXPECT_THAT(diff.changed_host_files, ElementsAre("/usr/local/bin/webctl"));
  EXPECT_THAT(diff.default_values.added, ElementsAre("GREETING=howdy"));
  EXPECT_THAT(diff.default_values.removed, ElementsAre("GREETING=hello"));
}

TEST_F(UpdateCheckTest, FailuresAreInTheRowsOfTheirContainers) {
  machine.write("var/lib/containers/berth/broken.0/info", "{ not json");
  std::filesystem::create_symlink("broken.0", machine.on_disk("var/lib/containers/berth/broken"));
  machine.write("var/lib/containers/berth/gone.0/info", R"({"image":"localhost/gone:latest","revision":"00"})");
  std::filesystem::create_symlink("gone.0", machine.on_disk("var/lib/containers/berth/gone"));
  const auto checks = check_all_updates(context, {}, false);
  ASSERT_EQ(checks.size(), 3U);
  EXPECT_TRUE(checks[0].error);
  EXPECT_EQ(checks[1].error->kind(), ErrorKind::not_found);
  EXPECT_FALSE(checks[2].error);
  EXPECT_FALSE(checks[1].newer());
}

TEST_F(UpdateCheckTest, QueriesALayoutForAnotherImage) {
  auto request = web();
  auto spec = full_image();
  spec.files.push_back({"bin/more", "more\n", 0755, ""});
  request.rebase = machine.image("other", spec);
  const auto check = check_update(context, request, false);
  EXPECT_EQ(check.image, "localhost/other:latest");
  EXPECT_EQ(check.layers_to_fetch, 1U);
  EXPECT_GT(check.bytes_to_fetch, 0U);
}

TEST_F(UpdateCheckTest, UnknownNamesAreNotFound) {
  UpdateRequest request;
  request.name = "nothing";
  EXPECT_EQ(error_of([&] { check_update(context, request, false); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
