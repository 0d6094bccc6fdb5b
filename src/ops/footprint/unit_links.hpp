// SPDX-License-Identifier: LGPL-2.1-or-later
// The links that enable a container's unit, while a change replaces one [Install] section by another. The old and the
// new links exist together until the change is finished. So the unit is enabled at every moment (a boot after a power
// failure starts the units that it finds enabled at its beginning), and reverting the change need not create links.
// Paths are absolute inside the root.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/systemd/unit_file.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// @return the [Install] section of the unit file on the host; nullopt when the unit file does not exist
/// @throws Error(verification) for a section that only systemd can interpret
std::optional<host::InstallSection> find_install_section(const Context& context, const std::string& name);

/// Removes all links to the unit except those that the unit file on the host asks for.
void keep_wanted_links(const Context& context, const std::string& name);

/// As keep_wanted_links, while a change is reverted. An [Install] section that cannot be read is reported as a warning.
void restore_links(Context& context, const std::string& name);

/// Removes all links to the unit.
void remove_links(const Context& context, const std::string& name);

/// Finds the .wants and .requires directories that a change creates or may leave empty: those with links to the unit,
/// and those that do not exist and that the [Install] section of `unit` asks for.
/// @param unit text of the new unit file
std::vector<std::string> link_directories(const Context& context, const std::string& name,
                                          const std::optional<std::string>& unit);
/// Removes empty directories: a process may have been killed after it created a directory and before it created the
/// link.
void remove_empty(const Context& context, const std::vector<std::string>& directories);

/// @return all links to the unit below the administrator's unit directory
std::vector<std::string> present_links(const Context& context, const std::string& name);

/// @return also the links of `systemctl enable --runtime`, for an uninstall: a dangling link in TARGET.requires
///   prevents the target from being started
std::vector<std::string> all_links(const Context& context, const std::string& name);

/// Renames the links to their backup names, which systemd ignores.
void back_up_links(const Context& context, const std::string& secret, const std::vector<std::string>& links);
/// Reverts back_up_links, whether it was done completely, partly, or not at all.
void put_links_back(const Context& context, const std::string& secret, const std::vector<std::string>& links);
/// Removes the backups, and the directories that become empty.
void drop_link_backups(const Context& context, const std::string& secret, const std::vector<std::string>& links);

}  // namespace berth::ops
