// Strict reading of tar archives (ustar, pax, GNU) over libarchive.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/byte_stream.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {

enum class EntryType { file, directory, symbolic_link, hard_link, special };

/// One entry, with bytes as the archive has them but for the names, which are normalised.
struct TarEntry {
  EntryType type = EntryType::file;
  std::string path;         ///< normal_entry_path; empty for the root
  std::string link_target;  ///< of a symbolic link: as it is; of a hard link: normal_entry_path
  std::uint64_t size = 0;   ///< bytes of a file, holes included
  Ownership ownership;
};

/// Reads one archive, front to back. Headers are bounded by libarchive: 1 MiB for a pax or GNU long name header.
/// Every method throws Error(verification) for a damaged archive and for what normal_entry_path refuses, for owners
/// outside 0…2^32-2, for links without target, for files of negative size, for a NUL within a pax or GNU name
/// (nul_in_names) and for headers that are understood only in part; and what reading `bytes` throws. End blocks, and
/// the padding of the last entry, may be missing.
class TarReader {
 public:
  /// @param bytes must outlive the reader
  /// @param name of the archive, for errors
  TarReader(base::ByteStream& bytes, std::string name);
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;
  ~TarReader();

  /// The next entry; nullopt after the last. Data of the entry before that was not read is skipped.
  std::optional<TarEntry> next();

  /// Data of the current entry; holes of sparse files are zeros. 0 at its end, which comes after exactly `size` bytes.
  std::size_t read(std::span<std::byte> buffer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace berth::store
