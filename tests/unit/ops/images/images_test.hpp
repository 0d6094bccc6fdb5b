// SPDX-License-Identifier: LGPL-2.1-or-later
// A machine with one image, which the container `web` uses.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "ops/containers/install.hpp"
#include "ops/images/list.hpp"
#include "ops/images/verify.hpp"
#include "ops/machine.hpp"

namespace berth::test {

inline constexpr const char* web = "localhost/web:latest";

class ImagesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ops::InstallRequest request;
    request.image = machine.image("web", full_image());
    request.name = "web";
    ops::install(context, request);
  }
  /// @return path on disk of a file in the directory of deployments
  [[nodiscard]] std::string deployment(const std::string& path) const {
    return machine.on_disk(std::string(deployments) + "/" + path);
  }
  /// The only image.
  [[nodiscard]] ops::ImageRow row() { return ops::list_images(context, {}).at(0); }
  ops::VerifiedImage verify() { return ops::verify_images(context, {{}, false, ""}).at(0); }

  Machine machine;
  ops::Context context = machine.context();
};

}  // namespace berth::test
