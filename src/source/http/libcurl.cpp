#include "source/http/libcurl.hpp"

namespace berth::source {

const LibCurl& libcurl() {
  static const LibCurl functions;
  return functions;
}

}  // namespace berth::source
