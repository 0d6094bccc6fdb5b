// SPDX-License-Identifier: LGPL-2.1-or-later
// What a plan has to know about single paths of the host and files of the image, queried only when it needs them.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "ops/plan/planned_file.hpp"
#include "render/exports/exports.hpp"
#include "render/spec/config_json.hpp"
#include "render/spec/volumes.hpp"
#include "render/template/values.hpp"

namespace berth::ops {

/// The only way in which a plan reads the host and the image laid out there. Nothing is changed. Paths of the host are
/// absolute and inside its root.
class HostProbe {
 public:
  HostProbe() = default;
  HostProbe(const HostProbe&) = delete;
  HostProbe& operator=(const HostProbe&) = delete;
  virtual ~HostProbe() = default;

  /// Whether the host has something at `path`; a symbolic link counts, wherever it points.
  [[nodiscard]] virtual bool exists(const std::string& path) const = 0;
  /// Whether the host has exactly the planned file: type, owner, mode and content.
  [[nodiscard]] virtual bool matches(const PlannedFile& planned) const = 0;
  /// `path` with the symbolic links of its directories followed; its last component may be a link.
  [[nodiscard]] virtual std::string resolve(const std::string& path) const = 0;
  /// Owner of a directory of the host; nullopt when it does not exist.
  /// @throws Error(conflict) for a directory that root cannot reach safely
  [[nodiscard]] virtual std::optional<uid_t> directory_owner(const std::string& path) const = 0;
  /// Status of a path, links followed; nullopt when it does not exist. All zero when the caller may not see it.
  [[nodiscard]] virtual std::optional<struct stat> status(const std::string& path) const = 0;

  /// Text of a file in exports/hostfs, for templates. @throws Error
  [[nodiscard]] virtual std::string read_entry(const render::HostEntry& entry) const = 0;
  /// SHA-256 of a file in exports/hostfs, in hex. @throws Error
  [[nodiscard]] virtual std::string entry_checksum(const render::HostEntry& entry) const = 0;
  /// config.json for an image that has none in /exports. @throws Error
  [[nodiscard]] virtual std::string generate_config(const render::Values& values,
                                                    const render::HostFeatures& features) const = 0;
  /// Volumes of that configuration. @param directory of the host that holds them
  [[nodiscard]] virtual std::vector<render::Volume> volumes(const std::string& directory) const = 0;
  /// Links of the image to standard streams, see render::stream_links.
  [[nodiscard]] virtual std::vector<std::string> stream_links() const = 0;
};

}  // namespace berth::ops
