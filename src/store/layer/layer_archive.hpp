// SPDX-License-Identifier: LGPL-2.1-or-later
// The entries of a layer's archive, with names, owners and links checked.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/archive/tar_reader.hpp"
#include "base/byte_stream.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

/// One entry of a layer.
struct LayerEntry {
  base::TarEntryType type = base::TarEntryType::file;
  std::string path;         ///< normal_entry_path; empty for the root
  std::string link_target;  ///< of a symbolic link: as it is; of a hard link: normal_entry_path
  std::uint64_t size = 0;   ///< bytes of a file, holes included
  Ownership ownership;
};

/// Reads a layer's archive, front to back.
/// All methods throw Error(verification) for what base::TarReader and normal_entry_path refuse, for owners outside
/// 0…2^32-2 and for symbolic links whose target is empty, over 4095 bytes or not UTF-8; and what reading `bytes`
/// throws.
class LayerArchive {
 public:
  /// @param bytes the decompressed layer; must outlive this
  /// @param name of the layer, for errors
  LayerArchive(base::ByteStream& bytes, std::string name);

  /// The next entry; nullopt after the last. Unread data of the entry before is skipped.
  std::optional<LayerEntry> next();

  /// Data of the current entry; holes of sparse files are zeros. 0 at its end, which comes after exactly `size` bytes.
  std::size_t read(std::span<std::byte> buffer) { return tar_.read(buffer); }

 private:
  [[noreturn]] void refuse(const std::string& reason) const;
  [[nodiscard]] std::uint32_t checked_id(std::int64_t id, const char* kind, const std::string& path) const;
  void check_symbolic_link(const LayerEntry& entry) const;

  std::string name_;
  std::string an_entry_;  ///< of this layer, for errors
  base::TarReader tar_;
};

}  // namespace berth::store
