// SPDX-License-Identifier: LGPL-2.1-or-later
// Generates TLS certificates, valid and invalid.
#pragma once

#include <openssl/ssl.h>

#include <string>

namespace berth::test {

/// Key and certificate in PEM.
struct TlsIdentity {
  std::string key;
  std::string certificate;
};

/// A new certificate authority.
TlsIdentity make_authority();

/// A server's certificate signed by `authority`.
/// @param names subjectAltName as OpenSSL writes it, e.g. `IP:127.0.0.1,DNS:localhost`
/// @param days_from_now end of its validity; negative has expired
TlsIdentity make_server_identity(const TlsIdentity& authority, const std::string& names, int days_from_now = 1);

/// For the server's side; the caller frees it.
SSL_CTX* server_context(const TlsIdentity& identity);

}  // namespace berth::test
