// SPDX-License-Identifier: LGPL-2.1-or-later
// Descriptions of failed jobs.
#pragma once

#include <string>

#include "host/systemd/unit_properties.hpp"

namespace berth::host {

enum class JobKind { start, stop };

/// A phrase to follow "web.service did not start: ": "exited with status 3", "did not start within its
/// TimeoutStartSec (90 s)".
/// @param result as in the JobRemoved signal (org.freedesktop.systemd1(5)); "done" gives "started" or
/// "stopped"
std::string describe_job_failure(JobKind kind, const std::string& result, const UnitProperties& unit);

/// "was killed by signal 9 (SIGKILL)", "exited with status 3", "exited with status 203 (EXEC: the program could not be
/// run)".
std::string describe_exit(std::int32_t code, std::int32_t status);

}  // namespace berth::host
