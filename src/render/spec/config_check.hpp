// The shape of a config.json and the rules of berth's own.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/json.hpp"

namespace berth::render {

/// Refuses keys that differ from one of the specification by the case of letters only: runc, as all that is written in
/// Go, takes `Hooks` for `hooks`, and what is shown would not be what is run. @throws Error(verification) naming it
void check_keys(const base::Json& document, std::string_view file);

/// Checks the types of what berth reads or converts (OCI runtime-spec 1.0.2, old forms included), so that later
/// steps need not ask. Null counts as absent. @throws Error(verification) naming file and key
void check_shape(const base::Json& document, std::string_view file);

/// Checks a converted document: root read-only and at `rootfs`, something to run, a working directory.
/// @param remote whether the root file system is elsewhere (--rootfs)
/// @param writable whether it may be written: nobody else has its files
/// @throws Error(verification)
void check_config(const base::Json& document, std::string_view file, bool remote, bool writable = false);

/// Why a service cannot be run with a configuration: its process wants a terminal, and the unit gives it none
/// (StandardInput= in systemd.exec(5)). @param document with a process @param unit rendered
/// @return an Error(verification) to be thrown or shown
std::optional<base::Error> service_refusal(const base::Json& document, std::string_view file, std::string_view unit);

}  // namespace berth::render
