// SPDX-License-Identifier: LGPL-2.1-or-later
// Authentication at a registry: Basic, and bearer tokens as distribution's token specification describes them.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/reporter.hpp"
#include "source/http/http.hpp"
#include "source/registry/challenge.hpp"
#include "source/registry/credentials.hpp"

namespace berth::source {

/// Answers the challenges of one registry for reading one repository. Thread-safe.
class Authenticator {
 public:
  struct Options {
    std::string registry;
    std::string repository;
    std::string authfile;
    std::string login;                ///< USER[:PASSWORD], which overrides the auth files; empty: none
    bool plain_http_allowed = false;  ///< for a token server as well, even on another machine
    std::stop_token stop;
    base::Reporter* reporter = nullptr;  ///< not owned; required
  };

  /// @param client must outlive this
  Authenticator(HttpClient& client, Options options);

  /// The Authorization value to send; empty before the first challenge.
  [[nodiscard]] std::string authorization();

  /// Finds the answer to a 401.
  /// @param response of the registry itself: no other server gets its login
  /// @param refused the Authorization value that was sent; when another thread has got a
  /// newer one meanwhile, that is the answer
  /// @throws Error(not_permitted) when there is no login, or it was refused already; Error when the token server fails
  std::string answer(const HttpResponse& response, const std::string& refused);

  /// The reason why a 401 after an answer is final, for the error.
  [[noreturn]] void refuse_login();

 private:
  std::string fetch_token(const Challenge& challenge, const Url& registry);
  HttpRequest token_request(const Challenge& challenge, const Url& realm) const;
  Url realm_of(const Challenge& challenge, const Url& registry) const;
  void check_identity_token(const Url& realm, const Url& registry) const;
  void look_up_credentials();

  HttpClient& client_;
  const Options options_;
  std::mutex mutex_;
  std::string authorization_;
  bool looked_up_ = false;
  std::optional<Credentials> credentials_;
};

}  // namespace berth::source
