// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/companion_units.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/file.hpp"
#include "host/systemd/unit_file.hpp"
#include "ops/runtime/unit_job.hpp"

namespace berth::ops {

namespace {

/// Kinds of units that stay active after their file is removed.
constexpr std::array unit_kinds = {".service", ".socket", ".timer",     ".path",
                                   ".target",  ".mount",  ".automount", ".swap"};

/// @return the name of the unit that systemd reads from `path`; empty for other files, for templates (x@.service), and
///   for invalid names ("a b.socket"), which systemd refuses in a query
std::string unit_at(const Context& context, const std::string& path) {
  const auto [directory, name] = base::split_path(path);
  const auto directories = context.layout.unit_directories_in_root();
  const bool is_unit = std::any_of(unit_kinds.begin(), unit_kinds.end(),
                                   [&file = name](std::string_view kind) { return file.ends_with(kind); });
  const bool is_template = name.find("@.") != std::string::npos;
  return is_unit && !is_template && host::is_unit_name(name) &&
                 std::find(directories.begin(), directories.end(), directory) != directories.end()
             ? name
             : "";
}

}  // namespace

std::vector<RecordedUnit> companion_units(const Context& context, const std::vector<std::string>& paths,
                                          const std::function<bool(const std::string& path)>& stays) {
  std::vector<RecordedUnit> units;
  for (const auto& path : paths) {
    if (const auto name = unit_at(context, path); !name.empty()) {
      const auto state = context.systemd.state(name);
      const RecordedUnit unit{name, host::is_active(state), state.unit_file_state == "enabled", stays(path)};
      if (unit.active || unit.enabled) {
        units.push_back(unit);
      }
    }
  }
  return units;
}

std::vector<std::string> active_names(const std::vector<RecordedUnit>& units) {
  std::vector<std::string> names;
  for (const auto& unit : units) {
    if (unit.active) {
      names.push_back(unit.name);
    }
  }
  return names;
}

void stop_companions(Context& context, const std::vector<RecordedUnit>& units) {
  for (const auto& unit : units) {
    if (unit.active) {
      stop_or_throw(context, unit.name);
    }
  }
}

void restore_companions(Context& context, const std::vector<RecordedUnit>& units) {
  for (const auto& unit : units) {
    if (unit.active) {
      start_again(context, unit.name, "");
    }
  }
}

void start_companions(Context& context, const std::string& unit, const std::vector<RecordedUnit>& units) {
  std::vector<std::string> names;
  for (const auto& companion : units) {
    if (companion.active && companion.stays) {
      names.push_back(companion.name);
    }
  }
  bring_back(context, unit, names);
}

void stop_started_companions(Context& context, const std::vector<RecordedUnit>& units) {
  for (const auto& unit : units) {
    if (unit.active && unit.stays) {
      stop_or_throw(context, unit.name);
    }
  }
}

void drop_companion_links(const Context& context, const std::vector<RecordedUnit>& units) {
  const auto root = open_root(context);
  for (const auto& unit : units) {
    if (unit.enabled && !unit.stays) {
      host::remove_unit_links(root.get(), unit.name, {}, context.layout.units_in_root());
    }
  }
}

}  // namespace berth::ops
