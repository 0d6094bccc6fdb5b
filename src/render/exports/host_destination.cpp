// SPDX-License-Identifier: LGPL-2.1-or-later
// Destinations of the files of exports/hostfs on the host.
#include <fmt/format.h>

#include <cstddef>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "base/shown_text.hpp"
#include "render/exports/exports.hpp"
#include "render/template/template_pieces.hpp"
#include "render/unit/host_path.hpp"

namespace berth::render {
namespace {

using base::Error;
using base::ErrorKind;

constexpr std::string_view rename_key = "exports/manifest.json: renameFiles";

/// The new path with its variables substituted. @throws Error for an invalid one
std::string renamed(const std::string& from, const std::string& to, const Values& values) {
  const std::string entry = fmt::format("{}: {}", rename_key, base::printable(from));
  const auto pieces = split_template(to);
  for (const auto& piece : pieces) {
    if (piece.kind == PieceKind::lone_dollar) {
      throw Error(ErrorKind::verification, fmt::format("{}: a lone `$` in {}; write `$$`", entry, base::printable(to)));
    }
    if (piece.kind == PieceKind::variable && !values.contains(piece.text)) {
      throw Error(ErrorKind::failed, fmt::format("{}: no value for ${}", entry, piece.text),
                  fmt::format("set the missing values: --set {}=…", piece.text));
    }
  }
  const std::string path = substitute(pieces, values);
  if (!path.starts_with('/')) {
    throw Error(ErrorKind::verification,
                fmt::format("{}: the new path `{}` is not absolute", entry, base::printable(path)));
  }
  return squeezed_path(path, entry);
}

/// The renameFiles entry for exactly this path. Keys are accepted with and without outer slashes.
const std::pair<const std::string, std::string>* rename_of(const std::string& path, const ExportsManifest& manifest) {
  for (const auto& key : {path, path.substr(1), path + "/", path.substr(1) + "/"}) {
    if (const auto found = manifest.rename_files.find(key); found != manifest.rename_files.end()) {
      return &*found;
    }
  }
  return nullptr;
}

/// Applies the entry for the path itself, else the one for the longest directory above it.
std::string after_renames(const std::string& path, const ExportsManifest& manifest, const Values& values) {
  for (std::size_t length = path.size(); length != 0; length = path.rfind('/', length - 1)) {
    if (const auto* entry = rename_of(path.substr(0, length), manifest)) {
      return squeezed_path(renamed(entry->first, entry->second, values) + path.substr(length), rename_key);
    }
  }
  return path;
}

}  // namespace

std::string host_destination(const std::string& hostfs_path, const ExportsManifest& manifest, const Values& values) {
  constexpr std::string_view remedy = "correct renameFiles in exports/manifest.json of the image";
  std::string destination = base::with_hint(
      remedy, [&] { return after_renames(squeezed_path(hostfs_path, "exports/hostfs"), manifest, values); });
  const bool odd = destination.find('\n') != std::string::npos || base::find_control(destination) != std::string::npos;
  if (destination == "/" || odd) {
    throw Error(ErrorKind::verification,
                fmt::format("exports/hostfs/{} cannot be copied to `{}` on the host: {}", base::printable(hostfs_path),
                            base::printable(destination),
                            destination == "/" ? "that is the host's root"
                                               : "the path holds a line break or another control character"),
                std::string(remedy));
  }
  return destination;
}

void check_destinations(const std::vector<HostEntry>& entries, const ExportsManifest& manifest, const Values& values) {
  std::map<std::string, const HostEntry*> taken;
  for (const auto& entry : entries) {
    const auto [other, fresh] = taken.emplace(host_destination(entry.path, manifest, values), &entry);
    const bool both_directories =
        entry.kind == HostEntryKind::directory && other->second->kind == HostEntryKind::directory;
    if (!fresh && !both_directories) {
      throw Error(
          ErrorKind::verification,
          fmt::format("exports/hostfs/{} and exports/hostfs/{} would both become {} on the host",
                      base::printable(other->second->path), base::printable(entry.path), base::printable(other->first)),
          "renameFiles in exports/manifest.json must give each file a path of its own");
    }
  }
}

}  // namespace berth::render
