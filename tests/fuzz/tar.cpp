// SPDX-License-Identifier: LGPL-2.1-or-later
// Archives of layers.
#include <algorithm>
#include <vector>

#include "base/digest.hpp"
#include "harness.hpp"
#include "store/layer/layer_archive.hpp"
#include "store/tree/entry_name.hpp"

namespace {

using namespace berth;

constexpr std::uint64_t data_limit = 1U << 20U;  // holes make files of any size
constexpr std::size_t entry_limit = 4096;

void check_path(std::string_view path) {
  const auto framed = "/" + std::string(path) + "/";
  fuzz::require(framed.find("/../") == std::string::npos && framed.find("/./") == std::string::npos,
                "no path leads out of the image", path);
  fuzz::require(path.empty() || framed.find("//") == std::string::npos, "no component is empty", path);
  fuzz::require(path.find('\0') == std::string_view::npos && store::is_utf8(path), "a path is text", path);
}

void check_entry(const store::LayerEntry& entry) {
  check_path(entry.path);
  fuzz::require(entry.ownership.permissions <= 07777, "permissions are no more than that", entry.path);
  fuzz::require(entry.ownership.uid != UINT32_MAX && entry.ownership.gid != UINT32_MAX, "owners can be set");
  fuzz::require(entry.type == base::TarEntryType::file || entry.size == 0, "files alone have a size", entry.path);
  if (entry.type == base::TarEntryType::hard_link) {
    check_path(entry.link_target);
  } else if (entry.type == base::TarEntryType::symbolic_link) {
    fuzz::require(!entry.link_target.empty() && entry.link_target.size() <= 4095, "a link has a target", entry.path);
  } else {
    fuzz::require(entry.link_target.empty(), "links alone have a target", entry.path);
  }
}

/// Reads the data of a file, up to data_limit.
void read_data(store::LayerArchive& tar, const store::LayerEntry& entry, std::size_t piece, base::Hasher& seen) {
  std::vector<std::byte> buffer(piece);
  std::uint64_t total = 0;
  while (total < data_limit) {
    const auto count = tar.read(std::span(buffer).first(std::min<std::uint64_t>(piece, data_limit - total)));
    fuzz::require(count <= piece, "no more is read than there is room for", entry.path);
    if (count == 0) {
      break;
    }
    seen.update(std::span<const std::byte>(buffer).first(count));
    total += count;
  }
  fuzz::require(total == std::min(entry.size, data_limit), "a file has as many bytes as it says", entry.path);
}

/// A digest of all entries of an archive; `refused` when it cannot be read to its end.
std::string read(std::span<const std::byte> bytes, std::size_t piece) {
  base::Hasher seen;
  try {
    fuzz::InputStream stream(bytes, piece);
    store::LayerArchive tar(stream, "fuzz");
    std::size_t entries = 0;
    while (const auto entry = tar.next()) {
      check_entry(*entry);
      seen.update(entry->path + '\0' + entry->link_target + '\0' + std::to_string(entry->size));
      for (const auto& [key, value] : entry->ownership.xattrs) {
        seen.update(key + '\0' + value + '\0');
      }
      if (++entries > entry_limit) {
        break;
      }
      if (entry->type == base::TarEntryType::file) {
        read_data(tar, *entry, piece, seen);
      }
    }
  } catch (const base::Error& error) {
    fuzz::require(fuzz::is_showable(error.what()), "an error is fit to be shown", error.what());
    return "refused";
  }
  return seen.finish().text();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto whole = read(bytes, std::size_t{64} << 10U);
  const auto pieces = read(bytes, 509);
  fuzz::require(whole == pieces, "an archive means the same however its bytes arrive", whole + "\n" + pieces);
  return 0;
}
