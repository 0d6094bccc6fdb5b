// SPDX-License-Identifier: LGPL-2.1-or-later
// Compressed layers: each input as gzip, as zstd and as plain bytes.
#include "base/archive/decompress.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "harness.hpp"

namespace {

using namespace berth;

constexpr std::uint64_t limit = 1U << 20U;

struct Outcome {
  std::vector<std::byte> bytes;
  std::string ended;
};

Outcome unpack(base::Compression compression, std::span<const std::byte> packed, std::size_t piece,
               std::uint64_t most = limit) {
  Outcome outcome;
  auto input = std::make_unique<fuzz::InputStream>(packed, piece);
  std::vector<std::byte> buffer(piece);
  try {
    const auto stream = base::decompress(std::move(input), {"fuzz", most, "", compression});
    while (const auto count = stream->read(buffer)) {
      fuzz::require(count <= piece, "no more is read than there is room for");
      outcome.bytes.insert(outcome.bytes.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
      fuzz::require(outcome.bytes.size() <= most, "no more is unpacked than may be");
    }
    fuzz::require(stream->read(buffer) == 0, "an ended stream stays ended");
  } catch (const base::Error& error) {
    fuzz::require(error.kind() == base::ErrorKind::verification, "damaged bytes are a failed verification");
    fuzz::require(fuzz::is_showable(error.what()), "an error is fit to be shown", error.what());
    outcome.ended = error.what();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const auto compression : {base::Compression::gzip, base::Compression::zstd}) {
    const auto whole = unpack(compression, bytes, std::size_t{64} << 10U);
    const auto pieces = unpack(compression, bytes, 1021);
    fuzz::require(whole.ended.empty() == pieces.ended.empty(), "bytes are accepted however they arrive",
                  whole.ended + "\n" + pieces.ended);
    fuzz::require(!whole.ended.empty() || whole.bytes == pieces.bytes, "bytes mean the same however they arrive");
    if (whole.ended.empty() && !whole.bytes.empty()) {
      const auto bounded = unpack(compression, bytes, std::size_t{64} << 10U, whole.bytes.size() - 1);
      fuzz::require(!bounded.ended.empty(), "one byte too many is refused");
    }
  }
  const auto plain = unpack(base::Compression::none, bytes, 4093);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::require(size > limit || base::compression_of(text) || std::ranges::equal(plain.bytes, bytes),
                "plain bytes stay what they are");
  return 0;
}
