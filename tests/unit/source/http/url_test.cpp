// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/url.hpp"

#include <gmock/gmock.h>

#include "failure.hpp"

namespace berth::source {
namespace {

using test::failure_of;
using testing::HasSubstr;
using testing::Not;

TEST(Url, SplitsAndJoins) {
  const auto url = parse_url("https://Example.org/a/b?c=d#e");
  EXPECT_EQ(url.scheme, "https");
  EXPECT_EQ(url.port, "443");
  EXPECT_EQ(url.path, "/a/b");
  EXPECT_EQ(url.query, "c=d");
  EXPECT_EQ(url.text(), "https://" + url.host + ":443/a/b?c=d");
  EXPECT_EQ(parse_url("http://[::1]:5000").text(), "http://[::1]:5000/");
}

TEST(Url, HidesPossibleSecrets) {
  const auto url = parse_url("https://user:secret@example.org:8443/a?signature=secret");
  EXPECT_THAT(url.display(), Not(HasSubstr("secret")));
  EXPECT_EQ(url.display(), "https://example.org:8443/a");
  EXPECT_THAT(url.text(), Not(HasSubstr("user")));
}

TEST(Url, ReturnsItsLocationAndOrigin) {
  EXPECT_EQ(parse_url("https://a:443/").location(), "a");
  EXPECT_EQ(parse_url("http://a:443/").location(), "a:443");
  EXPECT_EQ(parse_url("http://a/").origin(), "http://a:80");
}

TEST(Url, ResolvesRedirects) {
  const auto base = parse_url("https://a:1/x/y?q=1");
  EXPECT_EQ(resolve_url(base, "/z?r=2").text(), "https://a:1/z?r=2");
  EXPECT_EQ(resolve_url(base, "z").text(), "https://a:1/x/z");
  EXPECT_EQ(resolve_url(base, "http://b/c").text(), "http://b:80/c");
  EXPECT_EQ(resolve_url(base, "//c/d").text(), "https://c:443/d");
}

TEST(Url, RefusesOtherSchemesAndInvalidUrls) {
  for (const std::string text : {"file:///etc/passwd", "ftp://a/b", "gopher://a", "https://", "", "https://a b/",
                                 "https://a/\r\nX: y", "https://a:99999/", "/x"}) {
    EXPECT_EQ(failure_of([&] { parse_url(text); }).kind(), base::ErrorKind::failed) << text;
  }
  EXPECT_THAT(failure_of([] { parse_url("file:///a?secret"); }).message(), Not(HasSubstr("secret")));
  EXPECT_THROW(resolve_url(parse_url("http://a/"), "file:///etc/passwd"), base::Error);
}

TEST(IsLoopback, RecognisesLoopbackNamesAndAddresses) {
  for (const std::string text : {"localhost", "localhost:5000", "127.0.0.1", "127.9.8.7:1", "[::1]", "[::1]:5000"}) {
    EXPECT_TRUE(is_loopback(text)) << text;
  }
  for (const std::string text :
       {"example.org", "localhost.example.org", "128.0.0.1", "127.0.0.1.example.org", "[::2]:1", "127.1", ""}) {
    EXPECT_FALSE(is_loopback(text)) << text;
  }
}

}  // namespace
}  // namespace berth::source
