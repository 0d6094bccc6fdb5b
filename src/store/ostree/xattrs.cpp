// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/xattrs.hpp"

namespace berth::store {

VariantPtr xattrs_variant(const Xattrs& xattrs) {
  if (xattrs.empty()) {
    return nullptr;
  }
  GVariantBuilder builder;
  g_variant_builder_init(&builder, G_VARIANT_TYPE("a(ayay)"));
  for (const auto& [key, value] : xattrs) {
    GVariant* bytes = g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, value.data(), value.size(), 1);
    g_variant_builder_add(&builder, "(@ay@ay)", g_variant_new_bytestring(key.c_str()), bytes);
  }
  return own(g_variant_builder_end(&builder));
}

}  // namespace berth::store
