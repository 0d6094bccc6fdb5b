// SPDX-License-Identifier: LGPL-2.1-or-later
// Units of images, and their settings.
#include "render/unit/unit.hpp"

#include "base/unit_syntax.hpp"
#include "harness.hpp"
#include "host/systemd/unit_file.hpp"
#include "render/exports/tmpfiles_privileges.hpp"
#include "render/exports/unit_privileges.hpp"
#include "render/unit/tmpfiles.hpp"

namespace {

using namespace berth;

/// Whether `longer` is `text` with one insertion.
bool is_insertion(std::string_view text, std::string_view longer) {
  std::size_t same = 0;
  while (same < text.size() && same < longer.size() && text[same] == longer[same]) {
    ++same;
  }
  return longer.size() >= text.size() && longer.ends_with(text.substr(same));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  const auto unit = fuzz::accepted([&] { return render::complete_unit(text, "/usr/bin/runc", "app"); });
  if (unit) {
    fuzz::require(is_insertion(text, *unit), "a unit is changed in one place", *unit);
    fuzz::require(render::complete_unit(*unit, "/usr/bin/runc", "app") == *unit, "a complete unit stays as it is",
                  *unit);
    const auto before = base::parse_unit(text);
    const auto after = base::parse_unit(*unit);
    const auto added = after.assignments.size() - before.assignments.size();
    fuzz::require(after.assignments.size() >= before.assignments.size() && added <= 3,
                  "settings are added, none is lost", *unit);
    fuzz::require(render::unit_slice(*unit) == render::unit_slice(text), "the slice stays", *unit);
  }
  const auto slice = render::unit_slice(text);
  const auto cgroup = render::cgroups_path(slice, "app");
  fuzz::require(slice.ends_with(".slice") && (cgroup + "/").find("/../") == std::string::npos, "a slice is a name",
                cgroup);
  fuzz::accepted([&] {
    for (const auto& name : host::parse_install_section(text, "app.service").wanted_by) {
      fuzz::require(name.find('/') == std::string::npos && name != "..", "a unit's name is no path", name);
    }
    return true;
  });
  auto privileges = render::unit_privileges(text, {});
  for (auto& privilege : render::tmpfiles_privileges(text)) {
    privileges.push_back(std::move(privilege));
  }
  for (const auto& privilege : privileges) {
    fuzz::require(fuzz::is_showable(privilege.message), "a privilege is fit to be shown", privilege.message);
  }
  const auto line = render::tmpfiles_path(text);
  fuzz::require(line.find('\n') == std::string::npos, "a path stays in its line", line);
  return 0;
}
