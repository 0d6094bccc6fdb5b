// What berth itself writes: no image may put files there or change it through a mount.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "host/layout.hpp"
#include "ops/plan/planned_links.hpp"
#include "render/exports/exports.hpp"
#include "render/spec/privileges.hpp"

namespace berth::ops {

class ProtectedPaths {
 public:
  /// @param volumes where the data of this container are, which it may write to, unlike those of others
  /// @param resolve where a host path really is, its links followed inside the root
  /// @param files that the image brings, of which links count for mounts
  ProtectedPaths(const host::Layout& layout, const std::string& name, const std::string& volumes,
                 std::function<std::string(const std::string&)> resolve, const std::vector<PlannedFile>& files = {});

  /// Refuses a host file in one of our directories, one that would be our unit or tmpfiles.d file, and a link there.
  /// @param destination where it goes on the host, absolute @throws Error(conflict)
  void refuse_host_file(const render::HostEntry& entry, const std::string& destination) const;

  /// Refuses mounts of a final config.json through which the container could change our directories. Read-only ones are
  /// allowed, as is a directory above ours: an image that asks for all of /var is trusted with it.
  /// @throws Error(verification) naming the mount
  void refuse_mounts(const base::Json& config) const;

  /// Writable mounts of directories above ours, and binds that lead by links to what gives the host away, one sentence
  /// each.
  [[nodiscard]] std::vector<render::Privilege> privileges(const base::Json& config) const;

 private:
  [[nodiscard]] std::string place_of(const std::string& path) const;
  [[nodiscard]] std::optional<render::Privilege> privilege_of_links(const base::Json& mount) const;
  [[nodiscard]] bool is_own(const std::string& path) const;
  [[nodiscard]] bool holds_own(const std::string& path) const;

  std::function<std::string(const std::string&)> resolve_;
  PlannedLinks links_;
  std::vector<std::string> directories_;  ///< resolved
  std::vector<std::string> files_;        ///< resolved
  std::string volumes_;                   ///< resolved
};

}  // namespace berth::ops
