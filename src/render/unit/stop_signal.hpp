// SPDX-License-Identifier: LGPL-2.1-or-later
// The stop signal of an image configuration, as systemd and the runtime write it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace berth::render {

/// One signal.
struct StopSignal {
  int number = 0;           ///< signal(7); real-time signals as glibc counts them, from 34
  std::string for_systemd;  ///< KillSignal= of systemd.kill(5): `SIGTERM`, `SIGRTMIN+3`
  std::string for_runtime;  ///< `RUNTIME kill NAME SIGNAL`: a name, or the number of a real-time signal, since
                            ///< runc does not know their names
};

/// Parses StopSignal of an image configuration (OCI image-spec 1.1, config.md) as engines do: a name in either case,
/// with or without `SIG`, `RTMIN+N`, `RTMAX-N`, or a number.
/// @throws Error(verification) when it is not a signal
StopSignal parse_stop_signal(std::string_view text);

/// Settings for [Service]: systemd sends the signal to processes that remain after `ExecStop=`, and treats a payload
/// that the signal kills, or that exits with 128 plus its number as shells and Java do, as stopped cleanly.
std::vector<std::string> unit_lines(const StopSignal& signal);

}  // namespace berth::render
