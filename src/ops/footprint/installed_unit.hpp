// SPDX-License-Identifier: LGPL-2.1-or-later
// The unit file and the tmpfiles.d lines of an installed container, which an administrator may have edited, masked or
// removed, and the drop-ins of the unit. Paths are absolute inside the root.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/state/deployment.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// Whether the unit file is a mask: a link to /dev/null, or an empty file (systemd.unit(5)).
bool is_masked(const Context& context, const std::string& name);

/// Whether a configuration file of systemd is a mask.
bool is_mask(const Context& context, const std::string& path);

/// @throws Error(failed) when the unit is masked. The hint says how to unmask it, because `systemctl unmask` would
///   remove the unit.
void refuse_masked(const Context& context, const std::string& name);

/// Reads a file of the host, following links.
/// @return nullopt when it does not exist or is not a regular file
std::optional<std::string> text_on_host(const Context& context, const std::string& path);

/// @return sha256 hex of a file, or of the target of a link; empty when `path` does not exist
/// @throws Error(conflict) when it is neither a file nor a link
std::string checksum_on_host(const Context& context, const std::string& path);

/// @return the unit file as it was installed, from the deployment; nullopt when it does not exist or cannot be read
std::optional<std::string> installed_unit_text(const host::Deployment& deployment);

/// Checks the files that berth keeps in a deployment beside its info.
/// @param path of the deployment, on disk
/// @return the reason why they are damaged; empty when they are not
std::string damage_of_deployment(const std::string& path, const std::string& name, bool has_service);

/// Paths under which the unit file and the tmpfiles.d lines are kept when they are removed or replaced; empty for a
/// file that need not be kept. Edited files are kept, links in their place, and files whose original text is not known
/// any more.
struct SavedTexts {
  std::string unit;
  std::string tmpfiles;
};
SavedTexts saved_texts(const Context& context, const host::Deployment& deployment);

/// Removes the backup of `path`, or keeps it as `saved` unless that is empty. May be repeated.
/// @param secret of the change
/// @param checksum sha256 hex of the backup; empty when it is not known
void drop_or_save(const Context& context, const std::string& secret, const std::string& path, const std::string& saved,
                  const std::string& checksum);

/// Whether the unit file or the tmpfiles.d lines of a container are missing although they were installed.
bool misses_texts(const Context& context, const host::Deployment& deployment);

/// Restores a missing unit file and missing tmpfiles.d lines, and reloads systemd. The caller holds the container's
/// lock.
/// @return whether something was missing
/// @throws Error(verification) when the copy in the deployment is damaged
bool restore_missing_texts(Context& context, const host::Deployment& deployment);

/// @return drop-ins of the container's unit, those of `systemctl set-property` included, which an uninstall keeps
std::vector<std::string> settings_beside(const Context& context, const std::string& name);

/// @return the name of the unit of an installed container
/// @throws Error(not_found), Error(usage) for a container without a service
std::string unit_of(Context& context, const std::string& name);

}  // namespace berth::ops
