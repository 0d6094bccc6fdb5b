// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests to one repository of one registry: scheme, login, retries and error messages.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "image/reference.hpp"
#include "source/http/http.hpp"
#include "source/registry/auth.hpp"
#include "source/registry/options.hpp"

namespace berth::source {

/// A client of distribution-spec 1.1. Thread-safe.
class RegistryClient {
 public:
  /// @param options copied
  RegistryClient(const image::Reference& reference, SourceOptions options);

  /// GET /v2/REPOSITORY/`path`, logged in when the registry requires that, tried again after transient failures.
  /// @return the answer, whatever its status, but for 401 and transient ones when no try is left
  /// @throws Error naming registry and reason
  std::unique_ptr<HttpResponse> get(const std::string& path, const std::vector<std::string>& headers);

  /// Throws the error for a response that is neither a success nor handled by the caller.
  /// @param what the requested object, e.g. "the manifest of docker.io/library/busybox:latest"
  [[noreturn]] void refuse(HttpResponse& response, const std::string& what) const;

  [[nodiscard]] const SourceOptions& options() const { return options_; }
  [[nodiscard]] const std::string& registry() const { return registry_; }
  /// Whether the registry has answered already.
  [[nodiscard]] bool reached() const { return reached_; }

 private:
  std::unique_ptr<HttpResponse> exchange(const std::string& path, const std::vector<std::string>& headers);
  std::unique_ptr<HttpResponse> ask(const std::string& scheme, const std::string& path,
                                    const std::vector<std::string>& headers);
  std::unique_ptr<HttpResponse> first_contact(const std::string& path, const std::vector<std::string>& headers);
  std::unique_ptr<HttpResponse> fall_back(const std::string& path, const std::vector<std::string>& headers);
  void settle(const std::string& scheme);
  [[nodiscard]] TlsSettings tls_for(const Url& url) const;
  [[nodiscard]] const RegistrySettings* settings_for(const std::string& location) const;

  const SourceOptions options_;
  const std::string registry_;  // as in image names
  const std::string host_;      // that requests go to
  const std::string repository_;
  std::vector<std::string> schemes_;  // to be tried in this order
  HttpClient http_;
  Authenticator authenticator_;
  std::mutex mutex_;
  std::string scheme_;  // settled by the first answer
  std::atomic<bool> reached_ = false;
};

}  // namespace berth::source
