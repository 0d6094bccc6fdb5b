// SPDX-License-Identifier: LGPL-2.1-or-later
// The unit of a container: the settings that berth adds, and the values that it reads.
#pragma once

#include <string>
#include <string_view>

namespace berth::render {

/// Adds the settings that keep a killed runtime from leaving a container behind, unless the rendered unit has them:
/// `Delegate=yes` and `ExecStopPost=-RUNTIME delete --force 'NAME'` at the end of [Service], and the same command as
/// the first `ExecStartPre=`, in case the last stop was interrupted. An `ExecStop=` that is `RUNTIME kill 'NAME'` gets
/// the prefix `-`: it fails when the payload has already ended, and systemd would record a clean exit as a failure.
/// Everything else stays byte for byte.
/// @throws Error(verification) when there is no [Service] section
std::string complete_unit(std::string_view unit, const std::string& runtime, const std::string& name);

/// Adds one line at the end of [Service]; everything else stays byte for byte.
/// @param unit with a [Service] section @param line without line break
std::string with_service_line(std::string_view unit, std::string_view line);

/// Adds commands that copy /etc/resolv.conf and /etc/hosts into `directory` at each start. A file that the host lacks
/// becomes an empty one, so that its absence does not keep the container from starting.
/// @param unit with a [Service] section @param directory the last component of it is a RuntimeDirectory= of the unit
std::string with_resolver_copies(std::string_view unit, const std::string& directory);

/// Whether the unit accepts sd_notify(3) messages: Type=notify, or a NotifyAccess= other than none.
bool unit_notifies(std::string_view unit);

/// Value of `Slice=` in [Service]; `fallback` when absent.
std::string unit_slice(std::string_view unit, const std::string& fallback = "system.slice");

/// linux.cgroupsPath for a unit: `/SLICE-PATH/NAME.service/payload`; nested slices expand (`a-b.slice` →
/// `/a.slice/a-b.slice`).
std::string cgroups_path(std::string_view slice, const std::string& name);

/// linux.cgroupsPath for runtimes that resolve a relative path against the parent of their own cgroup (runc):
/// `NAME.service/payload`, which is inside the unit whatever its slice.
std::string relative_cgroups_path(const std::string& name);

}  // namespace berth::render
