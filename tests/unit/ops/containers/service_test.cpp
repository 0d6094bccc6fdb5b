// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/service.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/temp_directory.hpp"
#include "ops/containers/install.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using ::testing::HasSubstr;

TEST(Service, StartAndStopWaitForTheJob) {
  test::Machine machine;
  auto context = machine.context();
  InstallRequest request;
  request.image = machine.image("web", test::full_image());
  request.name = "web";
  install(context, request);
  start(context, "web");
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
  stop(context, "web");
  EXPECT_FALSE(machine.systemd.active.contains("web.service"));
  machine.systemd.start_results["web.service"] = {false, "timeout", "it did not start in time"};
  machine.systemd.journal["web.service"] = {"waiting for the database"};
  const auto error = error_of([&] { start(context, "web"); });
  EXPECT_THAT(error.message(), HasSubstr("it did not start in time"));
  EXPECT_THAT(error.details(), HasSubstr("waiting for the database"));
  EXPECT_EQ(error_of([&] { start(context, "nobody"); }).kind(), ErrorKind::not_found);
  machine.systemd.stop_results["web.service"] = {false, "timeout", "it did not stop in time"};
  EXPECT_THAT(error_of([&] { stop(context, "web"); }).message(), HasSubstr("it did not stop in time"));
}

}  // namespace
}  // namespace berth::ops
