// From a layer's blob to a commit, in one pass and bounded memory.
#pragma once

#include <cstdint>
#include <functional>
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
  base::Digest diff_id;      ///< what the unpacked bytes must have
  std::int64_t created = 0;  ///< time of the commit, epoch seconds
  std::stop_token stop;
  base::Reporter* reporter = nullptr;
  std::int64_t packed_size = -1;  ///< bytes that the blob takes where it comes from; negative: the descriptor's size
};

/// Imports one layer into the open transaction: unpacks, checks the diff id over all unpacked bytes, reads the
/// archive, writes contents, directories and the commit. Whiteout markers stay, as empty files; device nodes, fifos and
/// sockets are left out and counted, and hide what lower layers have there, as they would have.
/// Extended attributes that only a host may set (trusted.*, security.* but capabilities, system.* but POSIX ACLs),
/// those of links, those without value, and those that Linux would not take are left out and reported.
/// @param blob the layer's packed bytes; whoever gives it verifies them at its end
/// @return the commit, on which no branch points yet
/// @throws Error; of kind verification for everything wrong with the layer; interrupted when stop was requested
Checksum import_layer(const Repository& repository, const LayerRequest& request,
                      std::unique_ptr<base::ByteStream> blob);

/// "layer 0123456789ab", for messages.
std::string layer_name(const base::Digest& digest);

}  // namespace berth::store
