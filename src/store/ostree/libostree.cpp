#include "store/ostree/libostree.hpp"

namespace berth::store {

const LibOstree& libostree() {
  static const LibOstree functions;
  return functions;
}

}  // namespace berth::store
