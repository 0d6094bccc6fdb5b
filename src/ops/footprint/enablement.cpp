// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/enablement.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/unit_syntax.hpp"
#include "host/files/host_file.hpp"
#include "host/files/root_directory.hpp"
#include "host/systemd/unit_file.hpp"
#include "ops/footprint/installed_unit.hpp"

namespace berth::ops {

namespace {

using base::Error;

constexpr const char* disabled_key = "stays-disabled";
constexpr std::size_t also_limit = 100;

/// The assignments of [Install], which determine how the unit is enabled.
std::vector<std::string> install_section(const std::optional<std::string>& unit) {
  std::vector<std::string> result;
  if (unit) {
    for (const auto& assignment : base::parse_unit(*unit).assignments) {
      if (assignment.section == "Install") {
        result.push_back(assignment.key + "=" + assignment.value);
      }
    }
  }
  return result;
}

/// @return the links that enable `unit`; nullopt when only systemd can determine them
std::optional<std::vector<std::string>> links_of(const Context& context, const std::string& unit,
                                                 const std::optional<std::string>& text) {
  try {
    return host::link_paths(unit, host::parse_install_section(text.value_or(""), unit), context.layout.units_in_root());
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// The unit that the administrator enabled or disabled: the one on the host, or, when that is masked or missing, the
/// one that was installed.
std::optional<std::string> old_unit(const Context& context, const host::Deployment& before) {
  auto present =
      is_masked(context, before.name) ? std::nullopt : text_on_host(context, context.layout.unit_in_root(before.name));
  return present ? std::move(present) : installed_unit_text(before);
}

/// Does not rely on UnitFileState where the links are known: systemd reports a unit as enabled when any link leads to
/// it.
bool is_enabled(const Context& context, const std::string& unit, const std::optional<std::vector<std::string>>& links,
                const host::UnitState& state) {
  const auto root = open_root(context);
  return links ? !host::present_links(root.get(), unit, *links).empty() : state.unit_file_state == "enabled";
}

bool is_marked_disabled(const host::DeploymentInfo& info) {
  const auto found = info.document.find(disabled_key);
  return found != info.document.end() && found->is_boolean() && found->get<bool>();
}

/// The text of a unit from the plan or on the host; empty when it does not exist.
std::string text_of_unit(const Context& context, const std::string& unit, const InstallPlan& plan) {
  const auto root = open_root(context);
  for (const auto& directory : context.layout.unit_directories_in_root()) {
    const auto path = fmt::format("{}/{}", directory, unit);
    const auto planned = std::find_if(plan.files.begin(), plan.files.end(),
                                      [&](const PlannedFile& file) { return file.file.destination == path; });
    if (planned != plan.files.end() && planned->file.content) {
      return *planned->file.content;
    }
    try {
      const auto file = base::open_in_root(root.get(), path, O_RDONLY | O_NONBLOCK);
      return base::read_all(file.get(), host::deployment_text_limit, path);
    } catch (const Error&) {
      continue;  // systemd cannot read it either
    }
  }
  return "";
}

/// The units that systemd enables together with `unit`, recursively.
std::vector<std::string> also_enabled(const Context& context, const std::string& unit, const std::string& text,
                                      const InstallPlan& plan) {
  std::vector<std::string> found;
  std::vector<std::pair<std::string, std::string>> pending = {{unit, text}};
  while (!pending.empty() && found.size() < also_limit) {
    const auto [next, next_text] = std::move(pending.back());
    pending.pop_back();
    for (auto& other : host::enabled_with(next_text, next)) {
      if (other != unit && std::find(found.begin(), found.end(), other) == found.end()) {
        pending.emplace_back(other, text_of_unit(context, other, plan));
        found.push_back(std::move(other));
      }
    }
  }
  return found;
}

std::vector<std::string> links_to(const Context& context, const std::vector<std::string>& units) {
  const auto root = open_root(context);
  std::vector<std::string> links;
  for (const auto& unit : units) {
    auto found = host::find_unit_links(root.get(), unit, context.layout.units_in_root());
    links.insert(links.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
  }
  return links;
}

/// @return `links` without `others`
std::vector<std::string> without(std::vector<std::string> links, const std::vector<std::string>& others) {
  std::erase_if(links, [&](const auto& link) { return std::find(others.begin(), others.end(), link) != others.end(); });
  return links;
}

}  // namespace

void record_links(Context& context, const host::Deployment& before, const host::UnitState& state,
                  const InstallPlan& plan, SwitchRecord& record) {
  const auto& new_unit = plan.unit;
  const auto unit = host::unit_name(before.name);
  const auto old_text = old_unit(context, before);
  const auto old_section = install_section(old_text);
  const auto new_section = install_section(new_unit);
  const auto old_links = links_of(context, unit, old_text);
  const auto new_links = links_of(context, unit, new_unit);
  const bool gets_one = old_section.empty() && !is_marked_disabled(before.info);
  record.was_enabled = !old_section.empty() && is_enabled(context, unit, old_links, state);
  record.enables = !new_section.empty() && (record.was_enabled || gets_one);
  record.relinks =
      !record.masked && (record.was_enabled != record.enables || (record.enables && old_section != new_section));
  if (record.relinks && record.enables) {
    record.also_units = also_enabled(context, unit, *new_unit, plan);
    record.also_links = links_to(context, record.also_units);
  }
  if (record.relinks && old_links && new_links) {
    const auto root = open_root(context);
    record.links_known = true;
    record.dropped_links = without(host::present_links(root.get(), unit, *old_links), *new_links);
    if (record.enables) {
      record.made_links = without(*new_links, host::present_links(root.get(), unit, *new_links));
    }
  }
}

void carry_disablement(const Context& context, const host::Deployment& before,
                       const std::optional<std::string>& new_unit, host::DeploymentInfo& info) {
  info.document.erase(disabled_key);
  const auto unit = host::unit_name(before.name);
  const auto old_text = old_unit(context, before);
  if (!new_unit || !install_section(new_unit).empty() || !before.info.has_container_service) {
    return;
  }
  const bool disabled =
      install_section(old_text).empty()
          ? is_marked_disabled(before.info)
          : !is_enabled(context, unit, links_of(context, unit, old_text), context.systemd.state(unit));
  if (disabled) {
    info.document[disabled_key] = true;
  }
}

void remove_also_links(const Context& context, const SwitchRecord& record) {
  const auto root = open_root(context);
  for (const auto& unit : record.also_units) {
    host::remove_links(root.get(), unit, without(links_to(context, {unit}), record.also_links));
  }
}

void make_links_durable(const Context& context, const std::vector<std::string>& links) {
  const auto root = open_root(context);
  std::set<std::string> directories;
  for (const auto& link : links) {
    const auto directory = base::split_path(link).first;
    directories.insert({directory, base::split_path(directory).first});  // the directory may be new, too
  }
  for (const auto& path : directories) {
    if (const auto directory = host::find_directory_in_root(root.get(), path)) {
      base::sync_at(directory->get(), ".");
    }
  }
}

void remove_known_links(const Context& context, const std::string& name, const std::vector<std::string>& links) {
  host::remove_links(open_root(context).get(), host::unit_name(name), links);
}

}  // namespace berth::ops
