// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/file_header.hpp"

#include <cstring>

#include "store/ostree/glib.hpp"
#include "store/ostree/xattrs.hpp"

namespace berth::store {
namespace {

VariantPtr xattrs_or_none(const Xattrs& xattrs) {
  auto variant = xattrs_variant(xattrs);
  return variant ? std::move(variant) : own(g_variant_new_array(G_VARIANT_TYPE("(ayay)"), nullptr, 0));
}

void append(std::vector<std::byte>& bytes, GVariant* variant) {
  const auto* data = static_cast<const std::byte*>(g_variant_get_data(variant));
  bytes.insert(bytes.end(), data, data + g_variant_get_size(variant));
}

}  // namespace

std::vector<std::byte> file_header(const Ownership& ownership, mode_t type, const std::string& link_target) {
  const auto xattrs = xattrs_or_none(ownership.xattrs);
  const std::uint32_t mode = type | ownership.permissions;
  const auto header = own(g_variant_new("(uuuus@a(ayay))", GUINT32_TO_BE(ownership.uid), GUINT32_TO_BE(ownership.gid),
                                        GUINT32_TO_BE(mode), 0U, link_target.c_str(), xattrs.get()));
  constexpr std::size_t length_field = 8;  // the number and its padding
  std::vector<std::byte> bytes(length_field);
  const std::uint32_t length = GUINT32_TO_BE(static_cast<std::uint32_t>(g_variant_get_size(header.get())));
  std::memcpy(bytes.data(), &length, sizeof length);
  append(bytes, header.get());
  return bytes;
}

std::vector<std::byte> bare_user_metadata(const Ownership& ownership, mode_t type) {
  const auto xattrs = xattrs_or_none(ownership.xattrs);
  const std::uint32_t mode = type | ownership.permissions;
  const auto value = own(g_variant_new("(uuu@a(ayay))", GUINT32_TO_BE(ownership.uid), GUINT32_TO_BE(ownership.gid),
                                       GUINT32_TO_BE(mode), xattrs.get()));
  std::vector<std::byte> bytes;
  append(bytes, value.get());
  return bytes;
}

}  // namespace berth::store
