// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/http.hpp"

#include <gmock/gmock.h>

#include <thread>

#include "failure.hpp"
#include "packed.hpp"
#include "scratch_directory.hpp"
#include "source/http/http_error.hpp"
#include "source/http_server.hpp"

namespace berth::source {
namespace {

using namespace std::chrono_literals;
using test::failure_of;
using test::HttpServer;
using test::Script;
using test::ServerRequest;
using test::ServerResponse;
using testing::HasSubstr;
using testing::Not;

HttpRequest request_for(const std::string& url) {
  return {parse_url(url), {}, "", std::nullopt};
}

HttpFailure transport_failure(const std::function<void()>& work, std::string* message = nullptr) {
  try {
    work();
  } catch (const HttpError& error) {
    if (message != nullptr) {
      *message = error.message();
    }
    return error.failure();
  }
  ADD_FAILURE() << "nothing failed";
  return HttpFailure::other;
}

ServerResponse ok(std::string body) {
  ServerResponse response;
  response.body = std::move(body);
  return response;
}

ServerResponse redirect(const std::string& target, int status = 307) {
  ServerResponse response;
  response.status = status;
  response.headers = {{"Location", target}};
  return response;
}

TEST(Http, GetsHeadersAndBody) {
  ServerResponse response = ok("hello");
  response.headers = {{"X-One", " a "}, {"x-one", "b"}, {"Content-Type", "text/x"}};
  HttpServer server([&](const ServerRequest&) { return response; });
  HttpClient client({.user_agent = "berth/test"});
  auto request = request_for(server.url("/a?b=c"));
  request.headers = {"Accept: x/y"};
  request.authorization = "Basic abc";
  const auto answer = client.send(request);
  EXPECT_EQ(answer->status(), 200);
  EXPECT_EQ(answer->header("content-type"), "text/x");
  EXPECT_THAT(answer->headers("x-one"), testing::ElementsAre("a", "b"));
  EXPECT_EQ(answer->header("missing"), "");
  EXPECT_EQ(answer->content_length(), 5);
  EXPECT_EQ(answer->retry_after(), std::nullopt);
  EXPECT_EQ(answer->read_text(5, "x"), "hello");
  const auto seen = server.requests().at(0);
  EXPECT_EQ(seen.target, "/a?b=c");
  EXPECT_EQ(seen.header("accept"), "x/y");
  EXPECT_EQ(seen.header("authorization"), "Basic abc");
  EXPECT_EQ(seen.header("user-agent"), "berth/test");
}

TEST(Http, PostsForms) {
  HttpServer server([](const ServerRequest&) { return ok(""); });
  HttpClient client({});
  auto request = request_for(server.url("/"));
  request.form = "a=b";
  client.send(request);
  EXPECT_EQ(server.requests().at(0).method, "POST");
  EXPECT_EQ(server.requests().at(0).body, "a=b");
}

TEST(Http, ReusesAConnectionForSuccessiveRequests) {
  HttpServer server([](const ServerRequest&) { return ok("x"); });
  HttpClient client({});
  for (int at = 0; at < 5; ++at) {
    EXPECT_EQ(client.send(request_for(server.url("/")))->read_text(10, "x"), "x");
  }
  for (int at = 0; at < 5; ++at) {
    client.send(request_for(server.url("/")))->discard();
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(Http, SupportsParallelRequests) {
  const std::string body(3'000'000, 'x');
  HttpServer server([&](const ServerRequest&) { return ok(body); });
  HttpClient client({});
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int at = 0; at < 8; ++at) {
    threads.emplace_back([&] { good += client.send(request_for(server.url("/")))->read_text(1U << 24U, "x") == body; });
  }
  threads.clear();
  EXPECT_EQ(good, 8);
  EXPECT_LE(server.connections(), 8);
}

TEST(Http, DoesNotBufferALargeBodyForASlowReader) {
  std::string body(40'000'000, '\0');
  for (std::size_t at = 0; at < body.size(); ++at) {
    body[at] = static_cast<char>(at * 7 + at / 1000);
  }
  HttpServer server([&](const ServerRequest&) { return ok(body); });
  HttpClient client({});
  const auto answer = client.send(request_for(server.url("/")));
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(test::drain(*answer), body);
}

TEST(Http, BoundsDocuments) {
  HttpServer server([](const ServerRequest&) { return ok("123456"); });
  HttpClient client({});
  const auto error = failure_of([&] { client.send(request_for(server.url("/")))->read_text(5, "the thing"); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("the thing has more than 5 bytes"));
}

TEST(Http, BoundsHeaders) {
  ServerResponse response = ok("x");
  for (int at = 0; at < 1000; ++at) {
    response.headers.emplace_back("X-Long", std::string(100, 'x'));
  }
  HttpServer server([&](const ServerRequest&) { return response; });
  HttpClient client({});
  EXPECT_THAT(failure_of([&] { client.send(request_for(server.url("/"))); }).message(),
              HasSubstr("headers of more than"));
}

TEST(Http, ReportsATruncatedBody) {
  ServerResponse response = ok(std::string(100'000, 'x'));
  response.cut_after = 50'000;
  HttpServer server([&](const ServerRequest&) { return response; });
  HttpClient client({});
  const auto answer = client.send(request_for(server.url("/")));
  std::string message;
  std::size_t seen = 0;
  std::array<std::byte, 10'000> buffer{};
  EXPECT_EQ(transport_failure(
                [&] {
                  while (const auto count = answer->read(buffer)) {
                    seen += count;
                  }
                },
                &message),
            HttpFailure::broken);
  EXPECT_EQ(seen, 50'000U);
  EXPECT_THAT(message, HasSubstr(server.location()));
}

TEST(Http, DistinguishesTransportFailures) {
  HttpClient client({.connect_timeout = 60s});
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request_for("http://no-such-host.invalid/")); }, &message),
            HttpFailure::unknown_host);
  EXPECT_THAT(message, HasSubstr("no-such-host.invalid is unknown"));
  const auto closed = "http://127.0.0.1:" + std::to_string(test::closed_port()) + "/";
  EXPECT_EQ(transport_failure([&] { client.send(request_for(closed)); }, &message), HttpFailure::unreachable);
  EXPECT_THAT(message, HasSubstr("Connection refused"));

  ServerResponse nonsense;
  nonsense.raw = "SSH-2.0-OpenSSH\r\n";
  ServerResponse hang_up;
  hang_up.hang_up = true;
  HttpServer server(Script().on("/nonsense", {nonsense}).on("/hang-up", {hang_up}));
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/nonsense"))); }), HttpFailure::not_http);
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/hang-up"))); }), HttpFailure::broken);
  EXPECT_EQ(transport_failure([&] { client.send(request_for("https://" + server.location() + "/")); }),
            HttpFailure::tls);
}

TEST(Http, TimesOutOnASilentServer) {
  ServerResponse response = ok("x");
  response.body_delay = 120s;
  HttpServer server([&](const ServerRequest&) { return response; });
  HttpClient client({.stall_timeout = 1s});
  const auto start = std::chrono::steady_clock::now();
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/")))->read_text(9, "x"); }, &message),
            HttpFailure::broken);
  EXPECT_THAT(message, HasSubstr("sent nothing for 1 seconds"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 100s);
}

TEST(Http, TimesOutOnATrickle) {
  ServerResponse response = ok(std::string(10'000, 'x'));
  response.byte_delay = 20ms;
  HttpServer server([&](const ServerRequest&) { return response; });
  HttpClient client({.stall_timeout = 1s});
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/")))->read_text(20'000, "x"); }, &message),
            HttpFailure::broken);
  EXPECT_THAT(message, testing::ContainsRegex("sent only [0-9]+ bytes in 1 seconds"));
}

TEST(Http, RequestsUncompressedBytes) {
  HttpServer server([&](const ServerRequest&) { return ok("x"); });
  HttpClient client({});
  EXPECT_EQ(client.send(request_for(server.url("/")))->read_text(9, "x"), "x");
  EXPECT_EQ(server.requests().at(0).header("accept-encoding"), "identity");
}

TEST(Http, StopsPromptly) {
  ServerResponse response = ok("x");
  response.delay = 120s;
  HttpServer server([&](const ServerRequest&) { return response; });
  std::stop_source stop;
  HttpClient client({.stop = stop.get_token()});
  std::jthread stopper([&] {
    std::this_thread::sleep_for(50ms);
    stop.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(client.send(request_for(server.url("/"))), base::Interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 100s);
}

TEST(HttpRedirects, KeepTheLoginOnTheSameOrigin) {
  HttpServer server(Script().on("/a", {redirect("/b", 302)}).on("/b", {ok("there")}));
  HttpClient client({});
  auto request = request_for(server.url("/a"));
  request.authorization = "Bearer secret";
  const auto answer = client.send(request);
  EXPECT_EQ(answer->read_text(9, "x"), "there");
  EXPECT_EQ(answer->url().path, "/b");
  EXPECT_EQ(server.requests().at(1).header("authorization"), "Bearer secret");
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpRedirects, LoseTheLoginAtAnotherOrigin) {
  HttpServer other([](const ServerRequest&) { return ok("there"); });
  HttpServer server(Script().on("/a", {redirect(other.url("/b?signature=1"))}));
  HttpClient client({});
  auto request = request_for(server.url("/a"));
  request.authorization = "Bearer secret";
  EXPECT_EQ(client.send(request)->read_text(9, "x"), "there");
  EXPECT_EQ(other.requests().at(0).header("authorization"), "");
  EXPECT_EQ(other.requests().at(0).target, "/b?signature=1");
}

TEST(HttpRedirects, AreBounded) {
  HttpServer server([](const ServerRequest&) { return redirect("/again"); });
  HttpClient client({});
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/"))); }, &message), HttpFailure::redirect);
  EXPECT_THAT(message, HasSubstr("more than 10 times"));
  EXPECT_EQ(server.requests().size(), 11U);
}

TEST(HttpRedirects, WithoutAValidTargetAreRefused) {
  ServerResponse nowhere;
  nowhere.status = 302;
  HttpServer server(Script().on("/nowhere", {nowhere}).on("/file", {redirect("file:///etc/passwd")}));
  HttpClient client({});
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/nowhere"))); }), HttpFailure::redirect);
  EXPECT_THAT(failure_of([&] { client.send(request_for(server.url("/file"))); }).message(),
              HasSubstr("neither http nor https"));
}

TEST(HttpRedirects, OfARequestWithASecretBodyAreRefused) {
  HttpServer server([](const ServerRequest&) { return redirect("/elsewhere"); });
  HttpClient client({});
  auto request = request_for(server.url("/"));
  request.form = "refresh_token=secret";
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request); }, &message), HttpFailure::redirect);
  EXPECT_THAT(message, Not(HasSubstr("refresh_token")));
}

class HttpTls : public testing::Test {
 protected:
  static std::function<TlsSettings(const Url&)> trusting(const std::string& ca_file) {
    return [ca_file](const Url&) { return TlsSettings{true, ca_file}; };
  }
  static std::string refusal(const HttpServer& server, const std::string& ca_file) {
    HttpClient client({.tls = trusting(ca_file)});
    std::string message;
    EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/"))); }, &message), HttpFailure::untrusted);
    return message;
  }
  static ServerResponse answer(const ServerRequest&) { return ok("safe"); }

  const test::TlsIdentity authority_ = test::make_authority();
  const test::TempDirectory directory_;
  const std::string ca_file_ = directory_.write("ca.pem", authority_.certificate);
};

TEST_F(HttpTls, TrustsTheNamedAuthority) {
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1");
  HttpServer server(answer, &identity);
  HttpClient client({.tls = trusting(ca_file_)});
  EXPECT_EQ(client.send(request_for(server.url("/")))->read_text(9, "x"), "safe");
}

TEST_F(HttpTls, RefusesAnUnknownAuthority) {
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1");
  HttpServer server(answer, &identity);
  EXPECT_THAT(refusal(server, ""), HasSubstr("unknown authority"));
}

TEST_F(HttpTls, RefusesAnotherName) {
  const auto identity = make_server_identity(authority_, "DNS:example.org");
  HttpServer server(answer, &identity);
  EXPECT_THAT(refusal(server, ca_file_), HasSubstr("for another name"));
}

TEST_F(HttpTls, RefusesAnExpiredCertificate) {
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1", -2);
  HttpServer server(answer, &identity);
  EXPECT_THAT(refusal(server, ca_file_), HasSubstr("has expired"));
}

TEST_F(HttpTls, RefusesAFileWithoutCertificates) {
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1");
  HttpServer server(answer, &identity);
  HttpClient client({.tls = trusting(directory_.path("missing.pem"))});
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/"))); }, &message), HttpFailure::tls);
  EXPECT_THAT(message, HasSubstr("missing.pem"));
}

TEST_F(HttpTls, SkipsVerificationOnRequest) {
  const auto identity = make_server_identity(authority_, "DNS:example.org", -2);
  HttpServer server(answer, &identity);
  HttpClient client({.tls = [](const Url&) { return TlsSettings{false, ""}; }});
  EXPECT_EQ(client.send(request_for(server.url("/")))->read_text(9, "x"), "safe");
}

TEST_F(HttpTls, RefusesARedirectToPlainHttp) {
  HttpServer plain(answer);
  const auto identity = make_server_identity(authority_, "IP:127.0.0.1");
  HttpServer server([&](const ServerRequest&) { return redirect(plain.url("/")); }, &identity);
  HttpClient client({.tls = trusting(ca_file_)});
  std::string message;
  EXPECT_EQ(transport_failure([&] { client.send(request_for(server.url("/"))); }, &message), HttpFailure::redirect);
  EXPECT_THAT(message, HasSubstr("from https to plain http"));
  EXPECT_EQ(plain.requests().size(), 0U);
}

}  // namespace
}  // namespace berth::source
