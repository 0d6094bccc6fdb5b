// SPDX-License-Identifier: LGPL-2.1-or-later
// Fixtures for the tests of registries: options without delays, and references to a server on loopback.
#pragma once

#include <gtest/gtest.h>

#include "failure.hpp"
#include "image/reference.hpp"
#include "scratch_directory.hpp"
#include "source/http_server.hpp"
#include "source/open.hpp"
#include "source/recording_reporter.hpp"
#include "source/sample_image.hpp"

namespace berth::test {

inline ServerResponse respond(int status, std::string body = "",
                              std::vector<std::pair<std::string, std::string>> headers = {}) {
  ServerResponse response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

inline ServerResponse manifest_response(const std::string& text, const std::string& type = SampleImage::manifest_type) {
  return respond(200, text, {{"Content-Type", type}, {"Docker-Content-Digest", SampleImage::digest(text)}});
}

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    options_.authfile = directory_.write("no-logins.json", "{}");
    options_.retries = 2;
    options_.retry_delay = std::chrono::milliseconds(1);
    options_.connect_timeout = std::chrono::seconds(60);
    options_.stall_timeout = std::chrono::seconds(60);
    options_.reporter = &reporter_;
  }

  static image::Reference reference(const HttpServer& server, const std::string& rest = "/a/b:1",
                                    const std::string& prefix = "") {
    return image::parse_reference(prefix + server.location() + rest);
  }

  static image::Descriptor layer_of(const SampleImage& image) {
    return {"application/vnd.oci.image.layer.v1.tar",
            base::digest_of(image.layer),
            static_cast<std::int64_t>(image.layer.size()),
            std::nullopt,
            {},
            {}};
  }
  static std::string blob_path(const std::string& bytes) { return "/v2/a/b/blobs/" + SampleImage::digest(bytes); }

  RecordingReporter reporter_;
  TempDirectory directory_;
  source::SourceOptions options_;
};

}  // namespace berth::test
