// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/open.hpp"

#include <gmock/gmock.h>

#include "source/registry_fixture.hpp"

namespace berth::source {
namespace {

using test::failure_of;
using testing::HasSubstr;

class OpenTest : public test::RegistryTest {};

TEST_F(OpenTest, OpensARegistryWithoutARequest) {
  const auto source = open(image::parse_reference("registry.invalid/a:1"), options_);
  EXPECT_EQ(source->name().text(), "registry.invalid/a:1");
}

TEST_F(OpenTest, FailuresNameTheReference) {
  for (const std::string prefix : {"oci:", "oci-archive:", "docker-archive:"}) {
    const auto text = prefix + directory_.path("missing");
    const auto error = failure_of([&] { open(image::parse_reference(text), options_); });
    EXPECT_EQ(error.kind(), base::ErrorKind::not_found);
    EXPECT_THAT(error.what(), HasSubstr("opening " + text));
  }
}

}  // namespace
}  // namespace berth::source
