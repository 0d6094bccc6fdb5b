// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/glib.hpp"

#include <fmt/format.h>
#include <gio/gio.h>

#include <string>

#include "base/error.hpp"

namespace berth::store {
namespace {

constexpr const char* space_hint = "free space on the file system of the repository";

/// G_IO_ERROR, whose function is in GIO, which is loaded with libostree only.
GQuark io_error() {
  return g_quark_from_static_string("g-io-error-quark");
}

base::ErrorKind kind_of(const GError& error) {
  if (error.domain != io_error()) {
    return base::ErrorKind::failed;
  }
  switch (error.code) {
    case G_IO_ERROR_NOT_FOUND:
      return base::ErrorKind::not_found;
    case G_IO_ERROR_EXISTS:
      return base::ErrorKind::conflict;
    case G_IO_ERROR_PERMISSION_DENIED:
    case G_IO_ERROR_READ_ONLY:
      return base::ErrorKind::not_permitted;
    default:
      return base::ErrorKind::failed;
  }
}

std::string hint_for(const GError& error) {
  // libostree has no error code for its disk reserve.
  const std::string_view message = error.message;
  if (error.code == G_IO_ERROR_NO_SPACE || message.find("min-free-space") != std::string_view::npos) {
    return space_hint;
  }
  if (error.code == G_IO_ERROR_NOT_SUPPORTED) {
    return "the repository needs a file system with extended attributes, e.g. ext4, xfs or btrfs";
  }
  return {};
}

}  // namespace

bool Failure::is_not_found() const noexcept {
  return g_error_matches(error_, io_error(), G_IO_ERROR_NOT_FOUND) != 0;
}

void Failure::raise(std::string_view what) const {
  if (error_ == nullptr) {
    throw base::Error(base::ErrorKind::failed, fmt::format("cannot {}: unknown reason", what));
  }
  throw base::Error(kind_of(*error_), fmt::format("cannot {}: {}", what, error_->message), hint_for(*error_));
}

}  // namespace berth::store
