// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/inspect.hpp"

#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/containers/install.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;

TEST(Inspect, DescribesContainersAndImages) {
  test::Machine machine;
  auto context = machine.context();
  InstallRequest request;
  request.image = machine.image("web", test::full_image());
  request.name = "api";
  request.start = true;
  install(context, request);
  const auto container = to_json(inspect(context, "api"));
  EXPECT_EQ(container["type"], "container");
  EXPECT_EQ(container["state"], "running");
  EXPECT_EQ(container["config"]["process"]["args"][1], "80");
  EXPECT_EQ(container["values"]["GREETING"], "hello");
  const auto image = to_json(inspect(context, "localhost/web:latest"));
  EXPECT_EQ(image["type"], "image");
  EXPECT_EQ(image["config"]["architecture"], image::host_platform().architecture);
  EXPECT_EQ(error_of([&] { inspect(context, "nobody"); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::ops
