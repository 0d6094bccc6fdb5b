// Extended attributes as OSTree writes them.
#pragma once

#include "store/ostree/glib.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// OSTree's form of extended attributes, `a(ayay)`; nullptr when there are none. Values must not be empty: libostree
/// passes such attributes over when it reads files, and would then find the object corrupt.
VariantPtr xattrs_variant(const Xattrs& xattrs);

}  // namespace berth::store
