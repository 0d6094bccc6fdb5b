// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/credentials.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <optional>

#include "failure.hpp"
#include "hostile_json.hpp"
#include "scratch_directory.hpp"
#include "source/recording_reporter.hpp"
#include "source/registry/base64.hpp"

namespace berth::source {
namespace {

using test::failure_of;
using testing::HasSubstr;
using testing::Not;

std::string entry(const std::string& key, const std::string& login) {
  return "\"" + key + "\":{\"auth\":\"" + encode_base64(login) + "\"}";
}

std::string auths(const std::string& entries) {
  return "{\"auths\":{" + entries + "}}";
}

class CredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "DOCKER_CONFIG"}) {
      set(name, "");
    }
    set("HOME", directory_.path("home"));
  }
  void TearDown() override {
    for (const auto& [name, value] : saved_) {
      value ? ::setenv(name.c_str(), value->c_str(), 1) : ::unsetenv(name.c_str());
    }
  }
  void set(const std::string& name, const std::string& value) {
    const char* old = std::getenv(name.c_str());
    saved_.emplace(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::string login(const std::string& registry, const std::string& repository, const std::string& file = "") {
    const auto found = find_credentials(registry, repository, {file, {}, &reporter_});
    return found ? found->username + ":" + found->password : "none";
  }
  void install_program(const std::string& name, const std::string& script) {
    const auto file = directory_.write("bin/docker-credential-" + name, "#!/bin/sh\n" + script);
    ::chmod(file.c_str(), 0755);
    set("PATH", directory_.path("bin") + ":/usr/bin:/bin");
  }

  const test::TempDirectory directory_;
  test::RecordingReporter reporter_;

 private:
  std::map<std::string, std::optional<std::string>> saved_;
};

TEST_F(CredentialsTest, WithoutFilesThereIsNoLogin) {
  EXPECT_EQ(login("quay.io", "a/b"), "none");
}

TEST_F(CredentialsTest, TheMostSpecificKeyWins) {
  const auto file = directory_.write("auth.json", auths(entry("quay.io", "r:1") + "," + entry("quay.io/a", "n:2") +
                                                        "," + entry("quay.io/a/b", "i:3:x")));
  EXPECT_EQ(login("quay.io", "a/b", file), "i:3:x");
  EXPECT_EQ(login("quay.io", "a/c", file), "n:2");
  EXPECT_EQ(login("quay.io", "ab", file), "r:1");
  EXPECT_EQ(login("quay.io:443", "a/b", file), "none");
  EXPECT_EQ(find_credentials("quay.io", "a", {file, {}, &reporter_})->place, file);
}

TEST_F(CredentialsTest, OldNamesOfDockerHubAreRecognised) {
  for (const std::string key :
       {"https://index.docker.io/v1/", "index.docker.io", "docker.io", "https://registry-1.docker.io"}) {
    const auto file = directory_.write("auth.json", auths(entry(key, "u:p")));
    EXPECT_EQ(login("docker.io", "library/busybox", file), "u:p") << key;
  }
  const auto file = directory_.write("auth.json", auths(entry("https://quay.io/v2/", "u:p")));
  EXPECT_EQ(login("quay.io", "a", file), "u:p");
}

TEST_F(CredentialsTest, FilesAreReadInOrder) {
  set("XDG_RUNTIME_DIR", directory_.path("run"));
  directory_.write("home/.docker/config.json", auths(entry("quay.io", "docker:1") + "," + entry("only.docker", "d:1")));
  EXPECT_EQ(login("quay.io", "a"), "docker:1");
  directory_.write("home/.config/containers/auth.json", auths(entry("quay.io", "config:2")));
  EXPECT_EQ(login("quay.io", "a"), "config:2");
  directory_.write("run/containers/auth.json", auths(entry("quay.io", "run:3")));
  EXPECT_EQ(login("quay.io", "a"), "run:3");
  EXPECT_EQ(login("only.docker", "a"), "d:1");
  set("REGISTRY_AUTH_FILE", directory_.write("named.json", auths(entry("quay.io", "named:4"))));
  EXPECT_EQ(login("quay.io", "a"), "named:4");
  EXPECT_EQ(login("only.docker", "a"), "none");
  EXPECT_EQ(login("quay.io", "a", directory_.write("given.json", auths(entry("quay.io", "given:5")))), "given:5");
}

TEST_F(CredentialsTest, XdgConfigHomeAndDockerConfigAreHonoured) {
  set("XDG_CONFIG_HOME", directory_.path("xdg"));
  set("DOCKER_CONFIG", directory_.path("dock"));
  directory_.write("dock/config.json", auths(entry("quay.io", "dock:1")));
  EXPECT_EQ(login("quay.io", "a"), "dock:1");
  directory_.write("xdg/containers/auth.json", auths(entry("quay.io", "xdg:1")));
  EXPECT_EQ(login("quay.io", "a"), "xdg:1");
}

TEST_F(CredentialsTest, IdentityTokensAreReturned) {
  const auto file = directory_.write(
      "auth.json", R"({"auths":{"quay.io":{"auth":")" + encode_base64("u:") + R"(","identitytoken":"refresh"}}})");
  EXPECT_EQ(find_credentials("quay.io", "a", {file, {}, &reporter_})->identity_token, "refresh");
}

TEST_F(CredentialsTest, NamedFilesMustExist) {
  const auto missing = directory_.path("missing.json");
  EXPECT_EQ(failure_of([&] { login("quay.io", "a", missing); }).kind(), base::ErrorKind::not_found);
  set("REGISTRY_AUTH_FILE", missing);
  EXPECT_THAT(failure_of([&] { login("quay.io", "a"); }).message(), HasSubstr(missing));
}

TEST_F(CredentialsTest, DamagedFilesAreReportedButNotQuoted) {
  const std::vector<std::string> contents{
      R"({"auths":{"quay.io":{"auth":"dXNlcjpzZWNyZXQ=","password":"secret)",
      R"({"auths":{"quay.io":{"auth":"secret!"}}})",
      R"({"auths":{"quay.io":{"auth":")" + encode_base64("secret") + R"("}}})",
      R"({"auths":{"quay.io":{"auth":7,"password":"secret"}}})",
      R"({"auths":["secret"]})",
      R"("secret")",
      std::string(2U << 20U, ' '),
  };
  for (const auto& content : contents) {
    const auto file = directory_.write("auth.json", content);
    const auto error = failure_of([&] { login("quay.io", "a", file); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(std::string(error.what()) + error.hint(), HasSubstr(file));
    EXPECT_THAT(std::string(error.what()) + error.hint(), Not(HasSubstr("secret")));
  }
}

/// Neither message nor hint quotes the file: the text may be a password.
TEST_F(CredentialsTest, BrokenFilesAreRefusedWithoutQuotingThem) {
  for (const auto& broken : test::broken_json(auths(entry("quay.io", "a:secret")))) {
    const bool no_login = broken.label == "empty";  // left by tools that remove the last login
    const auto file = directory_.write("auth.json", broken.text);
    if (no_login) {
      continue;
    }
    const auto error = failure_of([&] { login("quay.io", "a", file); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << broken.label;
    EXPECT_THAT(error.what(), HasSubstr(file)) << broken.label;
    EXPECT_THAT(error.what(), Not(HasSubstr(encode_base64("a:secret")))) << broken.label;
    EXPECT_THAT(error.hint(), HasSubstr("podman login")) << broken.label;
  }
}

TEST_F(CredentialsTest, WrongTypesNameTheKey) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {R"([])", "expected an object"},
      {R"({"auths": []})", "auths"},
      {R"({"auths": {"quay.io": "x"}})", "auths.quay.io"},
      {R"({"auths": {"quay.io": {"auth": 7}}})", "auths.quay.io.auth"},
      {R"({"auths": {"quay.io": {"auth": "no base64!"}}})", "auths.quay.io.auth"},
      {R"({"auths": {"quay.io": {"username": []}}})", "auths.quay.io.username"},
      {R"({"credHelpers": []})", "credHelpers"},
      {R"({"credHelpers": {"quay.io": 1}})", "credHelpers.quay.io"},
      {R"({"credsStore": {}})", "credsStore"}};
  for (const auto& [text, key] : cases) {
    const auto file = directory_.write("auth.json", text);
    const auto error = failure_of([&] { login("quay.io", "a", file); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << text;
    EXPECT_THAT(error.message(), HasSubstr(file)) << text;
    EXPECT_THAT(error.message(), HasSubstr(key)) << text;
    EXPECT_FALSE(error.hint().empty()) << text;
  }
}

TEST_F(CredentialsTest, EmptyFilesHoldNoLogin) {
  EXPECT_EQ(login("quay.io", "a", directory_.write("auth.json", "")), "none");
  EXPECT_EQ(login("quay.io", "a", directory_.write("auth.json", "{}")), "none");
  EXPECT_EQ(login("quay.io", "a", directory_.write("auth.json", R"({"auths":{"quay.io":{}}})")), "none");
}

TEST_F(CredentialsTest, TheHelperOfARegistryIsQueried) {
  install_program("test",
                  R"(read -r server; echo "{\"ServerURL\":\"$server\",\"Username\":\"$1-$server\",\"Secret\":\"s\"}")");
  const auto file = directory_.write("auth.json", R"({"credHelpers":{"quay.io":"test"},"auths":{)" +
                                                      entry("quay.io", "a:b") + "," + entry("other.io", "c:d") + "}}");
  EXPECT_EQ(login("quay.io", "a", file), "get-quay.io:s");
  EXPECT_EQ(login("other.io", "a", file), "c:d");
}

TEST_F(CredentialsTest, CredsStoreIsQueriedForOtherRegistries) {
  install_program("store", R"(read -r server; echo "{\"Username\":\"<token>\",\"Secret\":\"$server\"}")");
  const auto file =
      directory_.write("config.json", R"({"credsStore":"store","auths":{"https://index.docker.io/v1/":{}}})");
  const auto found = find_credentials("docker.io", "a", {file, {}, &reporter_});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->identity_token, "https://index.docker.io/v1/");
  EXPECT_EQ(found->username + found->password, "");
}

TEST_F(CredentialsTest, AHelperWithoutCredentialsIsNoFailure) {
  install_program("test", "echo credentials not found in native keychain; exit 1");
  EXPECT_EQ(login("quay.io", "a", directory_.write("auth.json", R"({"credsStore":"test"})")), "none");
}

TEST_F(CredentialsTest, AnotherMessageThatSomethingIsNotFoundIsAFailure) {
  install_program("test", "echo the key store is not found; exit 1");
  const auto file = directory_.write("auth.json", R"({"credsStore":"test"})");
  EXPECT_THAT(failure_of([&] { login("quay.io", "a", file); }).message(), HasSubstr("returned no login for quay.io"));
}

TEST_F(CredentialsTest, FailuresOfHelpersAreReported) {
  install_program("test", "echo secret; exit 3");
  const auto file = directory_.write("auth.json", R"({"credsStore":"test"})");
  const auto error = failure_of([&] { login("quay.io", "a", file); });
  EXPECT_THAT(error.message(), HasSubstr("docker-credential-test returned no login for quay.io (exit code 3)"));
  EXPECT_THAT(error.message(), Not(HasSubstr("secret")));
  install_program("test", "echo '{\"Username\": secret'");
  EXPECT_THAT(failure_of([&] { login("quay.io", "a", file); }).message(), Not(HasSubstr("secret")));
}

TEST_F(CredentialsTest, MissingHelpersAreSkipped) {
  for (const std::string key : {R"("credsStore":"no-such")", R"("credHelpers":{"quay.io":"no-such"})"}) {
    EXPECT_EQ(login("quay.io", "a", directory_.write("auth.json", "{" + key + "}")), "none");
  }
  EXPECT_THAT(reporter_.warnings(), testing::ElementsAre(HasSubstr("docker-credential-no-such, which"),
                                                         HasSubstr("docker-credential-no-such, which")));
}

TEST_F(CredentialsTest, RootIgnoresFilesOfOtherUsers) {
  const auto believed = [](uid_t reader, uid_t owner, gid_t group, mode_t mode) {
    struct stat status {};
    status.st_uid = owner;
    status.st_gid = group;
    status.st_mode = S_IFREG | mode;
    return is_believable(status, reader);
  };
  EXPECT_TRUE(believed(0, 0, 0, 0600));
  EXPECT_TRUE(believed(0, 0, 0, 0664));
  EXPECT_TRUE(believed(0, 0, 50, 0644));
  EXPECT_FALSE(believed(0, 0, 50, 0660));
  EXPECT_FALSE(believed(0, 0, 0, 0602));
  EXPECT_FALSE(believed(0, 1000, 0, 0600));
  EXPECT_TRUE(believed(1000, 1001, 50, 0666));
}

TEST_F(CredentialsTest, FilesThatOthersCanWriteAreSkippedOrRefused) {
  const bool root = ::geteuid() == 0;
  set("XDG_CONFIG_HOME", directory_.path("cfg"));
  const auto file = directory_.write("cfg/containers/auth.json", auths(entry("quay.io", "evil:1")));
  ::chmod(file.c_str(), 0666);
  EXPECT_EQ(login("quay.io", "a"), root ? "none" : "evil:1");
  EXPECT_EQ(reporter_.warnings().size(), root ? 1U : 0U);
  if (root) {
    const auto error = failure_of([&] { login("quay.io", "a", file); });
    EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted);
    EXPECT_THAT(error.message(), HasSubstr("can be written by other users"));
    EXPECT_THAT(error.hint(), HasSubstr("chmod 600 " + file));
  }
}

TEST_F(CredentialsTest, HelperNamesThatArePathsAreRefused) {
  const auto file = directory_.write("auth.json", R"({"credsStore":"../../bin/sh"})");
  EXPECT_THAT(failure_of([&] { login("quay.io", "a", file); }).message(),
              HasSubstr("not the name of a credential helper"));
}

}  // namespace
}  // namespace berth::source
