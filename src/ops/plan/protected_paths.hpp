// SPDX-License-Identifier: LGPL-2.1-or-later
// Paths that berth itself writes: no image may put files there or change them through a mount.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "host/layout.hpp"
#include "ops/plan/host_probe.hpp"
#include "ops/plan/planned_links.hpp"
#include "render/exports/exports.hpp"
#include "render/spec/privilege.hpp"

namespace berth::ops {

class ProtectedPaths {
 public:
  /// @param volumes directory of this container's volumes, which it may write to
  /// @param probe must outlive this
  /// @param files planned host files: links among them are followed for mounts
  ProtectedPaths(const host::Layout& layout, const std::string& name, const std::string& volumes,
                 const HostProbe& probe, const std::vector<PlannedFile>& files = {});

  /// Refuses a host file in a protected directory, the unit or tmpfiles.d file of the container, and a link to one.
  /// @param destination absolute path on the host @throws Error(conflict)
  void refuse_host_file(const render::HostEntry& entry, const std::string& destination) const;

  /// Refuses mounts of a final config.json through which the container could change protected directories. Read-only
  /// mounts are allowed, as are directories above: an image that asks for all of /var is trusted with it.
  /// @throws Error(verification) naming the mount
  void refuse_mounts(const base::Json& config) const;

  /// Privileges of writable mounts of directories above protected ones, and of binds whose links resolve to a path that
  /// gives control over the host.
  [[nodiscard]] std::vector<render::Privilege> privileges(const base::Json& config) const;

 private:
  [[nodiscard]] std::string resolved(const std::string& path) const;
  [[nodiscard]] std::optional<render::Privilege> privilege_of_links(const base::Json& mount) const;
  [[nodiscard]] bool is_protected(const std::string& path) const;
  [[nodiscard]] bool holds_protected(const std::string& path) const;

  const HostProbe& probe_;
  PlannedLinks links_;
  std::vector<std::string> directories_;  ///< resolved
  std::vector<std::string> files_;        ///< resolved
  std::string volumes_;                   ///< resolved
};

}  // namespace berth::ops
