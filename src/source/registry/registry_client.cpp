// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/registry_client.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "source/http/http_error.hpp"
#include "source/registry/retry.hpp"
#include "source/registry/status.hpp"

namespace berth::source {
namespace {

constexpr std::uint64_t error_document_limit = 64U << 10U;

// The registry of Docker Hub has another address than its name.
std::string host_of(const std::string& registry) {
  return registry == "docker.io" ? "registry-1.docker.io" : registry;
}

const RegistrySettings* find_settings(const SourceOptions& options, const std::string& location) {
  for (const auto& settings : options.registries) {
    if (settings.location == location) {
      return &settings;
    }
  }
  return nullptr;
}

// Plain http only where the user or the configuration allows it, and on the loopback.
std::vector<std::string> schemes_for(const image::Reference& reference, const SourceOptions& options) {
  if (reference.plain_http) {
    return {"http"};
  }
  if (reference.https_only) {
    return {"https"};
  }
  if (is_loopback(reference.name.registry)) {
    return {"http", "https"};
  }
  const auto* settings = find_settings(options, reference.name.registry);
  if (settings != nullptr && settings->insecure) {
    return {"https", "http"};
  }
  return {"https"};
}

std::string without_port(const std::string& location) {
  const auto bracket = location.rfind(']');
  const auto colon = location.find(':', bracket == std::string::npos ? 0 : bracket);
  return location.substr(0, colon);
}

HttpOptions http_options(const SourceOptions& options, std::function<TlsSettings(const Url&)> tls) {
  HttpOptions result;
  result.connect_timeout = options.connect_timeout;
  result.stall_timeout = options.stall_timeout;
  result.user_agent = options.user_agent.empty() ? "berth" : options.user_agent;
  result.stop = options.stop;
  result.tls = std::move(tls);
  return result;
}

// Whether the user or the configuration, not only the loopback rule, allows plain http.
bool allows_plain_http(const image::Reference& reference, const SourceOptions& options) {
  const auto* settings = find_settings(options, reference.name.registry);
  return reference.plain_http || (settings != nullptr && settings->insecure);
}

// Whether a server may expect TLS although it was queried in plain http: there is no HTTP response, or nothing listens
// on port 80, when the name has no port. (Some servers answer 400.)
bool looks_like_tls(const HttpError& error) {
  return error.failure() == HttpFailure::not_http || error.failure() == HttpFailure::broken ||
         error.failure() == HttpFailure::unreachable;
}

std::string hint_for(int status, const Url& url) {
  if (status >= 500) {
    return "try again later";
  }
  return status == 400 && url.scheme == "http" ? "it may require https: omit http:"
                                               : "check that this is the address of a registry";
}

// Only the registry itself may request its login. A server that it redirects to would name the server that gets it (the
// realm of a challenge), and blob storage has no login of its own.
void check_challenger(const HttpResponse& response, const Url& registry) {
  const auto& challenger = response.url();
  if (challenger.origin() == registry.origin()) {
    return;
  }
  const bool moved_to_https =
      registry.scheme == "http" && challenger.scheme == "https" && challenger.host == registry.host;
  throw base::Error(
      base::ErrorKind::not_permitted,
      fmt::format("registry {} redirects to {}, which requires a login; that of the registry is not sent there",
                  registry.location(), challenger.location()),
      moved_to_https ? "query it over https: omit http:" : "report this to the operator of the registry");
}

std::string reason_of(const HttpResponse& response) {
  return fmt::format("{} answers {}", response.url().location(), status_text(response.status()));
}

}  // namespace

RegistryClient::RegistryClient(const image::Reference& reference, SourceOptions options)
    : options_(std::move(options)),
      registry_(reference.name.registry),
      host_(host_of(registry_)),
      repository_(reference.name.repository),
      schemes_(schemes_for(reference, options_)),
      http_(http_options(options_, [this](const Url& url) { return tls_for(url); })),
      authenticator_(http_, {registry_, repository_, options_.authfile, options_.login,
                             allows_plain_http(reference, options_), options_.stop, options_.reporter}) {}

const RegistrySettings* RegistryClient::settings_for(const std::string& location) const {
  if (location == host_ || location == registry_) {
    return find_settings(options_, registry_);
  }
  if (const auto* settings = find_settings(options_, location)) {
    return settings;
  }
  // A token server or blob store on another port of the registry's host.
  return without_port(location) == without_port(host_) ? find_settings(options_, registry_) : nullptr;
}

TlsSettings RegistryClient::tls_for(const Url& url) const {
  const auto* settings = settings_for(url.location());
  return settings == nullptr ? TlsSettings{} : TlsSettings{!settings->insecure, settings->ca_file};
}

std::unique_ptr<HttpResponse> RegistryClient::ask(const std::string& scheme, const std::string& path,
                                                  const std::vector<std::string>& headers) {
  const auto url = parse_url(fmt::format("{}://{}/v2/{}/{}", scheme, host_, repository_, path));
  HttpRequest request{url, headers, authenticator_.authorization(), std::nullopt};
  auto response = http_.send(request);
  if (response->status() != 401) {
    return response;
  }
  check_challenger(*response, url);
  const auto answer = authenticator_.answer(*response, request.authorization);
  response->discard();
  response.reset();  // so that its connection is reused
  request.authorization = answer;
  response = http_.send(request);
  if (response->status() == 401) {
    check_challenger(*response, url);
    authenticator_.refuse_login();
  }
  return response;
}

void RegistryClient::settle(const std::string& scheme) {
  const std::lock_guard lock(mutex_);
  scheme_ = scheme;
  reached_ = true;
}

std::unique_ptr<HttpResponse> RegistryClient::fall_back(const std::string& path,
                                                        const std::vector<std::string>& headers) {
  try {
    auto response = ask(schemes_.back(), path, headers);
    settle(schemes_.back());
    return response;
  } catch (const HttpError& error) {
    if (error.failure() == HttpFailure::untrusted) {
      throw;  // more useful than the error of the other scheme, since the server speaks TLS
    }
    return nullptr;
  }
}

std::unique_ptr<HttpResponse> RegistryClient::first_contact(const std::string& path,
                                                            const std::vector<std::string>& headers) {
  const auto& scheme = schemes_.front();
  const bool alone = schemes_.size() == 1;
  std::unique_ptr<HttpResponse> response;
  try {
    response = ask(scheme, path, headers);
  } catch (const HttpError& error) {
    const bool other_may_work =
        scheme == "https" ? error.failure() != HttpFailure::unknown_host : looks_like_tls(error);
    auto other = alone || !other_may_work ? nullptr : fall_back(path, headers);
    if (!other) {
      throw;
    }
    return other;
  }
  if (!alone && scheme == "http" && response->status() == 400) {
    if (auto other = fall_back(path, headers)) {
      return other;
    }
  }
  settle(scheme);
  return response;
}

std::unique_ptr<HttpResponse> RegistryClient::exchange(const std::string& path,
                                                       const std::vector<std::string>& headers) {
  const auto scheme = [this] {
    const std::lock_guard lock(mutex_);
    return scheme_;
  }();
  return scheme.empty() ? first_contact(path, headers) : ask(scheme, path, headers);
}

std::unique_ptr<HttpResponse> RegistryClient::get(const std::string& path, const std::vector<std::string>& headers) {
  Retry retry(options_);
  while (true) {
    std::string why;
    std::optional<std::chrono::seconds> at_least;
    try {
      auto response = exchange(path, headers);
      at_least = response->retry_after();
      if (!is_transient_status(response->status()) || !retry.left() || at_least > retry_after_limit) {
        return response;
      }
      why = reason_of(*response);
      response->discard();
    } catch (const HttpError& error) {
      if (!is_transient(error, reached_) || !retry.left()) {
        throw;
      }
      why = error.message();
    }
    retry.wait(why, at_least);
  }
}

void RegistryClient::refuse(HttpResponse& response, const std::string& what) const {
  const auto status = response.status();
  const auto seconds = response.retry_after();
  const auto said = [&] {
    try {
      return registry_message(response.read_text(error_document_limit, "error"));
    } catch (const base::Error&) {
      return std::string();
    }
  }();
  const auto message = fmt::format("registry {} answers {} for {}{}{}{}", registry_, status_text(status), what,
                                   said.empty() ? "" : " (", said, said.empty() ? "" : ")");
  switch (status) {
    case 403:
      throw base::Error(
          base::ErrorKind::not_permitted, message,
          fmt::format("request access to it, or log in as another user with `podman login {}`", registry_));
    case 404:
      throw base::Error(base::ErrorKind::not_found, message,
                        "check the name; the registry may have lost part of the image");
    case 429:
      throw base::Error(base::ErrorKind::failed, message,
                        seconds ? fmt::format("try again in {} seconds, or log in for a higher limit", seconds->count())
                                : "try again later, or log in for a higher limit");
    default:
      throw base::Error(base::ErrorKind::failed, message, hint_for(status, response.url()));
  }
}

}  // namespace berth::source
