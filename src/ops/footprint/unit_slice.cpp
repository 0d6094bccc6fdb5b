// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/unit_slice.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "render/spec/config_text.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* file_name = "config.json";

/// @return linux.cgroupsPath; empty when it is not set or not a string
std::string cgroups_path_of(const std::string& text) {
  const auto document = base::parse_json(text, file_name);
  const auto section = document.find("linux");
  if (section == document.end() || !section->is_object()) {
    return "";
  }
  const auto path = section->find("cgroupsPath");
  return path != section->end() && path->is_string() ? path->get<std::string>() : "";
}

/// Whether `path` is one that berth chooses for the unit, in any slice.
bool is_chosen(const Context& context, const std::string& name, const std::string& path) {
  const auto above = context.layout.systemd_cgroup();
  const auto unit = "/" + render::relative_cgroups_path(name);
  if (!path.starts_with(above) || !path.ends_with(unit) || path.size() < above.size() + unit.size()) {
    return false;
  }
  const auto slices = path.substr(above.size(), path.size() - above.size() - unit.size());
  const auto slice = slices.empty() ? "-.slice" : slices.substr(slices.rfind('/') + 1);
  return path == above + render::cgroups_path(slice, name);
}

/// @throws Error when config.json cannot be written
void write_path(Context& context, const std::string& name, int directory, const std::string& slice) {
  const auto text = base::read_file_at(directory, file_name, host::deployment_text_limit);
  const auto now = text ? cgroups_path_of(*text) : "";
  const auto wanted = context.layout.systemd_cgroup() + render::cgroups_path(slice, name);
  if (now == wanted || !is_chosen(context, name, now)) {
    return;
  }
  const auto changed = render::replace_cgroups_path(*text, wanted);
  if (!changed || cgroups_path_of(*changed) != wanted) {
    throw Error(ErrorKind::failed, fmt::format("linux.cgroupsPath of {} cannot be changed", file_name));
  }
  base::replace_file_at(directory, file_name, *changed, base::stat_at(directory, file_name)->st_mode & 07777U);
  context.reporter.step(fmt::format("{} is in {}; its payload will start there, too", host::unit_name(name), slice));
}

}  // namespace

void follow_slice(Context& context, const std::string& name, const std::string& directory) {
  if (context.layout.offline()) {
    return;
  }
  const auto slice = context.systemd.state(host::unit_name(name)).slice;
  if (!slice.ends_with(".slice")) {
    return;  // systemd has not read the unit
  }
  try {
    write_path(context, name, base::open_host_directory(directory).get(), slice);
  } catch (const Error& error) {
    context.reporter.warning(fmt::format(
        "{0} is in {1}, but its payload will run in a control group outside it, where the limits of the unit and the "
        "slice do not apply: {2}; remove Slice= from the unit's drop-ins, or install the container with --runtime=runc",
        host::unit_name(name), slice, error.what()));
  }
}

}  // namespace berth::ops
