// SPDX-License-Identifier: LGPL-2.1-or-later
// The login of a registry is sent to the registry and its token server only, not to targets of redirects.
#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "source/registry/base64.hpp"
#include "source/registry/registry.hpp"
#include "source/registry_fixture.hpp"
#include "source/tls_identity.hpp"

namespace berth::source {
namespace {

using test::failure_of;
using test::HttpServer;
using test::respond;
using test::SampleImage;
using test::ServerRequest;
using test::ServerResponse;
using testing::HasSubstr;
using testing::IsEmpty;

const image::Platform amd64{"linux", "amd64", ""};

ServerResponse redirect_to(const std::string& url, int status = 307) {
  return respond(status, "", {{"Location", url}});
}

ServerResponse challenge(const std::string& text) {
  return respond(401, "", {{"WWW-Authenticate", text}});
}

std::string realm_at(const std::string& url) {
  return "Bearer realm=\"" + url + "\",service=\"s\"";
}

/// The secrets that a server received.
std::vector<std::string> secrets(const HttpServer& server) {
  std::vector<std::string> found;
  for (const auto& request : server.requests()) {
    if (!request.header("authorization").empty()) {
      found.push_back(request.header("authorization"));
    }
    if (!request.body.empty()) {
      found.push_back(request.body);
    }
  }
  return found;
}

// A registry, a target of its redirects, and a third server.
class LoginOriginTest : public test::RegistryTest {
 public:
  using Answer = std::function<ServerResponse(const ServerRequest&)>;

  LoginOriginTest() { log_in(R"({"auth":")" + encode_base64("user:secret") + "\"}"); }
  void log_in(const std::string& text) {
    options_.authfile = directory_.write("auth.json", R"({"auths":{")" + registry_.location() + "\":" + text + "}}");
  }
  void read_manifest() { RegistrySource(reference(registry_), options_).resolve(amd64); }
  void read_blob() {
    const auto stream = RegistrySource(reference(registry_), options_).open_blob(layer_of(image_));
    std::array<std::byte, 4096> buffer{};
    while (stream->read(buffer) != 0) {
    }
  }

  const SampleImage image_;
  Answer answer_registry_;
  Answer answer_storage_ = [](const ServerRequest&) { return respond(404); };
  Answer answer_third_ = [](const ServerRequest&) { return respond(200, R"({"token":"stolen"})"); };
  HttpServer third_{[this](const ServerRequest& request) { return answer_third_(request); }};
  HttpServer storage_{[this](const ServerRequest& request) { return answer_storage_(request); }};
  HttpServer registry_{[this](const ServerRequest& request) { return answer_registry_(request); }};
};

TEST_F(LoginOriginTest, ATargetOfARedirectDoesNotGetTheLogin) {
  const std::vector<std::string> logins{R"({"auth":")" + encode_base64("user:secret") + "\"}",
                                        R"({"identitytoken":"refresh"})"};
  const std::vector<std::string> challenges{realm_at(third_.url("/token")), realm_at(storage_.url("/token")),
                                            realm_at(registry_.url("/token")), "Basic realm=\"x\"", ""};
  for (const auto& login : logins) {
    log_in(login);
    for (const auto& text : challenges) {
      answer_registry_ = [&](const ServerRequest& request) {
        return request.target.starts_with("/token") ? respond(200, R"({"token":"t"})")
                                                    : redirect_to(storage_.url("/x"));
      };
      answer_storage_ = [&](const ServerRequest&) { return challenge(text); };
      for (const auto& read : {&LoginOriginTest::read_manifest, &LoginOriginTest::read_blob}) {
        const auto error = failure_of([&] { (this->*read)(); });
        EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted) << text;
        EXPECT_THAT(error.message(), HasSubstr("redirects to " + storage_.location())) << text;
      }
    }
  }
  EXPECT_THAT(secrets(registry_), IsEmpty());
  EXPECT_THAT(secrets(storage_), IsEmpty());
  EXPECT_THAT(third_.requests(), IsEmpty());
}

TEST_F(LoginOriginTest, ARedirectAfterALoginDoesNotGetTheLogin) {
  answer_registry_ = [&](const ServerRequest& request) {
    if (request.target.starts_with("/token")) {
      return respond(200, R"({"token":"t"})");
    }
    return request.header("authorization").empty() ? challenge(realm_at(registry_.url("/token")))
                                                   : redirect_to(storage_.url("/x"));
  };
  answer_storage_ = [&](const ServerRequest&) { return redirect_to(third_.url("/y")); };
  answer_third_ = [&](const ServerRequest&) { return challenge(realm_at(storage_.url("/token"))); };
  for (const auto& read : {&LoginOriginTest::read_manifest, &LoginOriginTest::read_blob}) {
    EXPECT_THAT(failure_of([&] { (this->*read)(); }).message(), HasSubstr("redirects to " + third_.location()));
  }
  EXPECT_THAT(secrets(storage_), IsEmpty());
  EXPECT_THAT(secrets(third_), IsEmpty());
}

TEST_F(LoginOriginTest, ARegistryMayNameATokenServer) {
  answer_registry_ = [&](const ServerRequest& request) {
    return request.header("authorization") == "Bearer good" ? test::manifest_response(image_.manifest)
                                                            : challenge(realm_at(third_.url("/token")));
  };
  answer_third_ = [](const ServerRequest&) { return respond(200, R"({"token":"good"})"); };
  read_manifest();
  EXPECT_THAT(secrets(third_), testing::ElementsAre("Basic " + encode_base64("user:secret")));
}

TEST_F(LoginOriginTest, IdentityTokensStayAtTheirRegistry) {
  log_in(R"({"identitytoken":"refresh"})");
  answer_registry_ = [&](const ServerRequest&) { return challenge(realm_at(third_.url("/token"))); };
  const auto error = failure_of([&] { read_manifest(); });
  EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted);
  EXPECT_THAT(error.message(), HasSubstr("sent to another server, " + third_.location()));
  EXPECT_THAT(third_.requests(), IsEmpty());
}

TEST_F(LoginOriginTest, ARedirectOfATokenServerDoesNotGetTheLogin) {
  answer_registry_ = [&](const ServerRequest& request) {
    return request.target.starts_with("/token") ? redirect_to(third_.url("/steal"))
                                                : challenge(realm_at(registry_.url("/token")));
  };
  EXPECT_THROW(read_manifest(), base::Error);
  EXPECT_THAT(secrets(third_), IsEmpty());
  log_in(R"({"identitytoken":"refresh"})");
  const auto seen = third_.requests().size();
  EXPECT_THAT(failure_of([&] { read_manifest(); }).message(), HasSubstr("redirects a request that contains a secret"));
  EXPECT_EQ(third_.requests().size(), seen);
}

TEST_F(LoginOriginTest, RefusesADowngradeToPlainHttp) {
  const auto authority = test::make_authority();
  const auto identity = test::make_server_identity(authority, "IP:127.0.0.1");
  HttpServer registry(
      [&](const ServerRequest&) {
        return challenge(realm_at("http://localhost:" + std::to_string(third_.port()) + "/token"));
      },
      &identity);
  options_.authfile = directory_.write(
      "tls.json", R"({"auths":{")" + registry.location() + R"(":{"auth":")" + encode_base64("user:secret") + "\"}}}");
  for (const bool insecure : {false, true}) {
    options_.registries = {{registry.location(), insecure, directory_.write("ca.pem", authority.certificate)}};
    const auto error =
        failure_of([&] { RegistrySource(reference(registry, "/a/b:1", "https:"), options_).resolve(amd64); });
    EXPECT_THAT(error.message(), HasSubstr("over plain http")) << insecure;
  }
  EXPECT_THAT(third_.requests(), IsEmpty());
}

}  // namespace
}  // namespace berth::source
