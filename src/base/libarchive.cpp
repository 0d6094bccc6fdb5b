#include "base/libarchive.hpp"

namespace berth::base {

const LibArchive& libarchive() {
  static const LibArchive functions;
  return functions;
}

}  // namespace berth::base
