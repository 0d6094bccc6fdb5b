// SPDX-License-Identifier: LGPL-2.1-or-later
// A stream that is read in a thread of its own.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/byte_stream.hpp"

namespace berth::store {

/// Reads `inner` ahead into a few reused buffers, so that the producer of the bytes (a transfer, a decompressor) and
/// their consumer work at the same time. An exception of `inner` is thrown after the bytes before it.
class ReadAhead final : public base::ByteStream {
 public:
  explicit ReadAhead(std::unique_ptr<base::ByteStream> inner);
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  /// Waits until the current read of `inner` returns.
  ~ReadAhead() override;

  std::size_t read(std::span<std::byte> buffer) override;

 private:
  static constexpr std::size_t piece_count = 4;
  static constexpr std::size_t piece_size = std::size_t{256} << 10U;

  struct Piece {
    std::vector<std::byte> bytes;
    std::size_t size = 0;
  };

  void fill_pieces() noexcept;
  bool fill(Piece& piece) noexcept;
  bool await_empty();
  bool await_full();

  std::unique_ptr<base::ByteStream> inner_;
  std::array<Piece, piece_count> pieces_;
  std::size_t filled_ = 0;      ///< pieces that are full, under lock_
  std::size_t reading_ = 0;     ///< the piece that read() copies from; for the reader alone
  std::size_t position_ = 0;    ///< within it
  bool ended_ = false;          ///< no pieces follow those that are full, under lock_
  bool abandoned_ = false;      ///< there is no reader any more, under lock_
  std::exception_ptr failure_;  ///< thrown at the end; written before ended_
  std::mutex lock_;
  std::condition_variable changed_;
  std::thread thread_;
};

}  // namespace berth::store
