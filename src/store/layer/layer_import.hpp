// SPDX-License-Identifier: LGPL-2.1-or-later
// From a layer's blob to a commit, in one pass and bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "base/byte_stream.hpp"
#include "base/digest.hpp"
#include "base/reporter.hpp"
#include "image/manifest.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

struct LayerRequest {
  image::Descriptor descriptor;
  base::Digest diff_id;      ///< of the decompressed bytes
  std::int64_t created = 0;  ///< time of the commit, epoch seconds
  std::stop_token stop;
  base::Reporter* reporter = nullptr;
  std::int64_t packed_size = -1;  ///< bytes of the blob in its source; negative: the descriptor's size
};

/// Imports one layer into the open transaction: decompresses it, reads the archive, checks the diff id over all
/// decompressed bytes, and writes contents, directories and the commit. Whiteout markers are stored as empty files.
/// Device nodes, fifos and sockets are left out and counted; they still hide entries of lower layers. Left out and
/// reported are extended attributes that only a host may set (trusted.*, security.* but capabilities, system.* but
/// POSIX ACLs), those of links, and those that Linux would not accept.
/// @param blob the compressed layer, which verifies itself at its end
/// @return the commit, which no branch names yet
/// @throws Error, of kind verification for all faults of the layer; Interrupted
Checksum import_layer(const Repository& repository, const LayerRequest& request,
                      std::unique_ptr<base::ByteStream> blob);

/// "layer 0123456789ab", for messages.
std::string layer_name(const base::Digest& digest);

}  // namespace berth::store
