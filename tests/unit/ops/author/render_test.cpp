// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temp_directory.hpp"
#include "ops/author/author_test.hpp"
#include "ops/containers/install.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::full_image;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Render : public test::AuthorTest {};

TEST_F(Render, ReturnsTheFilesOfAnInstall) {
  const auto image = machine_.image("web", full_image());
  const auto files = render_of(image, {"PORT=81"});
  auto context = machine_.context();
  InstallRequest request;
  request.image = image;
  request.name = "web";
  request.set = {"PORT=81"};
  install(context, request);
  std::vector<std::string> paths;
  for (const auto& file : files) {
    paths.push_back(file.path);
    EXPECT_EQ(machine_.read(file.path), file.content) << file.path;
  }
  EXPECT_THAT(paths, ElementsAre("/var/lib/containers/berth/web.0/config.json", "/etc/systemd/system/web.service",
                                 "/etc/tmpfiles.d/web.conf", "/etc/web/web.conf"));
}

TEST_F(Render, ReportsAllMissingVariables) {
  put("manifest.json", "{}");
  put("tmpfiles.template", "d $WHERE\n");
  const auto error = error_of([&] { render_of(directory_ / "web"); });
  EXPECT_THAT(error.hint(), HasSubstr("--set PORT=… --set WHERE=…"));
}

TEST_F(Render, DoesNotOverwriteFiles) {
  const auto files = render_of(directory_ / "web");
  const auto output = directory_ / "out/put";
  write_rendered(files, output);
  EXPECT_TRUE(std::filesystem::exists(output + "/etc/systemd/system/web.service"));
  std::filesystem::remove(output + files.front().path);
  EXPECT_EQ(error_of([&] { write_rendered(files, output); }).kind(), ErrorKind::conflict);
  EXPECT_FALSE(std::filesystem::exists(output + files.front().path));
}

}  // namespace
}  // namespace berth::ops
