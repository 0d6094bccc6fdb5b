// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/unit_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/scope_exit.hpp"
#include "base/unit_quoting.hpp"
#include "base/unit_syntax.hpp"
#include "host/files/root_directory.hpp"

namespace berth::host {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::size_t unit_name_limit = 255;
constexpr std::array unit_suffixes = {".service", ".socket", ".target", ".timer",     ".path",
                                      ".mount",   ".slice",  ".device", ".automount", ".swap"};

std::string expand_specifiers(std::string_view word, const std::string& unit) {
  const std::string bare = unit.substr(0, unit.rfind('.'));
  std::string text;
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (word[at] != '%') {
      text += word[at];
      continue;
    }
    const char specifier = ++at < word.size() ? word[at] : '\0';
    switch (specifier) {
      case 'n':
        text += unit;
        break;
      case 'N':
      case 'p':
        text += bare;
        break;
      case '%':
        text += '%';
        break;
      default:
        throw Error(ErrorKind::verification,
                    fmt::format("{}: [Install] contains '{}', a specifier that only a running systemd can expand", unit,
                                base::printable(word)),
                    "write the unit's name out in the service template");
    }
  }
  return text;
}

bool is_unit_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         std::string_view(":_.-\\@").find(letter) != std::string_view::npos;
}

/// Accepts only unit names, because they become paths.
void check_unit_name(const std::string& name, const std::string& unit) {
  if (!is_unit_name(name)) {
    throw Error(ErrorKind::verification,
                fmt::format("{}: [Install] names '{}', which is not a unit name", unit, base::printable(name)));
  }
}

/// Adds the unit names of a setting of [Install], or clears `list` for an empty one (config_parse_strv() of systemd).
void add_names(std::string_view value, const std::string& unit, std::vector<std::string>& list) {
  const auto words = base::split_unit_words(value, base::UnitEscapes::keep);
  if (!words) {
    throw Error(ErrorKind::verification,
                fmt::format("{}: [Install] has an unclosed quote in '{}'", unit, base::printable(value)));
  }
  if (value.empty()) {
    list.clear();
  }
  for (const std::string& word : *words) {
    std::string name = expand_specifiers(word, unit);
    check_unit_name(name, unit);
    list.push_back(std::move(name));
  }
}

/// Whether a link points to the unit: by absolute path, as systemctl makes it, or by name.
bool points_to(const std::string& target, const std::string& unit) {
  return base::split_path(target).second == unit;
}

/// @return whether the link is new
bool make_link(int directory, const std::string& name, const std::string& path, const std::string& unit,
               const std::string& units) {
  const std::string target = fmt::format("{}/{}", units, unit);
  if (::symlinkat(target.c_str(), directory, name.c_str()) == 0) {
    base::sync_at(directory, ".");
    return true;
  }
  if (errno != EEXIST) {
    base::throw_errno("create the link " + path);
  }
  const auto existing = base::read_link_at(directory, name);
  if (!existing || !points_to(*existing, unit)) {
    throw Error(ErrorKind::conflict, fmt::format("cannot enable {}: {} exists and is not a link to it", unit, path),
                "inspect it, and remove it if it is not needed");
  }
  return false;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Names of the links to `unit`, except those in `keep`.
std::vector<std::string> links_in(int directory, const std::string& unit, const std::vector<std::string>& keep) {
  auto names = base::list_directory(directory);
  std::erase_if(names, [&](const std::string& name) {
    // systemd ignores other names, too: those of links that are set aside during a change.
    const bool ignored = !is_unit_name(name) || contains(keep, name);
    const auto target = ignored ? std::nullopt : base::read_link_at(directory, name);
    return !target || !points_to(*target, unit);
  });
  return names;
}

/// Adds the units that links point to.
/// @param own_names whether links that have the name of their unit count
void add_linked_units(int directory, std::set<std::string>& units, bool own_names) {
  for (const std::string& name : base::list_directory(directory)) {
    if (const auto target = is_unit_name(name) ? base::read_link_at(directory, name) : std::nullopt) {
      auto unit = base::split_path(*target).second;
      if (own_names || unit != name) {
        units.insert(std::move(unit));
      }
    }
  }
}

/// @return whether there were any
bool remove_links_in(int directory, const std::string& unit, const std::vector<std::string>& keep) {
  const auto names = links_in(directory, unit, keep);
  for (const std::string& name : names) {
    base::unlink_at(directory, name);
  }
  return !names.empty();
}

/// Whether `section` defines a link in the directory `TARGET.wants` or `TARGET.requires`.
bool defines_link_in(const InstallSection& section, std::string_view directory) {
  const auto dot = directory.rfind('.');
  return contains(directory.ends_with(".wants") ? section.wanted_by : section.required_by, directory.substr(0, dot));
}

/// The .wants and .requires directories among the units.
std::vector<std::string> link_directories(int units) {
  auto names = base::list_directory(units);
  std::erase_if(names, [&](const std::string& name) {
    const auto status = base::stat_at(units, name);
    return (!name.ends_with(".wants") && !name.ends_with(".requires")) || !status || !S_ISDIR(status->st_mode);
  });
  return names;
}

void remove_made_links(int root, const std::vector<std::string>& links) noexcept {
  for (const std::string& link : links) {
    try {
      const auto [parent, name] = base::split_path(link);
      if (const auto directory = find_trusted_directory(root, parent)) {
        ::unlinkat(directory->get(), name.c_str(), 0);
      }
    } catch (const std::exception&) {
      continue;  // the first failure is reported
    }
  }
}

}  // namespace

bool is_unit_name(std::string_view name) {
  const bool good_end = std::any_of(unit_suffixes.begin(), unit_suffixes.end(), [&](std::string_view suffix) {
    return name.size() > suffix.size() && name.ends_with(suffix);
  });
  return good_end && name.size() <= unit_name_limit && !name.starts_with('@') && !name.starts_with('.') &&
         std::all_of(name.begin(), name.end(), is_unit_letter);
}

InstallSection parse_install_section(std::string_view text, const std::string& unit) {
  InstallSection section;
  for (const auto& [section_name, key, value, line] : base::parse_unit(text).assignments) {
    if (section_name != "Install") {
      continue;
    }
    if (key == "WantedBy") {
      add_names(value, unit, section.wanted_by);
    } else if (key == "RequiredBy") {
      add_names(value, unit, section.required_by);
    } else if (key == "Alias") {
      add_names(value, unit, section.aliases);
    } else {
      section.not_followed.push_back(base::printable(fmt::format("{}={}", key, value)));
    }
  }
  for (const std::string& alias : section.aliases) {
    if (!alias.ends_with(unit.substr(unit.rfind('.')))) {
      throw Error(ErrorKind::verification,
                  fmt::format("{}: the alias '{}' is of another type than the unit", unit, base::printable(alias)));
    }
  }
  return section;
}

std::vector<std::string> enabled_with(std::string_view text, const std::string& unit) {
  std::vector<std::string> units;
  for (const auto& assignment : base::parse_unit(text).assignments) {
    if (assignment.section == "Install" && assignment.key == "Also") {
      try {
        add_names(assignment.value, unit, units);
      } catch (const Error&) {  // NOLINT(bugprone-empty-catch): systemd judges it when the unit is enabled
      }
    }
  }
  return units;
}

std::vector<std::string> link_paths(const std::string& unit, const InstallSection& section, const std::string& units) {
  std::vector<std::string> paths;
  for (const std::string& target : section.wanted_by) {
    paths.push_back(fmt::format("{}/{}.wants/{}", units, target, unit));
  }
  for (const std::string& target : section.required_by) {
    paths.push_back(fmt::format("{}/{}.requires/{}", units, target, unit));
  }
  for (const std::string& alias : section.aliases) {
    if (alias != unit) {
      paths.push_back(fmt::format("{}/{}", units, alias));
    }
  }
  return paths;
}

std::vector<std::string> present_links(int root, const std::string& unit, const std::vector<std::string>& links) {
  auto present = links;
  std::erase_if(present, [&](const std::string& path) {
    const auto [parent, name] = base::split_path(path);
    const auto directory = find_directory_in_root(root, parent);
    const auto target = directory ? base::read_link_at(directory->get(), name) : std::nullopt;
    return !target || !points_to(*target, unit);
  });
  return present;
}

std::vector<std::string> make_links(int root, const std::string& unit, const std::vector<std::string>& links,
                                    const std::string& units) {
  std::vector<std::string> made;
  std::vector<std::string> directories;
  base::ScopeExit undo([&]() noexcept {
    remove_made_links(root, made);
    remove_created_directories(root, directories);
  });
  for (const std::string& path : links) {
    const auto [parent, name] = base::split_path(path);
    if (make_link(make_directory_in_root(root, parent, directories).get(), name, path, unit, units)) {
      made.push_back(path);
    }
  }
  undo.dismiss();
  return made;
}

void remove_links(int root, const std::string& unit, const std::vector<std::string>& links) {
  for (const std::string& path : present_links(root, unit, links)) {
    const auto [parent, name] = base::split_path(path);
    const auto [units, directory_name] = base::split_path(parent);
    if (const auto directory = find_directory_in_root(root, parent)) {
      base::unlink_at(directory->get(), name);
      base::sync_at(directory->get(), ".");
    }
    const bool of_links = directory_name.ends_with(".wants") || directory_name.ends_with(".requires");
    if (const auto above = of_links ? find_directory_in_root(root, units) : std::nullopt) {
      ::unlinkat(above->get(), directory_name.c_str(), AT_REMOVEDIR);  // stays unless empty
      base::sync_at(above->get(), ".");
    }
  }
}

std::vector<std::string> make_unit_links(int root, const std::string& unit, const InstallSection& section,
                                         const std::string& units) {
  return make_links(root, unit, link_paths(unit, section, units), units);
}

std::set<std::string> linked_units(int root, const std::string& directory) {
  std::set<std::string> found;
  const auto units = find_directory_in_root(root, directory);
  if (units) {
    add_linked_units(units->get(), found, false);
    for (const std::string& name : link_directories(units->get())) {
      add_linked_units(base::open_directory_at(units->get(), name).get(), found, true);
    }
  }
  return found;
}

std::vector<std::string> find_unit_links(int root, const std::string& unit, const std::string& directory) {
  std::vector<std::string> found;
  const auto units = find_directory_in_root(root, directory);
  if (!units) {
    return found;
  }
  for (const std::string& name : links_in(units->get(), unit, {unit})) {
    found.push_back(fmt::format("{}/{}", directory, name));
  }
  for (const std::string& below : link_directories(units->get())) {
    for (const std::string& name : links_in(base::open_directory_at(units->get(), below).get(), unit, {})) {
      found.push_back(fmt::format("{}/{}/{}", directory, below, name));
    }
  }
  return found;
}

void remove_unit_links(int root, const std::string& unit, const InstallSection& kept, const std::string& directory) {
  const auto units = find_trusted_directory(root, directory);
  if (!units) {
    return;
  }
  auto own_names = kept.aliases;
  own_names.push_back(unit);
  remove_links_in(units->get(), unit, own_names);
  for (const std::string& name : link_directories(units->get())) {
    const base::Fd links = base::open_directory_at(units->get(), name);
    if (!defines_link_in(kept, name) && remove_links_in(links.get(), unit, {})) {
      ::unlinkat(units->get(), name.c_str(), AT_REMOVEDIR);  // stays unless empty
    }
  }
  base::sync_at(units->get(), ".");
}

}  // namespace berth::host
