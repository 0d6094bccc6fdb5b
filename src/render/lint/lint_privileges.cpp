// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/lint/lint_privileges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/json.hpp"
#include "base/unit_syntax.hpp"
#include "render/exports/tmpfiles_privileges.hpp"
#include "render/exports/unit_privileges.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

base::Finding privilege_note(const Privilege& privilege, std::string_view file, std::size_t line) {
  return {base::Severity::note,
          privilege.over_host ? "privilege-over-host" : "privilege",
          std::string(file),
          line,
          privilege.message,
          privilege.over_host ? "with this it can do what root on the host can; leave out what it does not need" : ""};
}

}  // namespace

base::Findings unit_notes(std::string_view rendered, const Values& values) {
  base::Findings findings;
  const auto unit = base::parse_unit(rendered);
  for (const auto& privilege : unit_privileges(rendered, values)) {
    const auto at =
        std::find_if(unit.assignments.begin(), unit.assignments.end(), [&](const base::UnitAssignment& one) {
          return privilege.message.ends_with(fmt::format("{}={}", one.key, one.value)) ||
                 (one.key == "Alias" && privilege.message.ends_with(one.value));
        });
    findings.push_back(
        privilege_note(privilege, "exports/service.template", at == unit.assignments.end() ? 0 : at->line));
  }
  return findings;
}

base::Findings tmpfiles_notes(std::string_view rendered) {
  base::Findings findings;
  for (std::size_t number = 1; !rendered.empty(); ++number) {
    for (const auto& privilege : tmpfiles_privileges(base::take_line(rendered))) {
      findings.push_back(privilege_note(privilege, "exports/tmpfiles.template", number));
    }
  }
  return findings;
}

base::Findings config_notes(const base::Json& config, std::string_view cgroups_path, std::string_view text,
                            std::string_view file) {
  /// Part of a privilege's message → member of config.json that asks for it.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> places = {
      {{"capabilities", "\"capabilities\""},
       {"namespace", "\"namespaces\""},
       {"shares the host's", "\"namespaces\""},
       {"may use devices", "\"devices\""},
       {"device", "\"devices\""},
       {"hook", "\"hooks\""},
       {"sysctl", "\"sysctl\""},
       {"root file system", "\"root\""}}};
  base::Findings findings;
  for (const auto& privilege : config_privileges(config, cgroups_path)) {
    std::size_t line = 0;
    if (const auto at = privilege.message.rfind(" at /");
        privilege.message.starts_with("binds ") && at != std::string::npos) {
      line = line_of(text, fmt::format("\"{}\"", privilege.message.substr(at + 4)));
    } else {
      const auto* const place = std::find_if(places.begin(), places.end(), [&](const auto& one) {
        return privilege.message.find(one.first) != std::string::npos;
      });
      line = place == places.end() ? 0 : line_of(text, place->second);
    }
    findings.push_back(privilege_note(privilege, file, line));
  }
  return findings;
}

}  // namespace berth::render
