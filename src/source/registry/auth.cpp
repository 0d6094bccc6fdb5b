// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/auth.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "source/http/http_error.hpp"
#include "source/registry/base64.hpp"
#include "source/registry/status.hpp"

namespace berth::source {
namespace {

constexpr std::uint64_t token_limit = 1U << 20U;

// application/x-www-form-urlencoded, for queries and bodies.
std::string encoded(std::string_view text) {
  constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string result;
  for (const char c : text) {
    result += plain.find(c) != std::string_view::npos ? std::string(1, c)
                                                      : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string basic(const Credentials& credentials) {
  return "Basic " + encode_base64(credentials.username + ":" + credentials.password);
}

std::vector<Challenge> challenges_of(const HttpResponse& response) {
  std::vector<Challenge> challenges;
  for (const auto& header : response.headers("www-authenticate")) {
    auto some = parse_challenges(header);
    std::move(some.begin(), some.end(), std::back_inserter(challenges));
  }
  return challenges;
}

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
  const auto found = std::find_if(challenges.begin(), challenges.end(),
                                  [&](const Challenge& challenge) { return challenge.scheme == scheme; });
  return found == challenges.end() ? nullptr : &*found;
}

// A token goes into a header line, where a newline would begin another header.
std::string checked_token(const base::JsonView& view) {
  auto token = view.as_string();
  if (std::any_of(token.begin(), token.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f; })) {
    view.fail("the token has characters that are not allowed in tokens");
  }
  return token;
}

std::string token_from(const std::string& text, const std::string& document) {
  const auto json = [&] {
    try {
      return base::parse_json(text, document);
    } catch (const base::Error&) {  // its message may quote the token
      throw base::Error(base::ErrorKind::verification, fmt::format("{} is not valid JSON", document),
                        "report this to the operator of the registry");
    }
  }();
  const base::JsonView view(json, document);
  for (const auto* key : {"token", "access_token"}) {  // servers may send both, one of them empty
    if (view.has(key)) {
      if (auto token = checked_token(view.at(key)); !token.empty()) {
        return token;
      }
    }
  }
  view.fail("it has neither 'token' nor 'access_token', or they are empty");
}

}  // namespace

Authenticator::Authenticator(HttpClient& client, Options options) : client_(client), options_(std::move(options)) {}

std::string Authenticator::authorization() {
  const std::lock_guard lock(mutex_);
  return authorization_;
}

void Authenticator::look_up_credentials() {
  if (!looked_up_ && !options_.login.empty()) {
    const auto colon = std::min(options_.login.find(':'), options_.login.size());
    credentials_ =
        Credentials{options_.login.substr(0, colon), options_.login.substr(std::min(colon + 1, options_.login.size())),
                    "", "the command line"};
    looked_up_ = true;
  }
  if (!looked_up_) {
    credentials_ =
        find_credentials(options_.registry, options_.repository, {options_.authfile, options_.stop, options_.reporter});
    looked_up_ = true;
  }
}

void Authenticator::refuse_login() {
  const auto login =
      fmt::format("log in with `podman login {0}` or `skopeo login {0}`, or give --authfile", options_.registry);
  if (credentials_) {
    throw base::Error(base::ErrorKind::not_permitted,
                      fmt::format("registry {} refuses the login from {} for {}", options_.registry,
                                  credentials_->place, options_.repository),
                      login + "; the login may be wrong, expired, or not allowed to read this");
  }
  throw base::Error(base::ErrorKind::not_permitted,
                    fmt::format("registry {} does not give {} without a login", options_.registry, options_.repository),
                    login + "; some registries answer the same for images that do not exist");
}

std::string Authenticator::answer(const HttpResponse& response, const std::string& refused) {
  const std::lock_guard lock(mutex_);
  if (authorization_ != refused) {
    return authorization_;
  }
  look_up_credentials();
  const auto challenges = challenges_of(response);
  if (const auto* bearer = find_scheme(challenges, "bearer")) {
    authorization_ = "Bearer " + fetch_token(*bearer, response.url());
  } else if (find_scheme(challenges, "basic") != nullptr) {
    if (!credentials_ || credentials_->username.empty() || basic(*credentials_) == refused) {
      refuse_login();
    }
    authorization_ = basic(*credentials_);
  } else {
    throw base::Error(base::ErrorKind::not_permitted,
                      fmt::format("registry {} requires a login by an unsupported scheme (supported: Bearer, Basic)",
                                  options_.registry),
                      "report this to the operator of the registry");
  }
  return authorization_;
}

Url Authenticator::realm_of(const Challenge& challenge, const Url& registry) const {
  const auto realm = challenge.parameter("realm");
  if (realm.empty()) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("registry {} requires a token, but does not name a token server", options_.registry),
                      "report this to the operator of the registry");
  }
  auto url = base::in_context(fmt::format("reading the challenge of registry {}", options_.registry),
                              [&] { return parse_url(realm); });
  const bool on_this_machine = is_loopback(options_.registry) && is_loopback(url.location());
  // A registry that is queried over https does not get the login sent elsewhere in plain text, whatever is allowed for
  // itself.
  const bool allowed = registry.scheme == "http" ? options_.plain_http_allowed || on_this_machine
                                                 : options_.plain_http_allowed && url.host == registry.host;
  if (url.scheme != "https" && !allowed) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("registry {} requests that the login be sent over plain http to {}",
                                  options_.registry, url.location()),
                      "report this to the operator of the registry, or mark it insecure in berth.conf");
  }
  return url;
}

HttpRequest Authenticator::token_request(const Challenge& challenge, const Url& realm) const {
  const auto service = encoded(challenge.parameter("service"));
  const auto scope = encoded(fmt::format("repository:{}:pull", options_.repository));
  HttpRequest request{realm, {"Accept: application/json"}, "", std::nullopt};
  if (credentials_ && !credentials_->identity_token.empty()) {
    request.form = fmt::format("grant_type=refresh_token&client_id=berth&service={}&scope={}&refresh_token={}", service,
                               scope, encoded(credentials_->identity_token));
    return request;
  }
  request.url.query += fmt::format("{}service={}&scope={}", request.url.query.empty() ? "" : "&", service, scope);
  if (credentials_) {
    request.authorization = basic(*credentials_);
  }
  return request;
}

void Authenticator::check_identity_token(const Url& realm, const Url& registry) const {
  if (!credentials_ || credentials_->identity_token.empty()) {
    return;
  }
  const bool own = realm.origin() == registry.origin();
  const bool docker_hub = options_.registry == "docker.io" && realm.origin() == "https://auth.docker.io:443";
  if (!own && !docker_hub) {
    throw base::Error(
        base::ErrorKind::not_permitted,
        fmt::format("registry {} requests that the identity token of {} be sent to another server, {}",
                    options_.registry, credentials_->place, realm.location()),
        fmt::format("log in with user name and password instead, e.g. with `podman login {}`", options_.registry));
  }
}

std::string Authenticator::fetch_token(const Challenge& challenge, const Url& registry) {
  const auto realm = realm_of(challenge, registry);
  check_identity_token(realm, registry);
  const auto response = client_.send(token_request(challenge, realm));
  const auto document = fmt::format("the token from {}", realm.display());
  if (response->status() == 400 || response->status() == 401 || response->status() == 403) {
    response->discard();
    refuse_login();
  }
  if (is_transient_status(response->status())) {
    throw HttpError(HttpFailure::unavailable,
                    fmt::format("the token server {} answers {}", realm.display(), status_text(response->status())),
                    "try again later");
  }
  if (response->status() != 200) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("the token server {} answers {}", realm.display(), status_text(response->status())),
                      "report this to the operator of the registry");
  }
  return token_from(response->read_text(token_limit, document), document);
}

}  // namespace berth::source
