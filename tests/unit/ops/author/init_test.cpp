// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/init.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/json.hpp"
#include "base/temp_directory.hpp"
#include "ops/author/author_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::complaints;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Init : public test::AuthorTest {};

TEST_F(Init, WritesTemplatesWithoutFaults) {
  const auto written = init_of(directory_ / "new/greeter");
  EXPECT_THAT(written, ElementsAre("exports/manifest.json", "exports/config.json.template", "exports/service.template",
                                   "exports/tmpfiles.template", "Containerfile", "help.md", "run.sh"));
  EXPECT_TRUE(std::filesystem::is_directory(directory_ / "new/greeter/exports/hostfs"));
  EXPECT_THAT(complaints(lint_of(directory_ / "new/greeter")), IsEmpty());
}

TEST_F(Init, DoesNotOverwriteFiles) {
  std::filesystem::create_directories(directory_ / "own");
  std::ofstream(directory_ / "own/run.sh") << "mine";
  const auto error = error_of([&] { init_of(directory_ / "own"); });
  EXPECT_EQ(error.kind(), ErrorKind::conflict);
  EXPECT_THAT(error.message(), HasSubstr("own/run.sh"));
  EXPECT_FALSE(std::filesystem::exists(directory_ / "own/exports"));
}

TEST_F(Init, UsesTheConfigurationOfTheImage) {
  test::ImageSpec spec;
  spec.files = {{"etc/passwd", "guest:x:7:8::/home:/bin/sh\n", 0644, ""}};
  spec.config =
      R"({"Entrypoint": ["/bin/serve", "a$b"], "Env": ["PORT=80", "PATH=/bin", "PRICE=5$", "QUOTE=a\"b"], "User": "guest",)"
      R"("StopSignal": "SIGQUIT", "Volumes": {"/data": {}}})";
  const auto image = machine_.image("served", spec);
  const auto written = init_of(directory_ / "made", image);
  EXPECT_THAT(written, Not(Contains("run.sh")));
  const auto files = render_of(directory_ / "made", {"PORT=81"});
  const auto made = base::parse_json(files.at(0).content, "config.json");
  EXPECT_EQ(made["process"]["args"], base::Json({"/bin/serve", "a$b"}));
  EXPECT_EQ(made["process"]["user"]["uid"], 7);
  for (const std::string entry : {"PORT=81", "PATH=/bin", "PRICE=5$", "QUOTE=a\"b"}) {
    EXPECT_THAT(made["process"]["env"].get<std::vector<std::string>>(), Contains(entry));
  }
  EXPECT_THAT(files.at(1).content, HasSubstr("kill 'made' SIGQUIT\n"));
  EXPECT_THAT(files.at(1).content, HasSubstr("KillSignal=SIGQUIT\n"));
  EXPECT_EQ(files.at(2).content,
            "d /var/lib/berth 0700 0 0 - -\nd /var/lib/berth/made 0700 0 0 - -\n"
            "d /var/lib/berth/made/data 0755 7 8 - -\n");
}

TEST_F(Init, RefusesADirectoryAsTheImage) {
  EXPECT_EQ(error_of([&] { init_of(directory_ / "x", directory_ / "web"); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace berth::ops
