// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/atomic/atomic.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>
#include <vector>

namespace berth::cli {
namespace {

TEST(Atomic, IsRecognisedByTheNameOfTheProgram) {
  EXPECT_TRUE(is_called_atomic("atomic"));
  EXPECT_TRUE(is_called_atomic("/usr/bin/atomic"));
  EXPECT_FALSE(is_called_atomic("/usr/bin/berth"));
  EXPECT_FALSE(is_called_atomic("/opt/atomic/berth"));
}

TEST(Atomic, TranslatesReferences) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"busybox", "busybox"},
      {"oci:busybox:1", "busybox:1"},
      {"oci:/srv/layout", "oci:/srv/layout"},
      {"http:localhost:5000/a", "http:localhost:5000/a"},
      {"docker:etcd:latest", "docker-daemon:etcd:latest"},
      {"docker:etcd", "etcd"},
      {"dockertar://srv/a.tar", "docker-archive://srv/a.tar"},
      {"dockertar:/no/such.tar", "docker-archive:/no/such.tar"}};
  for (const auto& [atomic, berth] : cases) {
    EXPECT_EQ(berth_reference(atomic), berth);
  }
}

TEST(Atomic, RemovesTheSourceFromTheNameOfAStoredImage) {
  EXPECT_EQ(without_source("oci:busybox"), "busybox");
  EXPECT_EQ(without_source("http:web"), "web");
  EXPECT_EQ(without_source("sha256:abc"), "abc");
  EXPECT_EQ(without_source("web"), "web");
}

TEST(Atomic, HidesCredentials) {
  std::string program = "atomic";
  std::string option = "--src-creds";
  std::string secret = "me:word";
  std::string joined = "--src-creds=me:word";
  std::string last = "--src-creds";
  std::array words{program.data(), option.data(), secret.data(), joined.data(), last.data()};
  hide_credentials(static_cast<int>(words.size()), words.data());
  EXPECT_EQ(secret, std::string(7, '\0'));
  EXPECT_EQ(joined, "--src-creds=" + std::string(7, '\0'));
  EXPECT_EQ(option, "--src-creds");
}

}  // namespace
}  // namespace berth::cli
