#include "ops/enablement.hpp"

#include <fcntl.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "exports/unit_syntax.hpp"
#include "host/host_file.hpp"
#include "host/root_folder.hpp"
#include "host/unit_file.hpp"
#include "ops/installed_unit.hpp"
#include "ops/replacement.hpp"

namespace berth::ops {

namespace {

using base::Error;

constexpr const char* disabled_key = "stays-disabled";

/// The assignments of [Install], which say how the unit is enabled.
std::vector<std::string> install_section(const std::optional<std::string>& unit) {
  std::vector<std::string> result;
  if (unit) {
    for (const auto& assignment : exports::read_unit(*unit).assignments) {
      if (assignment.section == "Install") {
        result.push_back(assignment.key + "=" + assignment.value);
      }
    }
  }
  return result;
}

/// nullopt when only systemd can say.
std::optional<std::vector<std::string>> links_of(const Session& session, const std::string& unit,
                                                 const std::optional<std::string>& text) {
  try {
    return host::link_paths(unit, host::parse_install_section(text.value_or(""), unit), session.layout.units_inside());
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// What the administrator enabled or disabled: the unit on the host, or the installed one when that is a mask or gone.
std::optional<std::string> old_unit(const Session& session, const host::Deployment& before) {
  const auto root = base::open_host_folder(session.layout.root());
  const auto path = session.layout.unit_inside(before.name);
  if (!is_masked(session, before.name) && host::host_exists(root.get(), path)) {
    return base::read_all(base::open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK).get(), deployment_text_limit,
                          path);
  }
  return installed_unit_text(before);
}

/// Not systemd's word for it: that calls a unit enabled to which any link leads.
bool is_enabled(const Session& session, const std::string& unit, const std::optional<std::vector<std::string>>& links,
                const host::UnitState& state) {
  const auto root = base::open_host_folder(session.layout.root());
  return links ? !host::present_links(root.get(), unit, *links).empty() : state.unit_file_state == "enabled";
}

bool is_marked_disabled(const host::DeploymentInfo& info) {
  const auto found = info.document.find(disabled_key);
  return found != info.document.end() && found->is_boolean() && found->get<bool>();
}

/// Those of `links` that are not among `others`.
std::vector<std::string> without(std::vector<std::string> links, const std::vector<std::string>& others) {
  std::erase_if(links, [&](const auto& link) { return std::find(others.begin(), others.end(), link) != others.end(); });
  return links;
}

}  // namespace

void note_links(Session& session, const host::Deployment& before, const host::UnitState& state,
                const std::optional<std::string>& new_unit, SwitchNote& note) {
  const auto unit = host::unit_name(before.name);
  const auto old_text = old_unit(session, before);
  const auto old_section = install_section(old_text);
  const auto new_section = install_section(new_unit);
  const auto old_links = links_of(session, unit, old_text);
  const auto new_links = links_of(session, unit, new_unit);
  const bool gets_one = old_section.empty() && !is_marked_disabled(before.info);
  note.was_enabled = !old_section.empty() && is_enabled(session, unit, old_links, state);
  note.enables = !new_section.empty() && (note.was_enabled || gets_one);
  note.relinks = !note.masked && (note.was_enabled != note.enables || (note.enables && old_section != new_section));
  if (note.relinks && old_links && new_links) {
    const auto root = base::open_host_folder(session.layout.root());
    note.links_known = true;
    note.dropped_links = without(host::present_links(root.get(), unit, *old_links), *new_links);
    if (note.enables) {
      note.made_links = without(*new_links, host::present_links(root.get(), unit, *new_links));
    }
  }
}

void carry_disablement(const Session& session, const host::Deployment& before,
                       const std::optional<std::string>& new_unit, host::DeploymentInfo& info) {
  info.document.erase(disabled_key);
  const auto unit = host::unit_name(before.name);
  const auto old_text = old_unit(session, before);
  if (!new_unit || !install_section(new_unit).empty() || !before.info.has_container_service) {
    return;
  }
  const bool disabled =
      install_section(old_text).empty()
          ? is_marked_disabled(before.info)
          : !is_enabled(session, unit, links_of(session, unit, old_text), session.systemd.state(unit));
  if (disabled) {
    info.document[disabled_key] = true;
  }
}

void make_links_durable(const Session& session, const std::vector<std::string>& links) {
  const auto root = base::open_host_folder(session.layout.root());
  std::set<std::string> folders;
  for (const auto& link : links) {
    const auto folder = base::split_path(link).first;
    folders.insert({folder, base::split_path(folder).first});  // which may be new itself
  }
  for (const auto& path : folders) {
    if (const auto folder = host::find_folder_in_root(root.get(), path)) {
      base::sync_at(folder->get(), ".");
    }
  }
}

void remove_known_links(const Session& session, const std::string& name, const std::vector<std::string>& links) {
  host::remove_links(base::open_host_folder(session.layout.root()).get(), host::unit_name(name), links);
}

}  // namespace berth::ops
