// SPDX-License-Identifier: LGPL-2.1-or-later
// Shared by the fuzzing harnesses. A harness is one function, LLVMFuzzerTestOneInput, linked either with libFuzzer or
// with replay.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_stream.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/reporter.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace berth::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
}

/// Aborts when a property does not hold; libFuzzer then saves the input.
inline void require(bool holds, std::string_view property, std::string_view found = {}) {
  if (!holds) {
    std::fprintf(stderr, "property does not hold: %.*s\n", static_cast<int>(property.size()), property.data());
    std::fprintf(stderr, "found: %.*s\n", static_cast<int>(found.size()), found.data());
    std::abort();
  }
}

/// Whether a text contains no control characters, which a terminal would interpret, except newlines.
inline bool is_showable(std::string_view message) {
  unsigned char before = 0;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    const bool upper_control = before == 0xC2 && byte >= 0x80 && byte < 0xA0;
    if ((byte < 0x20 && byte != '\n') || byte == 0x7f || upper_control) {
      return false;
    }
    before = byte;
  }
  return true;
}

/// The result of `work`; nullopt when it refuses the input with a base::Error that can be shown. Any other exception
/// ends the process.
template <typename Work>
auto accepted(Work&& work) -> std::optional<decltype(work())> {
  try {
    return work();
  } catch (const base::Error& error) {
    require(!error.message().empty(), "an error has a message");
    require(is_showable(error.what()) && is_showable(error.hint()), "an error is fit to be shown", error.what());
    return std::nullopt;
  }
}

class QuietReporter final : public base::Reporter {
 public:
  void step(std::string_view message) override { require(is_showable(message), "a step is showable", message); }
  void progress(const base::Progress&) override {}
  void warning(std::string_view message) override {
    require(is_showable(message), "a warning is fit to be shown", message);
  }
};

/// The input as a stream, at most `piece` bytes at a time.
class InputStream final : public base::ByteStream {
 public:
  explicit InputStream(std::span<const std::byte> bytes, std::size_t piece) : bytes_(bytes), piece_(piece) {}
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  std::span<const std::byte> bytes_;
  std::size_t piece_;
};

/// The input as an anonymous file; `path()` can be opened.
class InputFile {
 public:
  explicit InputFile(std::string_view bytes);
  [[nodiscard]] std::string path() const;

 private:
  base::Fd fd_;
};

}  // namespace berth::fuzz
