// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/status.hpp"

#include <gtest/gtest.h>

namespace berth::source {
namespace {

TEST(Status, DescribesStatuses) {
  EXPECT_EQ(status_text(503), "503 Service Unavailable");
  EXPECT_EQ(status_text(418), "418");
}

TEST(Status, ClassifiesTransientStatuses) {
  for (const int status : {408, 429, 500, 502, 503, 504, 599}) {
    EXPECT_TRUE(is_transient_status(status)) << status;
  }
  for (const int status : {200, 206, 400, 401, 403, 404, 416, 501, 505, 600}) {
    EXPECT_FALSE(is_transient_status(status)) << status;
  }
}

TEST(RegistryMessage, ReadsErrorDocuments) {
  EXPECT_EQ(registry_message(R"({"errors":[{"code":"DENIED","message":"no\u001b[31m"}]})"), "DENIED: no?[31m");
  EXPECT_EQ(registry_message(R"({"errors":[{"message":"only"}]})"), "only");
  EXPECT_EQ(registry_message(R"({"errors":[{"code":"ONLY"}]})"), "ONLY");
  for (const std::string text :
       {"", "<html>", "{}", R"({"errors":[]})", R"({"errors":[7]})", R"({"errors":[{"code":1}]})"}) {
    EXPECT_EQ(registry_message(text), "") << text;
  }
  EXPECT_LE(registry_message(R"({"errors":[{"code":")" + std::string(9000, 'x') + R"("}]})").size(), 210U);
}

}  // namespace
}  // namespace berth::source
