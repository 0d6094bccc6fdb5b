// SPDX-License-Identifier: LGPL-2.1-or-later
// The structure of a config.json, and berth's own requirements.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/json_fwd.hpp"

namespace berth::render {

/// Checks the types of the members that berth reads or converts (OCI runtime-spec 1.0.2, old forms included), so that
/// later steps can rely on them. Null counts as absent. @throws Error(verification) naming file and key
void check_shape(const base::Json& document, std::string_view file);

/// Checks a converted document: a read-only root at `rootfs`, a command, a working directory.
/// @param remote whether the root file system is elsewhere (--rootfs)
/// @param writable whether it may be writable, because its files are not shared
/// @throws Error(verification)
void check_config(const base::Json& document, std::string_view file, bool remote, bool writable = false);

/// The reason why a service cannot run with a configuration: its process requires a terminal that the unit does not
/// provide (StandardInput= in systemd.exec(5)). @param document with a process @param unit rendered
/// @return an Error(verification) to throw or show; nullopt without a reason
std::optional<base::Error> service_refusal(const base::Json& document, std::string_view file, std::string_view unit);

}  // namespace berth::render
