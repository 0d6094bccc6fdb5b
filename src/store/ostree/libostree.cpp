// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/libostree.hpp"

namespace berth::store {

BERTH_DLOPEN_NOTE(libostree_note, "libostree-1.so.1", "store", "Stores images and checks them out", "required");

const LibOstree& libostree() {
  static const LibOstree functions;
  return functions;
}

}  // namespace berth::store
