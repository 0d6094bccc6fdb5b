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

/// Where `systemctl enable --runtime` and its like make links, until the next boot.
std::string runtime_units(const Session& session) {
  return fmt::format("{}/systemd/{}", session.layout.runtime_inside(), session.layout.user() ? "user" : "system");
}

bool is_for_links(const std::string& folder) {
  return folder.ends_with(".wants") || folder.ends_with(".requires");
}

}  // namespace

host::InstallSection wanted_links(const Session& session, const std::string& name) {
  const auto unit = host::unit_name(name);
  const auto root = open_root(session);
  const auto file = base::open_in_root(root.get(), session.layout.unit_inside(name), O_RDONLY | O_NONBLOCK);
  return host::parse_install_section(base::read_all(file.get(), host::deployment_text_limit, unit), unit);
}

void keep_links(const Session& session, const std::string& name) {
  host::remove_unit_links(open_root(session).get(), host::unit_name(name), wanted_links(session, name),
                          session.layout.units_inside());
}

void restore_links(Session& session, const std::string& name) {
  try {
    keep_links(session, name);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification && error.kind() != base::ErrorKind::not_found) {
      throw;
    }
    session.reporter.warning(error.what());
  }
}

void remove_links(const Session& session, const std::string& name) {
  host::remove_unit_links(open_root(session).get(), host::unit_name(name), {}, session.layout.units_inside());
}

std::vector<std::string> link_folders(const Session& session, const std::string& name,
                                      const std::optional<std::string>& unit) {
  const auto units = session.layout.units_inside();
  const auto root = open_root(session);
  std::set<std::string> folders;
  for (const auto& link : present_links(session, name)) {
    folders.insert(base::split_path(link).first);
  }
  folders.erase(units);  // that of aliases
  const auto add = [&](const std::vector<std::string>& targets, std::string_view kind) {
    for (const auto& target : targets) {
      if (auto folder = fmt::format("{}/{}.{}", units, target, kind); !host::host_exists(root.get(), folder)) {
        folders.insert(std::move(folder));
      }
    }
  };
  try {
    const auto section = host::parse_install_section(unit.value_or(""), host::unit_name(name));
    add(section.wanted_by, "wants");
    add(section.required_by, "requires");
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification) {  // only a running systemd can read it
      throw;
    }
  }
  return {folders.begin(), folders.end()};
}

void remove_empty(const Session& session, const std::vector<std::string>& folders) {
  const auto root = open_root(session);
  for (const auto& folder : folders) {
    host::remove_host_file(root.get(), folder, "");  // stays when it holds something else
  }
}

std::vector<std::string> present_links(const Session& session, const std::string& name) {
  return host::find_unit_links(open_root(session).get(), host::unit_name(name), session.layout.units_inside());
}

std::vector<std::string> all_links(const Session& session, const std::string& name) {
  auto links = present_links(session, name);
  const auto fleeting = host::find_unit_links(open_root(session).get(), host::unit_name(name), runtime_units(session));
  links.insert(links.end(), fleeting.begin(), fleeting.end());
  return links;
}

void put_links_aside(const Session& session, const std::string& secret, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    put_aside(session, secret, link);
  }
}

void put_links_back(const Session& session, const std::string& secret, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    put_back(session, secret, link);
  }
}

void drop_links_aside(const Session& session, const std::string& secret, const std::vector<std::string>& links) {
  for (const auto& link : links) {
    drop_aside(session, secret, link);
    if (const auto folder = base::split_path(link).first; is_for_links(folder)) {
      remove_empty(session, {folder});
    }
  }
}

}  // namespace berth::ops
