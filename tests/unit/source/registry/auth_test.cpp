// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/auth.hpp"

#include <gmock/gmock.h>

#include "source/registry/base64.hpp"
#include "source/registry/registry.hpp"
#include "source/registry_fixture.hpp"

namespace berth::source {
namespace {

using test::failure_of;
using test::HttpServer;
using test::respond;
using test::SampleImage;
using test::ServerRequest;
using test::ServerResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const image::Platform amd64{"linux", "amd64", ""};

// A registry that requires `wanted` as Authorization, and its token server.
class AuthTest : public test::RegistryTest {
 protected:
  ServerResponse answer(const ServerRequest& request) {
    if (request.target.starts_with("/token")) {
      return token_response_;
    }
    if (request.header("authorization") != wanted_) {
      return respond(401, R"({"errors":[{"code":"UNAUTHORIZED"}]})", {{"WWW-Authenticate", challenge_}});
    }
    return test::manifest_response(image_.manifest);
  }
  void want_token() {
    challenge_ = "Bearer realm=\"" + server_.url("/token?x=y") + "\",service=\"a service\",scope=\"other\"";
  }
  void log_in(const std::string& text) {
    options_.authfile = directory_.write("auth.json", R"({"auths":{")" + server_.location() + "\":" + text + "}}");
  }
  void resolve() { RegistrySource(reference(server_), options_).resolve(amd64); }

  const SampleImage image_;
  std::string wanted_ = "Bearer good";
  std::string challenge_;
  ServerResponse token_response_ = respond(200, R"({"token":"good","expires_in":300})");
  HttpServer server_{[this](const ServerRequest& request) { return answer(request); }};
};

TEST_F(AuthTest, FetchesAnAnonymousToken) {
  want_token();
  resolve();
  EXPECT_THAT(server_.targets(),
              ElementsAre("/v2/a/b/manifests/1", "/token?x=y&service=a%20service&scope=repository%3Aa%2Fb%3Apull",
                          "/v2/a/b/manifests/1"));
  EXPECT_EQ(server_.requests().at(1).header("authorization"), "");
  EXPECT_EQ(server_.connections(), 2);  // the connection with the 401 is open while the token is fetched
}

TEST_F(AuthTest, KeepsTheTokenForTheNextRequest) {
  want_token();
  RegistrySource source(reference(server_), options_);
  source.resolve(amd64);
  source.resolve(amd64);
  EXPECT_EQ(server_.requests().size(), 4U);
}

TEST_F(AuthTest, RenewsARefusedToken) {
  want_token();
  RegistrySource source(reference(server_), options_);
  source.resolve(amd64);
  wanted_ = "Bearer newer";
  token_response_ = respond(200, R"({"access_token":"newer"})");
  source.resolve(amd64);
  EXPECT_EQ(server_.requests().size(), 6U);
}

TEST_F(AuthTest, SendsTheLoginToTheTokenServerOnly) {
  want_token();
  log_in(R"({"auth":")" + encode_base64("user:secret") + "\"}");
  resolve();
  EXPECT_EQ(server_.requests().at(0).header("authorization"), "");
  EXPECT_EQ(server_.requests().at(1).header("authorization"), "Basic " + encode_base64("user:secret"));
  EXPECT_EQ(server_.requests().at(2).header("authorization"), "Bearer good");
}

TEST_F(AuthTest, PostsIdentityTokens) {
  want_token();
  log_in(R"({"identitytoken":"re/fresh"})");
  resolve();
  const auto post = server_.requests().at(1);
  EXPECT_EQ(post.method, "POST");
  EXPECT_EQ(post.body,
            "grant_type=refresh_token&client_id=berth&service=a%20service&scope=repository%3Aa%2Fb%3Apull&refresh_"
            "token=re%2Ffresh");
}

TEST_F(AuthTest, SupportsBasicAuthentication) {
  challenge_ = "Basic realm=\"x\"";
  wanted_ = "Basic " + encode_base64("user:secret");
  log_in(R"({"auth":")" + encode_base64("user:secret") + "\"}");
  RegistrySource source(reference(server_), options_);
  source.resolve(amd64);
  source.resolve(amd64);
  EXPECT_EQ(server_.requests().size(), 3U);
}

TEST_F(AuthTest, ReportsAMissingLogin) {
  for (const std::string challenge : {"Basic realm=\"x\"", ""}) {
    challenge_ = challenge;
    const auto error = failure_of([this] { resolve(); });
    EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted);
  }
  challenge_ = "Basic realm=\"x\"";
  const auto error = failure_of([this] { resolve(); });
  EXPECT_THAT(error.message(), HasSubstr("without a login"));
  EXPECT_THAT(error.hint(), HasSubstr("podman login " + server_.location()));
}

TEST_F(AuthTest, ReportsARefusedLogin) {
  log_in(R"({"auth":")" + encode_base64("user:secret") + "\"}");
  for (const bool bearer : {false, true}) {
    challenge_ = "Basic realm=\"x\"";
    if (bearer) {
      want_token();
      token_response_ = respond(401, "secret");
    }
    const auto error = failure_of([this] { resolve(); });
    EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted);
    EXPECT_THAT(error.message(), HasSubstr("refuses the login from " + options_.authfile));
    EXPECT_THAT(std::string(error.what()) + error.hint(), Not(HasSubstr("secret")));
  }
}

TEST_F(AuthTest, ReportsARefusalOfANewToken) {
  want_token();
  wanted_ = "never";
  EXPECT_EQ(failure_of([this] { resolve(); }).kind(), base::ErrorKind::not_permitted);
  EXPECT_EQ(server_.requests().size(), 3U);
}

TEST_F(AuthTest, RefusesInvalidAnswersOfTokenServers) {
  const std::vector<std::pair<ServerResponse, std::string>> cases{
      {respond(200, "{\"token\": secret"), "is not valid JSON"},
      {respond(200, "{}"), "neither 'token' nor 'access_token'"},
      {respond(200, R"({"token":"","access_token":null})"), "neither 'token' nor 'access_token'"},
      {respond(200, R"({"token":7})"), "token: expected a string"},
      {respond(200, R"({"token":"a\r\nX: y"})"), "characters that are not allowed in tokens"},
      {respond(200, std::string(2U << 20U, ' ')), "more than"},
      {respond(404), "404 Not Found"},
      {respond(503), "503 Service Unavailable"},
  };
  want_token();
  for (const auto& [response, words] : cases) {
    token_response_ = response;
    const auto error = failure_of([this] { resolve(); });
    EXPECT_THAT(error.message(), HasSubstr(words));
    EXPECT_THAT(error.message(), Not(HasSubstr("secret")));
    EXPECT_THAT(error.message(), Not(HasSubstr("x=y")));
  }
}

TEST_F(AuthTest, UsesTheTokenThatIsNotEmpty) {
  want_token();
  for (const std::string text : {R"({"token":"","access_token":"good"})", R"({"token":"good","access_token":""})"}) {
    token_response_ = respond(200, text);
    resolve();
  }
}

TEST_F(AuthTest, RetriesTheTokenServer) {
  want_token();
  token_response_ = respond(503);
  EXPECT_THROW(resolve(), base::Error);
  EXPECT_EQ(reporter_.warnings().size(), 2U);
}

TEST_F(AuthTest, RefusesInvalidRealms) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"Bearer service=x", "does not name a token server"},
      {"Bearer realm=\"file:///etc/passwd\"", "neither http nor https"},
      {"Bearer realm=\"http://auth.example/\"", "over plain http to auth.example"},
      {"Negotiate", "by an unsupported scheme"},
  };
  for (const auto& [challenge, words] : cases) {
    challenge_ = challenge;
    EXPECT_THAT(failure_of([this] { resolve(); }).message(), HasSubstr(words)) << challenge;
  }
}

TEST_F(AuthTest, ReportsAMissingAuthFile) {
  want_token();
  options_.authfile = directory_.path("missing.json");
  EXPECT_EQ(failure_of([this] { resolve(); }).kind(), base::ErrorKind::not_found);
}

}  // namespace
}  // namespace berth::source
