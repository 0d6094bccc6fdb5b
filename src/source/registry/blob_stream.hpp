// SPDX-License-Identifier: LGPL-2.1-or-later
// A blob of a registry as one stream, across broken connections.
#pragma once

#include <memory>
#include <string>

#include "image/manifest.hpp"
#include "source/registry/registry_client.hpp"
#include "source/registry/retry.hpp"

namespace berth::source {

/// The raw bytes of a blob, not yet verified. When a connection breaks, the rest is requested with a Range (RFC 9110,
/// section 14). A registry that does not support ranges sends all bytes again; those that were read before are skipped.
class BlobStream final : public base::ByteStream {
 public:
  /// Sends the request. @param client must outlive this @param name of the blob, for messages
  /// @throws Error
  BlobStream(RegistryClient& client, image::Descriptor descriptor, std::string name);

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  void open();
  void check_length() const;
  void discard(std::int64_t bytes);
  bool accept_range();
  void note_progress(std::size_t bytes);

  RegistryClient& client_;
  const image::Descriptor descriptor_;
  const std::string name_;
  Retry retry_;
  std::unique_ptr<HttpResponse> response_;
  std::int64_t offset_ = 0;         // bytes handed out
  std::int64_t progress_mark_ = 0;  // offset at the last failure
};

}  // namespace berth::source
