// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/registry_client.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "source/http/http_error.hpp"
#include "source/registry_fixture.hpp"

namespace berth::source {
namespace {

using namespace std::chrono_literals;
using test::failure_of;
using test::HttpServer;
using test::respond;
using test::Script;
using test::ServerRequest;
using test::ServerResponse;
using testing::HasSubstr;
using testing::Not;

class RegistryClientTest : public test::RegistryTest {
 protected:
  std::string get(const HttpServer& server, const std::string& prefix = "") {
    RegistryClient client(reference(server, "/a/b:1", prefix), options_);
    const auto response = client.get("x", {});
    return response->status() == 200 ? response->read_text(100, "x") : std::to_string(response->status());
  }
  static ServerResponse ok(const ServerRequest&) { return respond(200, "fine"); }

  const test::TlsIdentity authority_ = test::make_authority();
};

TEST_F(RegistryClientTest, QueriesLoopbackOverPlainHttp) {
  HttpServer server(ok);
  EXPECT_EQ(get(server), "fine");
  EXPECT_EQ(get(server, "http:"), "fine");
  EXPECT_EQ(server.targets().at(0), "/v2/a/b/x");
}

TEST_F(RegistryClientTest, DetectsTlsOnLoopback) {
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1");
  HttpServer server(ok, &identity);
  options_.registries = {{server.location(), false, directory_.write("ca.pem", authority_.certificate)}};
  EXPECT_EQ(get(server), "fine");
  EXPECT_EQ(get(server, "https:"), "fine");
}

TEST_F(RegistryClientTest, ReportsUntrustedTlsOnLoopback) {
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1");
  HttpServer server(ok, &identity);
  EXPECT_THAT(failure_of([&] { get(server); }).message(), HasSubstr("unknown authority"));
}

TEST_F(RegistryClientTest, DoesNotUsePlainHttpForAnHttpsReference) {
  HttpServer server(ok);
  const auto error = failure_of([&] { get(server, "https:"); });
  EXPECT_THAT(error.message(), HasSubstr("cannot speak TLS with " + server.location() + ": "));
  EXPECT_THAT(error.hint(), HasSubstr("if it only speaks plain http"));
  EXPECT_EQ(server.requests().size(), 0U);
}

TEST_F(RegistryClientTest, ReportsA400OfAPlainHttpRegistry) {
  HttpServer server([](const ServerRequest&) { return respond(400); });
  EXPECT_EQ(get(server), "400");
}

TEST_F(RegistryClientTest, ReportsTheFirstFailureWhenBothSchemesFail) {
  ServerResponse hang_up;
  hang_up.hang_up = true;
  HttpServer server([&](const ServerRequest&) { return hang_up; });
  EXPECT_THAT(failure_of([&] { get(server); }).message(), HasSubstr("broke off"));
}

TEST_F(RegistryClientTest, InsecureTriesUnverifiedTlsBeforePlainHttp) {
  // The name is not a loopback name, although its address is.
  const auto ask = [&](const HttpServer& server) {
    const auto location = "ip6-localhost.invalid:" + std::to_string(server.port());
    options_.registries = {{location, true, ""}};
    auto some = image::parse_reference(location + "/a/b:1");
    return failure_of([&] { RegistryClient(some, options_).get("x", {}); }).message();
  };
  HttpServer plain(ok);
  EXPECT_THAT(ask(plain), HasSubstr("is unknown"));
  const auto identity = make_server_identity(authority_, "DNS:example.org", -3);
  HttpServer secure(ok, &identity);
  options_.registries = {{secure.location(), true, ""}};
  EXPECT_EQ(get(secure), "fine");
  EXPECT_EQ(get(secure, "https:"), "fine");
}

TEST_F(RegistryClientTest, RetriesTransientStatuses) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    HttpServer server(Script().on("/v2/a/b/x", {respond(status), respond(status), respond(200, "fine")}));
    EXPECT_EQ(get(server), "fine") << status;
    EXPECT_EQ(server.requests().size(), 3U);
  }
  EXPECT_THAT(reporter_.warnings().front(), HasSubstr("answers 408 Request Timeout; trying again in"));
}

TEST_F(RegistryClientTest, GivesUpAfterTheLastRetry) {
  HttpServer server([](const ServerRequest&) { return respond(500); });
  EXPECT_EQ(get(server), "500");
  EXPECT_EQ(server.requests().size(), 3U);
}

TEST_F(RegistryClientTest, RetriesBrokenConnections) {
  ServerResponse hang_up;
  hang_up.hang_up = true;
  HttpServer server(Script().on("/v2/a/b/x", {hang_up, hang_up, respond(200, "fine")}));
  EXPECT_EQ(get(server, "http:"), "fine");
}

TEST_F(RegistryClientTest, RetriesRefusedConnections) {
  const auto closed = "127.0.0.1:" + std::to_string(test::closed_port());
  RegistryClient client(image::parse_reference(closed + "/a"), options_);
  const auto error = failure_of([&] { client.get("x", {}); });
  EXPECT_THAT(error.message(), HasSubstr("cannot reach " + closed + ": Connection refused"));
  EXPECT_NE(error.hint(), "");
  EXPECT_EQ(reporter_.warnings().size(), 2U);
}

TEST_F(RegistryClientTest, DoesNotRetryUnknownHosts) {
  RegistryClient client(image::parse_reference("registry.invalid/a"), options_);
  EXPECT_THAT(failure_of([&] { client.get("x", {}); }).message(), HasSubstr("registry.invalid is unknown"));
  EXPECT_EQ(reporter_.warnings().size(), 0U);
}

TEST_F(RegistryClientTest, HonoursRetryAfter) {
  HttpServer server(Script().on("/v2/a/b/x", {respond(429, "", {{"Retry-After", "1"}}), respond(200, "fine")}));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(get(server), "fine");
  EXPECT_GE(std::chrono::steady_clock::now() - start, 1s);
}

TEST_F(RegistryClientTest, LimitsRetryAfter) {
  HttpServer server([](const ServerRequest&) { return respond(429, "", {{"Retry-After", "7200"}}); });
  EXPECT_EQ(get(server), "429");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(RegistryClientTest, StopsBetweenRetries) {
  std::stop_source stop;
  options_.stop = stop.get_token();
  options_.retry_delay = 20s;
  HttpServer server([](const ServerRequest&) { return respond(503); });
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  EXPECT_THROW(get(server), base::Interrupted);
}

TEST_F(RegistryClientTest, DescribesRefusals) {
  struct Case {
    int status;
    base::ErrorKind kind;
    std::string words;
  };
  const std::vector<Case> cases{
      {403, base::ErrorKind::not_permitted, "403 Forbidden for the thing (DENIED: no?)"},
      {404, base::ErrorKind::not_found, "404 Not Found"},
      {418, base::ErrorKind::failed, "418"},
  };
  for (const auto& [status, kind, words] : cases) {
    HttpServer server([code = status](const ServerRequest&) {
      return respond(code, R"({"errors":[{"code":"DENIED","message":"no\u0007"}]})");
    });
    RegistryClient client(reference(server), options_);
    const auto response = client.get("x", {});
    const auto error = failure_of([&] { client.refuse(*response, "the thing"); });
    EXPECT_EQ(error.kind(), kind);
    EXPECT_THAT(error.message(), HasSubstr(words));
    EXPECT_THAT(error.message(), HasSubstr(server.location()));
    EXPECT_NE(error.hint(), "");
  }
}

TEST_F(RegistryClientTest, ReportsTheEndOfARateLimit) {
  HttpServer server([](const ServerRequest&) { return respond(429, "<html>", {{"Retry-After", "600"}}); });
  RegistryClient client(reference(server), options_);
  const auto response = client.get("x", {});
  const auto error = failure_of([&] { client.refuse(*response, "the thing"); });
  EXPECT_THAT(error.message(), HasSubstr("429 Too Many Requests"));
  EXPECT_THAT(error.message(), Not(HasSubstr("html")));
  EXPECT_THAT(error.hint(), HasSubstr("600 seconds"));
}

}  // namespace
}  // namespace berth::source
