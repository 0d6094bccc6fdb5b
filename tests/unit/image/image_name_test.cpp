// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gmock/gmock.h>

#include <array>

#include "failure.hpp"
#include "image/reference.hpp"

namespace berth::image {
namespace {

using test::failure_of;
using testing::HasSubstr;

const std::string hex(64, 'a');

TEST(ImageName, ParsesWhatTheGrammarAllows) {
  const std::array<std::array<std::string, 4>, 14> cases{{
      {"docker.io/library/busybox:1.36", "docker.io", "library/busybox", "1.36"},
      {"docker.io/busybox", "docker.io", "library/busybox", "latest"},
      {"index.docker.io/busybox", "docker.io", "library/busybox", "latest"},
      {"docker.io/grafana/grafana", "docker.io", "grafana/grafana", "latest"},
      {"localhost/etcd", "localhost", "etcd", "latest"},
      {"localhost:5000/etcd:v3", "localhost:5000", "etcd", "v3"},
      {"[::1]:5000/a/b", "[::1]:5000", "a/b", "latest"},
      {"[2001:db8::1]/a", "[2001:db8::1]", "a", "latest"},
      {"127.0.0.1:5000/a", "127.0.0.1:5000", "a", "latest"},
      {"host:5000/a:b", "host:5000", "a", "b"},
      {"Quay.IO/a/b/c/d", "quay.io", "a/b/c/d", "latest"},
      {"quay.io/a__b-c---d.e_f", "quay.io", "a__b-c---d.e_f", "latest"},
      {"quay.io/a:_x.y-z", "quay.io", "a", "_x.y-z"},
      {"registry-1.example.org/a", "registry-1.example.org", "a", "latest"},
  }};
  for (const auto& [text, registry, repository, tag] : cases) {
    const auto name = parse_image_name(text);
    EXPECT_EQ(name.registry, registry) << text;
    EXPECT_EQ(name.repository, repository) << text;
    EXPECT_EQ(name.tag, tag) << text;
    EXPECT_EQ(parse_image_name(name.text()), name) << text;
  }
}

TEST(ImageName, KeepsDigests) {
  const auto only_digest = parse_image_name("quay.io/a@sha256:" + hex);
  EXPECT_EQ(only_digest.tag, "");
  ASSERT_TRUE(only_digest.digest);
  EXPECT_EQ(only_digest.digest->hex(), hex);
  EXPECT_EQ(only_digest.text(), "quay.io/a@sha256:" + hex);
  EXPECT_EQ(parse_image_name("quay.io/a:1@sha256:" + hex).text(), "quay.io/a:1@sha256:" + hex);
}

TEST(ImageName, RefusesWhatTheGrammarDoesNot) {
  const std::string long_repository(256, 'a');
  const std::string long_tag(129, 'a');
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "empty"},
      {"@sha256:" + hex, "empty"},
      {"quay.io/", "empty"},
      {"quay.io/a//b", "empty"},
      {"quay.io/a/", "empty"},
      {"quay.io//a", "empty"},
      {"quay.io/A", "lower case"},
      {"quay.io/a..b", "not a repository name"},
      {"quay.io/../b", "not a repository name"},
      {"quay.io/a___b", "not a repository name"},
      {"quay.io/-a", "not a repository name"},
      {"quay.io/a-", "not a repository name"},
      {"quay.io/a b", "not a repository name"},
      {"quay.io/a%2fb", "not a repository name"},
      {"quay.io/a?x", "not a repository name"},
      {std::string("quay.io/a\nb"), "quay.io/a\\nb"},
      {"quay.io/a:", "not a tag"},
      {"quay.io/a:-x", "not a tag"},
      {"quay.io/a:b:c", "not a tag"},
      {"quay.io/a:" + long_tag, "not a tag"},
      {"quay.io/" + long_repository, "256 bytes"},
      {"quay.io/" + std::string(240, 'a'), "too long"},
      {"quay.io/a@sha256:abc", "not a digest"},
      {"quay.io/a@sha256:../../etc", "not a digest"},
      {"quay.io/a@md5:" + hex, "not a digest"},
      {"host:port/a", "not a registry"},
      {"host:0/a", "not a registry"},
      {"host:65536/a", "not a registry"},
      {"ho_st.io/a", "not a registry"},
      {"-host.io/a", "not a registry"},
      {"user@host.io/a", "no registry"},
      {"..:5000/a", "not a registry"},
      {"[::1/a", "not a registry"},
      {"[zz]:1/a", "not a registry"},
      {std::string("[::1\0.io]/a", 12), "not a registry"},
      {std::string(252, 'a') + ".org/a", "not a registry"},
  };
  for (const auto& [text, reason] : cases) {
    const auto error = failure_of([&name = text] { parse_image_name(name); });
    EXPECT_EQ(error.kind(), base::ErrorKind::usage) << text;
    EXPECT_THAT(error.message(), HasSubstr(reason)) << text;
    EXPECT_NE(error.hint(), "") << text;
  }
}

TEST(ImageName, ProposesDockerHubForShortNames) {
  EXPECT_THAT(failure_of([] { parse_image_name("busybox"); }).hint(), HasSubstr("docker.io/library/busybox"));
  EXPECT_THAT(failure_of([] { parse_image_name("busybox:1"); }).hint(), HasSubstr("docker.io/library/busybox:1"));
  EXPECT_THAT(failure_of([] { parse_image_name("busy\x1b[2Jbox"); }).hint(), HasSubstr("/busy?[2Jbox"));
  EXPECT_THAT(failure_of([] { parse_image_name("grafana/grafana"); }).hint(), HasSubstr("docker.io/grafana/grafana"));
}

TEST(ImageName, FamiliarNamesMeanDockerHub) {
  EXPECT_EQ(parse_familiar_name("busybox:1").text(), "docker.io/library/busybox:1");
  EXPECT_EQ(parse_familiar_name("a/b").text(), "docker.io/a/b:latest");
  EXPECT_EQ(parse_familiar_name("localhost/b").text(), "localhost/b:latest");
  EXPECT_EQ(parse_familiar_name("a@sha256:" + hex).text(), "docker.io/library/a@sha256:" + hex);
}

TEST(ImageName, EncodesEveryOtherByte) {
  EXPECT_EQ(parse_image_name("docker.io/library/busybox:latest").encoded(), "docker.io_2Flibrary_2Fbusybox_3Alatest");
  EXPECT_EQ(parse_image_name("[::1]:5000/a_b").encoded(), "_5B_3A_3A1_5D_3A5000_2Fa_5Fb_3Alatest");
}

TEST(DecodeBranch, InvertsEncoded) {
  for (const std::string text : {"docker.io/library/busybox:latest", "[::1]:5000/a_b:x", "localhost:5000/a@sha256:"}) {
    const auto name = parse_image_name(text.back() == ':' ? text + hex : text);
    EXPECT_EQ(decode_branch(name.encoded()), name.text());
  }
  EXPECT_EQ(decode_branch("busybox_3Alatest"), "busybox:latest");  // a name written by atomic
}

TEST(DecodeBranch, RefusesWhatEncodedDoesNotWrite) {
  for (const std::string text :
       {"", "a_", "a_2", "a_2f", "a_G0", "a_00", "a_0A", "a_7F", "a_41", "a/b", "a:b", "a b"}) {
    EXPECT_EQ(decode_branch(text), std::nullopt) << text;
  }
  EXPECT_EQ(decode_branch(hex), std::nullopt);
  EXPECT_EQ(decode_branch(hex + hex), std::nullopt);
}

TEST(DefaultContainerName, IsTheLastComponentAndTheTag) {
  EXPECT_EQ(default_container_name(parse_written_name("etcd:3")), "etcd-3");
  EXPECT_EQ(default_container_name(parse_image_name("docker.io/library/etcd")), "etcd");
  EXPECT_EQ(default_container_name(parse_image_name("localhost:5000/x/etcd:3.5")), "etcd-3.5");
  EXPECT_EQ(default_container_name(parse_image_name("quay.io/a_b:_x")), "a_b-_x");
  EXPECT_EQ(default_container_name(parse_image_name("quay.io/etcd@sha256:" + hex)), "etcd");
  EXPECT_EQ(default_container_name(ImageName{"x", "a b", "c/d", std::nullopt}), "a-b-c-d");
}

TEST(ImageName, StaysAsItIsWritten) {
  struct Case {
    std::string text;
    std::string stored;
    std::string encoded;
    std::string address;
  };
  const std::vector<Case> cases{
      {"busybox", "busybox:latest", "busybox_3Alatest", "docker.io/library/busybox:latest"},
      {"docker.io/busybox:1", "docker.io/busybox:1", "docker.io_2Fbusybox_3A1", "docker.io/library/busybox:1"},
      {"a/b", "a/b:latest", "a_2Fb_3Alatest", "docker.io/a/b:latest"},
      {"Quay.io/a:1", "quay.io/a:1", "quay.io_2Fa_3A1", "quay.io/a:1"},
      {"localhost:5000/a", "localhost:5000/a:latest", "localhost_3A5000_2Fa_3Alatest", "localhost:5000/a:latest"}};
  for (const auto& one : cases) {
    const auto name = parse_written_name(one.text);
    EXPECT_EQ(name.text(), one.stored);
    EXPECT_EQ(name.encoded(), one.encoded);
    EXPECT_EQ(name.address().text(), one.address);
    EXPECT_EQ(decode_branch(name.encoded()), one.stored);
  }
  EXPECT_THAT(failure_of([] { parse_written_name("Busy"); }).what(), HasSubstr("lower case"));
  EXPECT_THAT(failure_of([] { parse_written_name(""); }).what(), HasSubstr("it is empty"));
}

}  // namespace
}  // namespace berth::image
