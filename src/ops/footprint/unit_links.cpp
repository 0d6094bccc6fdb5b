// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/unit_links.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/files/host_file.hpp"
#include "host/state/deployment.hpp"
#include "ops/footprint/host_file_backup.hpp"

namespace berth::ops {

namespace {

/// The directory of `systemctl enable --runtime`, whose links exist until the next boot.
std::string runtime_units(const Context& context) {
  return fmt::format("{}/systemd/{}", context.layout.runtime_in_root(), context.layout.user() ? "user" : "system");
}

bool holds_links(const std::string& directory) {
  return directory.ends_with(".wants") || directory.ends_with(".requires");
}

}  // namespace

std::optional<host::InstallSection> find_install_section(const Context& context, const std::string& name) {
  const auto unit = host::unit_name(name);
  const auto root = open_root(context);
  const auto file = base::find_in_root(root.get(), context.layout.unit_in_root(name), O_RDONLY | O_NONBLOCK);
  if (!file) {
    return std::nullopt;
  }
  return host::parse_install_section(base::read_all(file->get(), host::deployment_text_limit, unit), unit);
}

void keep_wanted_links(const Context& context, const std::string& name) {
  if (const auto section = find_install_section(context, name)) {
    host::remove_unit_links(open_root(context).get(), host::unit_name(name), *section, context.layout.units_in_root());
  }
}

void restore_links(Context& context, const std::string& name) {
  try {
    if (const auto section = find_install_section(context, name)) {
      host::remove_unit_links(open_root(context).get(), host::unit_name(name), *section,
                              context.layout.units_in_root());
    } else {
      context.reporter.warning(fmt::format("{} does not exist; the links to it are kept", host::unit_name(name)));
    }
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification) {
      throw;
    }
    context.reporter.warning(error.what());
  }
}

void remove_links(const Context& context, const std::string& name) {
  host::remove_unit_links(open_root(context).get(), host::unit_name(name), {}, context.layout.units_in_root());
}

std::vector<std::string> link_directories(const Context& context, const std::string& name,
                                          const std::optional<std::string>& unit) {
  const auto units = context.layout.units_in_root();
  const auto root = open_root(context);
  std::set<std::string> directories;
  for (const auto& link : present_links(context, name)) {
    directories.insert(base::split_path(link).first);
  }
  directories.erase(units);  // of aliases
  const auto add = [&](const std::vector<std::string>& targets, std::string_view kind) {
    for (const auto& target : targets) {
      if (auto directory = fmt::format("{}/{}.{}", units, target, kind); !host::host_exists(root.get(), directory)) {
        directories.insert(std::move(directory));
      }
    }
  };
  try {
    const auto section = host::parse_install_section(unit.value_or(""), host::unit_name(name));
    add(section.wanted_by, "wants");
    add(section.required_by, "requires");
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification) {  // only systemd can interpret it
      throw;
    }
  }
  return {directories.begin(), directories.end()};
}

void remove_empty(const Context& context, const std::vector<std::string>& directories) {
  const auto root = open_root(context);
  for (const auto& directory : directories) {
    host::remove_host_file(root.get(), directory, "");  // is kept when it is not empty
  }
}

std::vector<std::string> present_links(const Context& context, const std::string& name) {
  return host::find_unit_links(open_root(context).get(), host::unit_name(name), context.layout.units_in_root());
}

std::vector<std::string> all_links(const Context& context, const std::string& name) {
  auto links = present_links(context, name);
  const auto runtime = host::find_unit_links(open_root(context).get(), host::unit_name(name), runtime_units(context));
  links.insert(links.end(), runtime.begin(), runtime.end());
  return links;
}

void back_up_links(const Context& context, const std::string& secret, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    back_up(context, secret, link);
  }
}

void put_links_back(const Context& context, const std::string& secret, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    put_back(context, secret, link);
  }
}

void drop_link_backups(const Context& context, const std::string& secret, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    drop_backup(context, secret, link);
    if (const auto directory = base::split_path(link).first; holds_links(directory)) {
      remove_empty(context, {directory});
    }
  }
}

}  // namespace berth::ops
