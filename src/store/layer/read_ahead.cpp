// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/read_ahead.hpp"

#include <algorithm>
#include <utility>

namespace berth::store {

ReadAhead::ReadAhead(std::unique_ptr<base::ByteStream> inner) : inner_(std::move(inner)) {
  for (auto& piece : pieces_) {
    piece.bytes.resize(piece_size);
  }
  thread_ = std::thread([this] { fill_pieces(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::scoped_lock guard(lock_);
    abandoned_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ReadAhead::fill_pieces() noexcept {
  bool more = true;
  for (std::size_t next = 0; more && await_empty(); next = (next + 1) % piece_count) {
    auto& piece = pieces_[next];
    more = fill(piece);
    {
      const std::scoped_lock guard(lock_);
      filled_ += piece.size > 0 ? 1 : 0;
      ended_ = !more;
    }
    changed_.notify_all();
  }
}

/// @return false when no bytes follow
bool ReadAhead::fill(Piece& piece) noexcept {
  piece.size = 0;
  try {
    while (piece.size < piece_size) {
      const auto count = inner_->read(std::span(piece.bytes).subspan(piece.size));
      if (count == 0) {
        return false;
      }
      piece.size += count;
    }
    return true;
  } catch (...) {
    failure_ = std::current_exception();
    return false;
  }
}

/// @return false when the reader was destroyed
bool ReadAhead::await_empty() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return filled_ < piece_count || abandoned_; });
  return !abandoned_;
}

/// @return false at the end of the stream
bool ReadAhead::await_full() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return filled_ > 0 || ended_; });
  if (filled_ == 0 && failure_) {
    std::rethrow_exception(failure_);
  }
  return filled_ > 0;
}

std::size_t ReadAhead::read(std::span<std::byte> buffer) {
  if (!await_full()) {
    return 0;
  }
  auto& piece = pieces_[reading_];
  const auto count = std::min(buffer.size(), piece.size - position_);
  std::copy_n(piece.bytes.begin() + static_cast<std::ptrdiff_t>(position_), count, buffer.begin());
  position_ += count;
  if (position_ == piece.size) {
    {
      const std::scoped_lock guard(lock_);
      --filled_;
    }
    changed_.notify_all();
    position_ = 0;
    reading_ = (reading_ + 1) % piece_count;
  }
  return count;
}

}  // namespace berth::store
