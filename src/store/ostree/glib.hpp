// SPDX-License-Identifier: LGPL-2.1-or-later
// Ownership of GLib's objects, and conversion of GError to base::Error.
#pragma once

#include <glib.h>

#include <memory>
#include <string_view>

namespace berth::store {

/// Deleter that calls the C function `Free`.
template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};

using VariantPtr = std::unique_ptr<GVariant, FreeWith<g_variant_unref>>;
using CharsPtr = std::unique_ptr<char, FreeWith<g_free>>;
using BytesPtr = std::unique_ptr<guchar, FreeWith<g_free>>;

/// Takes a variant as GLib's constructors return it: floating references become ours.
inline VariantPtr own(GVariant* variant) {
  return VariantPtr(g_variant_ref_sink(variant));
}

/// Receives the GError of one call: `Failure failure; if (!call(…, failure.out())) failure.raise("open the
/// repository");`
class Failure {
 public:
  Failure() = default;
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  ~Failure() { g_clear_error(&error_); }

  /// Where the call stores its error; forgets an earlier one.
  GError** out() noexcept {
    g_clear_error(&error_);
    return &error_;
  }
  /// Whether the error is that something does not exist.
  [[nodiscard]] bool is_not_found() const noexcept;
  /// The message of the error; empty when the call did not fail.
  [[nodiscard]] std::string_view message() const noexcept { return error_ == nullptr ? "" : error_->message; }
  /// Throws base::Error "cannot WHAT: MESSAGE"; a full disk and missing rights get their kind and remedy.
  [[noreturn]] void raise(std::string_view what) const;

 private:
  GError* error_ = nullptr;
};

}  // namespace berth::store
