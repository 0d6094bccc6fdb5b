// SPDX-License-Identifier: LGPL-2.1-or-later
// Options of image sources.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/reporter.hpp"

namespace berth::source {

/// The settings of one registry in berth.conf ([[registry]]).
struct RegistrySettings {
  std::string location;   ///< host[:port]
  bool insecure = false;  ///< plain http allowed, and https without certificate check
  std::string ca_file;    ///< PEM; empty: the system's
};

struct SourceOptions {
  std::string authfile;  ///< --authfile; empty: the default files of containers-auth.json(5)
  std::string login;     ///< USER[:PASSWORD] for the registry, which overrides the auth files; empty: none
  std::vector<RegistrySettings> registries;
  int retries = 3;                             ///< further tries after a transient failure
  std::chrono::milliseconds retry_delay{500};  ///< doubled each time, with jitter
  std::chrono::seconds connect_timeout{15};
  std::chrono::seconds stall_timeout{60};  ///< less than 1000 bytes/s for so long is a failure
  std::string user_agent;
  std::stop_token stop;
  base::Reporter* reporter = nullptr;  ///< not owned; required
};

}  // namespace berth::source
