// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/tls_identity.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace berth::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using Memory = std::unique_ptr<BIO, int (*)(BIO*)>;

std::string text_of(const Memory& memory) {
  char* bytes = nullptr;
  const auto length = BIO_get_mem_data(memory.get(), &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

TlsIdentity to_pem(const Key& key, const Certificate& certificate) {
  const Memory key_memory(BIO_new(BIO_s_mem()), &BIO_free);
  const Memory certificate_memory(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PrivateKey(key_memory.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_bio_X509(certificate_memory.get(), certificate.get());
  return {text_of(key_memory), text_of(certificate_memory)};
}

Key key_of(const TlsIdentity& identity) {
  const Memory memory(BIO_new_mem_buf(identity.key.data(), static_cast<int>(identity.key.size())), &BIO_free);
  return {PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free};
}

Certificate certificate_of(const TlsIdentity& identity) {
  const Memory memory(BIO_new_mem_buf(identity.certificate.data(), static_cast<int>(identity.certificate.size())),
                      &BIO_free);
  return {PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), &X509_free};
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) {
    throw std::runtime_error("bad certificate extension " + value);
  }
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate new_certificate(EVP_PKEY* key, const std::string& common_name, long serial, int days_from_now) {
  constexpr long day = 86400;
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -30 * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days_from_now * day);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

}  // namespace

TlsIdentity make_authority() {
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &EVP_PKEY_free);
  const auto certificate = new_certificate(key.get(), "test authority", 1, 30);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  return to_pem(key, certificate);
}

TlsIdentity make_server_identity(const TlsIdentity& authority, const std::string& names, int days_from_now) {
  const auto issuer = certificate_of(authority);
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), &EVP_PKEY_free);
  const auto certificate = new_certificate(key.get(), "test server", 2, days_from_now);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get()));
  add_extension(certificate.get(), issuer.get(), NID_subject_alt_name, names);
  X509_sign(certificate.get(), key_of(authority).get(), EVP_sha256());
  return to_pem(key, certificate);
}

SSL_CTX* server_context(const TlsIdentity& identity) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr || SSL_CTX_use_certificate(context, certificate_of(identity).get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key_of(identity).get()) != 1) {
    throw std::runtime_error("cannot use the certificate");
  }
  return context;
}

}  // namespace berth::test
