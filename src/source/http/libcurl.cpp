// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/http/libcurl.hpp"

namespace berth::source {

BERTH_DLOPEN_NOTE(libcurl_note, "libcurl.so.4", "registries", "Fetches images from registries and daemons",
                  "recommended");

const LibCurl& libcurl() {
  static const LibCurl functions;
  return functions;
}

}  // namespace berth::source
