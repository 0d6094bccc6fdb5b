// SPDX-License-Identifier: LGPL-2.1-or-later
// Unit files on disk: their [Install] section, and the links that enable a unit (systemd.unit(5)).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace berth::host {

/// Whether `name` is a valid unit name (systemd.unit(5)).
bool is_unit_name(std::string_view name);

/// The settings of [Install] that make links.
struct InstallSection {
  std::vector<std::string> wanted_by;
  std::vector<std::string> required_by;
  std::vector<std::string> aliases;
  std::vector<std::string> not_followed;  ///< other assignments, e.g. "Also=x.service"
};

/// Parses [Install]. An empty assignment resets a list; the specifiers %n, %N, %p and %% are expanded.
/// @param unit its name, for the specifiers and for messages
/// @throws Error(verification) for other specifiers and for invalid unit names
InstallSection parse_install_section(std::string_view text, const std::string& unit);

/// The units that systemd enables together with `unit`: `Also=` in [Install]. Names that only a running systemd can
/// expand are left out.
std::vector<std::string> enabled_with(std::string_view text, const std::string& unit);

/// Makes the links that `section` defines in the directory `units`, e.g. /etc/systemd/system, below `root`. Existing
/// links are kept.
/// @return the links made, absolute inside the root. @throws Error(conflict) when the name of a link is taken; the
/// links
///   made before are removed again
std::vector<std::string> make_unit_links(int root, const std::string& unit, const InstallSection& section,
                                         const std::string& units = "/etc/systemd/system");

/// The links that `section` defines in the directory `units`, absolute inside the root.
std::vector<std::string> link_paths(const std::string& unit, const InstallSection& section, const std::string& units);

/// Those of `links` that exist and point to `unit`.
std::vector<std::string> present_links(int root, const std::string& unit, const std::vector<std::string>& links);

/// Makes those of `links` that do not exist, pointing to `unit` in the directory `units`.
/// @return the links made. @throws Error as make_unit_links
std::vector<std::string> make_links(int root, const std::string& unit, const std::vector<std::string>& links,
                                    const std::string& units);

/// Removes those of `links` that point to `unit`, and the directories that this leaves empty.
void remove_links(int root, const std::string& unit, const std::vector<std::string>& links);

/// The units that links in a .wants or .requires directory of `units`, or aliases there, point to.
std::set<std::string> linked_units(int root, const std::string& units = "/etc/systemd/system");

/// Every link to `unit` in `units` (aliases) and its .wants and .requires directories: absolute, inside the root.
std::vector<std::string> find_unit_links(int root, const std::string& unit,
                                         const std::string& units = "/etc/systemd/system");

/// Removes every link to `unit` in `units` (aliases) and its .wants and .requires directories, except those that `kept`
/// defines, and the directories that this leaves empty.
void remove_unit_links(int root, const std::string& unit, const InstallSection& kept = {},
                       const std::string& units = "/etc/systemd/system");

}  // namespace berth::host
