// A blob of a registry as one stream, however often the connection breaks.
#pragma once

#include <memory>
#include <string>

#include "image/manifest.hpp"
#include "source/registry/registry_client.hpp"
#include "source/registry/retry.hpp"

namespace berth::source {

/// The raw bytes of a blob, not yet verified. After a connection broke off, the rest is asked for with a Range
/// (RFC 9110, section 14); a registry that does not know ranges sends all again, and what came before is skipped.
class BlobStream final : public base::ByteStream {
 public:
  /// Sends the request. @param client must outlive this @param name of the blob, for messages
  /// @throws Error
  BlobStream(RegistryClient& client, image::Descriptor descriptor, std::string name);

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  void open();
  void check_length() const;
  void skip(std::int64_t bytes);
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
