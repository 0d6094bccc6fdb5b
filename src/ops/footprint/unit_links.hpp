// The links that enable a container's unit while a change goes from one [Install] section to another. Old and new ones
// are there together until the change is finished, so that the unit is enabled at every moment (a boot after a
// privilege cut starts what it finds enabled at its beginning), and that nothing has to be made to take the change
// back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/systemd/unit_file.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// The [Install] section of the unit file that is there. @throws Error
host::InstallSection wanted_links(const Context& context, const std::string& name);

/// Removes all links to the unit but those that the unit file that is there asks for.
void keep_links(const Context& context, const std::string& name);

/// As keep_links, when a change is taken back. A section that only a running systemd can read is no failure.
void restore_links(Context& context, const std::string& name);

/// Removes all links to the unit.
void remove_links(const Context& context, const std::string& name);

/// The .wants and .requires directories that a change makes or may leave empty: those of the links that are there, and
/// those that are not there and that [Install] of `unit` asks for. @return paths inside the root
std::vector<std::string> link_directories(const Context& context, const std::string& name,
                                          const std::optional<std::string>& unit);
/// Removes those that are empty: a kill may have come between a directory and its link.
void remove_empty(const Context& context, const std::vector<std::string>& directories);

/// Every link to the unit among the units of the administrator. @return paths inside the root
std::vector<std::string> present_links(const Context& context, const std::string& name);

/// The same, and those of `systemctl enable --runtime`, to be put aside: a link in TARGET.requires to a unit that is
/// gone keeps the target from being started.
std::vector<std::string> all_links(const Context& context, const std::string& name);

/// Has the links wait under other names, in which systemd sees nothing.
void back_up_links(const Context& context, const std::string& secret, const std::vector<std::string>& links);
/// Takes back_up_links back, whether all, half or nothing of it was done.
void put_links_back(const Context& context, const std::string& secret, const std::vector<std::string>& links);
/// Removes what waits, and the directories that are empty then.
void drop_link_backups(const Context& context, const std::string& secret, const std::vector<std::string>& links);

}  // namespace berth::ops
