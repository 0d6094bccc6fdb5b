// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/registry/blob_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "source/http/http_error.hpp"

namespace berth::source {
namespace {

// Bytes that have to arrive between two failures for the retries to start anew.
constexpr std::int64_t worthwhile_progress = 1 << 20;

// `bytes 100-199/200` → 100
std::optional<std::int64_t> start_of_range(const std::string& content_range) {
  constexpr std::string_view unit = "bytes ";
  if (!content_range.starts_with(unit)) {
    return std::nullopt;
  }
  const auto digits = content_range.substr(unit.size(), content_range.find('-') - unit.size());
  if (digits.empty() || digits.size() > 18 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(digits);
}

}  // namespace

BlobStream::BlobStream(RegistryClient& client, image::Descriptor descriptor, std::string name)
    : client_(client), descriptor_(std::move(descriptor)), name_(std::move(name)), retry_(client.options()) {
  open();
}

// Whether the response continues at the current offset; otherwise it begins at the start.
bool BlobStream::accept_range() {
  if (response_->status() != 206) {
    return false;
  }
  if (start_of_range(response_->header("content-range")) != offset_) {
    throw base::Error(base::ErrorKind::failed,
                      fmt::format("registry {} sends another part of {} than was requested", client_.registry(), name_),
                      "try again; if it happens again, report this to the operator of the registry");
  }
  return true;
}

void BlobStream::check_length() const {
  const auto length = response_->content_length();
  const auto expected = descriptor_.size - (response_->status() == 206 ? offset_ : 0);
  if (length && *length != expected) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} has the wrong size: the manifest says {} bytes remain, registry {} sends {}",
                                  name_, expected, client_.registry(), *length),
                      "try again; if it stays, the manifest, the registry or a proxy before it is wrong");
  }
}

void BlobStream::open() {
  std::vector<std::string> headers;
  if (offset_ > 0) {
    headers.push_back(fmt::format("Range: bytes={}-", offset_));
  }
  response_ = client_.get("blobs/" + descriptor_.digest.text(), headers);
  if (response_->status() != 200 && response_->status() != 206) {
    client_.refuse(*response_, name_);
  }
  const bool resumed = offset_ > 0 && accept_range();
  check_length();
  if (!resumed) {
    discard(offset_);
  }
}

void BlobStream::discard(std::int64_t bytes) {
  std::array<std::byte, 16U << 10U> buffer{};
  while (bytes > 0) {
    const auto wanted = std::min<std::int64_t>(bytes, static_cast<std::int64_t>(buffer.size()));
    const auto count = response_->read(std::span(buffer).first(static_cast<std::size_t>(wanted)));
    if (count == 0) {
      throw HttpError(HttpFailure::broken, fmt::format("{} ended early", name_));
    }
    bytes -= static_cast<std::int64_t>(count);
  }
}

void BlobStream::note_progress(std::size_t bytes) {
  offset_ += static_cast<std::int64_t>(bytes);
  if (offset_ - progress_mark_ >= worthwhile_progress) {
    progress_mark_ = offset_;
    retry_.reset();
  }
}

std::size_t BlobStream::read(std::span<std::byte> buffer) {
  while (true) {
    try {
      if (!response_) {
        open();
      }
      const auto count = response_->read(buffer);
      if (count > 0 || offset_ >= descriptor_.size) {
        note_progress(count);
        return count;
      }
      // Without Content-Length a broken connection looks like the end.
      throw HttpError(HttpFailure::broken,
                      fmt::format("{} ended after {} of {} bytes", name_, offset_, descriptor_.size),
                      "try again; layers that are complete are kept");
    } catch (const HttpError& error) {
      response_.reset();
      if (!is_transient(error, true) || !retry_.left()) {
        throw;
      }
      retry_.wait(fmt::format("{}: {}", name_, error.message()));
    }
  }
}

}  // namespace berth::source
