// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/archive/libarchive.hpp"

namespace berth::base {

BERTH_DLOPEN_NOTE(libarchive_note, "libarchive.so.13", "archives", "Reads compressed layers and image archives",
                  "recommended");

const LibArchive& libarchive() {
  static const LibArchive functions;
  return functions;
}

}  // namespace berth::base
