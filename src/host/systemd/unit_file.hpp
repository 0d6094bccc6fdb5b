// Unit files on disk: what [Install] asks for, and the links that enable a unit (systemd.unit(5)).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace berth::host {

/// Whether systemd would take it for the name of a unit (systemd.unit(5)).
bool is_unit_name(std::string_view name);

/// The [Install] section as far as it makes links.
struct InstallSection {
  std::vector<std::string> wanted_by;
  std::vector<std::string> required_by;
  std::vector<std::string> aliases;
  std::vector<std::string> not_followed;  ///< assignments that are not acted on, e.g. "Also=x.service"
};

/// Reads [Install]: comments, continued lines and the empty assignment that resets a list. Specifiers %n, %N and %p
/// are replaced. @param unit its name, for the specifiers and for messages
/// @throws Error(verification) for names that are no unit names
InstallSection parse_install_section(std::string_view text, const std::string& unit);

/// The units that systemd enables together with `unit`: `Also=` in [Install]. Names that only a running systemd can
/// tell are left out.
std::vector<std::string> enabled_with(std::string_view text, const std::string& unit);

/// Makes the links of the directory `units`, e.g. /etc/systemd/system, that `section` asks for, below `root`. Links
/// that exist already are kept.
/// @return the links made, absolute inside the root. @throws Error(conflict) when something else has a link's name; the
///   links made before are removed again
std::vector<std::string> make_unit_links(int root, const std::string& unit, const InstallSection& section,
                                         const std::string& units = "/etc/systemd/system");

/// The links that `section` asks for in the directory `units`, absolute inside the root.
std::vector<std::string> link_paths(const std::string& unit, const InstallSection& section, const std::string& units);

/// Those of `links` that are there and lead to `unit`.
std::vector<std::string> present_links(int root, const std::string& unit, const std::vector<std::string>& links);

/// Makes those of `links` that are not there, to `unit` in the directory `units`.
/// @return the links made. @throws Error as make_unit_links
std::vector<std::string> make_links(int root, const std::string& unit, const std::vector<std::string>& links,
                                    const std::string& units);

/// Removes those of `links` that lead to `unit`, and the directories that this leaves empty.
void remove_links(int root, const std::string& unit, const std::vector<std::string>& links);

/// The units that some .wants or .requires directory of `units`, or an alias there, links to.
std::set<std::string> linked_units(int root, const std::string& units = "/etc/systemd/system");

/// Every link to `unit` in `units` (aliases) and its .wants and .requires directories: absolute, inside the root.
std::vector<std::string> find_unit_links(int root, const std::string& unit,
                                         const std::string& units = "/etc/systemd/system");

/// Removes every link to `unit` in `units` (aliases) and its .wants and .requires directories, but for those that
/// `kept` asks for, and the directories that this leaves empty.
void remove_unit_links(int root, const std::string& unit, const InstallSection& kept = {},
                       const std::string& units = "/etc/systemd/system");

}  // namespace berth::host
