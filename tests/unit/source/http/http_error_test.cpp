// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/http_error.hpp"

#include <gmock/gmock.h>

#include "source/http/transfer.hpp"

namespace berth::source {
namespace {

using testing::HasSubstr;

// Failures that a loopback server cannot cause; http_test.cpp tests the others.
TEST(DescribeFailure, DescribesEachKind) {
  const std::unique_ptr<CURL, CurlEasyDeleter> easy(libcurl().easy_init());
  const auto url = parse_url("https://registry.example/v2/");
  struct Case {
    CURLcode code;
    const char* detail;
    HttpFailure failure;
    std::string words;
  };
  const std::vector<Case> cases{
      {CURLE_COULDNT_RESOLVE_PROXY, "", HttpFailure::unknown_host, "proxy"},
      {CURLE_OPERATION_TIMEDOUT, "", HttpFailure::unreachable, "within the time limit"},
      {CURLE_SSL_CACERT_BADFILE, "", HttpFailure::tls, "the system's store"},
      {CURLE_PEER_FAILED_VERIFICATION, "strange\n", HttpFailure::untrusted,
       "cannot trust registry.example: strange\\n"},
      {CURLE_HTTP2_STREAM, "", HttpFailure::broken, "broke off"},
      {CURLE_OUT_OF_MEMORY, "", HttpFailure::other, "cannot query registry.example"},
  };
  for (const auto& [code, detail, failure, words] : cases) {
    const auto error = describe_failure(easy.get(), code, detail, url, "");
    EXPECT_EQ(error.failure(), failure) << words;
    EXPECT_EQ(error.kind(), base::ErrorKind::failed);
    EXPECT_THAT(error.message(), HasSubstr(words));
  }
}

}  // namespace
}  // namespace berth::source
