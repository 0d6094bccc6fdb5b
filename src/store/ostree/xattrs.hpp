// SPDX-License-Identifier: LGPL-2.1-or-later
// Extended attributes as OSTree writes them.
#pragma once

#include "store/ostree/glib.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// OSTree's representation of extended attributes, `a(ayay)`; nullptr when there are none. Values must not be empty:
/// libostree ignores such attributes when it reads files, and would report the object as corrupt.
VariantPtr xattrs_variant(const Xattrs& xattrs);

}  // namespace berth::store
