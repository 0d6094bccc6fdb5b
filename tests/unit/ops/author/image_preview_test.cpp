// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/image_preview.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temp_directory.hpp"
#include "ops/author/author_test.hpp"
#include "ops/images/pull.hpp"
#include "ops/tree.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::codes;
using test::full_image;
using ::testing::Contains;
using ::testing::HasSubstr;

class ImagePreviewTest : public test::AuthorTest {};

TEST_F(ImagePreviewTest, FetchesAnImageTemporarily) {
  const auto report = lint_of(machine_.image("web", full_image()));
  EXPECT_EQ(report.directory, "exports");
  EXPECT_THAT(codes(report), Contains("privilege-over-host"));  // a setuid program in hostfs
  EXPECT_THAT(codes(report), Contains("no-type-label"));
  EXPECT_FALSE(machine_.exists("var/lib/containers"));
}

TEST_F(ImagePreviewTest, ChecksOutAStoredImage) {
  auto context = machine_.context();
  PullRequest pulled;
  pulled.image = machine_.image("web", full_image());
  const auto name = pull(context, pulled).image.name;
  std::filesystem::remove_all(machine_.directory / "web");
  const auto before = test::tree_text(machine_.on_disk("var/lib/containers/berth"));
  EXPECT_THAT(codes(lint_of(name)), Contains("no-type-label"));
  EXPECT_EQ(test::tree_text(machine_.on_disk("var/lib/containers/berth")), before);
}

TEST_F(ImagePreviewTest, ReportsAMissingTarget) {
  const auto error = error_of([&] { lint_of(directory_ / "nothing"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.hint(), HasSubstr("[SOURCE:]IMAGE"));
  EXPECT_THAT(error_of([&] { lint_of("exprots"); }).message(), HasSubstr("there is no directory exprots, and "));
}

}  // namespace
}  // namespace berth::ops
