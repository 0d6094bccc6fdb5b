// Unit and tmpfiles.d texts of a deployment.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"

namespace berth::render {

/// Adds to a rendered unit what keeps a killed runtime from leaving a container behind, unless the unit says it itself:
/// `Delegate=yes` and `ExecStopPost=-RUNTIME delete --force 'NAME'` at the end of [Service], and the same command as
/// the first `ExecStartPre=`, for what is left when the last stop was cut short. An `ExecStop=` that is
/// `RUNTIME kill 'NAME'` gets the prefix `-`, for it fails when the payload has ended by itself, and a good end would
/// count as a failure. Everything else stays byte for byte.
/// @throws Error(verification) when there is no [Service] section
std::string complete_unit(std::string_view unit, const std::string& runtime, const std::string& name);

/// Adds one line at the end of [Service]; everything else stays byte for byte.
/// @param unit with a [Service] section @param line without line break
std::string with_service_line(std::string_view unit, std::string_view line);

/// Adds what puts copies of /etc/resolv.conf and /etc/hosts into `directory` at each start: as they are then, and empty
/// where the host has none, so that their absence at an install or a start keeps no container down.
/// @param unit with a [Service] section @param directory the last component of it is a RuntimeDirectory= of the unit
std::string with_resolver_copies(std::string_view unit, const std::string& directory);

/// Whether programs of the unit may report to systemd (sd_notify(3)): Type=notify, or a NotifyAccess= other than none.
bool unit_notifies(std::string_view unit);

/// Value of `Slice=` in [Service]; `fallback` when absent.
std::string unit_slice(std::string_view unit, const std::string& fallback = "system.slice");

/// linux.cgroupsPath for a unit: `/SLICE-PATH/NAME.service/payload`; nested slices expand (`a-b.slice` →
/// `/a.slice/a-b.slice`).
std::string cgroups_path(std::string_view slice, const std::string& name);

/// linux.cgroupsPath for runtimes that take a relative one as a sibling of the cgroup they are started in (runc):
/// `NAME.service/payload`, which is inside the unit in whatever slice it is.
std::string relative_cgroups_path(const std::string& name);

/// A path as tmpfiles.d(5) lines want it: `%` doubled, quoted and escaped when it holds blanks, quotes or control
/// bytes.
std::string tmpfiles_path(std::string_view path);

/// tmpfiles.d lines for bind sources that are missing on the host: `d PATH 0700 UID GID - -`.
/// Left out: sources that are not absolute or hold `..`, all below /dev, /proc and /sys (the kernel's),
/// /etc/resolv.conf and /etc/hosts (a directory of that name would break the host).
/// @param exists whether a host path exists
std::string default_tmpfiles(const std::vector<std::string>& sources, unsigned uid, unsigned gid,
                             const std::function<bool(const std::string&)>& exists);

/// Paths that tmpfiles.d(5) lines create, in their order. Lines with specifiers or patterns are passed over.
std::vector<std::string> created_tmpfiles_paths(std::string_view lines);

/// As created_tmpfiles_paths, as far as they do not exist yet, missing parents included, outermost first.
std::vector<std::string> missing_tmpfiles_paths(std::string_view lines,
                                                const std::function<bool(const std::string&)>& exists);

}  // namespace berth::render
