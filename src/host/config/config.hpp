// SPDX-License-Identifier: LGPL-2.1-or-later
// /etc/berth/berth.conf and its drop-ins (berth.conf(5)).
#pragma once

#include <string>
#include <vector>

#include "base/reporter.hpp"

namespace berth::host {

struct RegistryConfig {
  std::string location;
  bool insecure = false;
  std::string ca_file;
};

/// Settings as read; every member's key and default are in berth.conf(5).
struct Config {
  std::string deployments;                               ///< [paths] deployments
  std::string repository;                                ///< [paths] repository
  std::string authfile;                                  ///< [pull] authfile
  unsigned parallel_layers = 2;                          ///< [pull] parallel-layers, 1 to 16
  bool libostree_writes = false;                         ///< [pull] writer = "libostree"
  bool gentle = false;                                   ///< [pull] durability = "gentle"
  int retries = 3;                                       ///< [pull] retries, 0 to 20
  unsigned connect_timeout_seconds = 15;                 ///< [pull] connect-timeout
  std::vector<std::string> runtimes = {"runc", "crun"};  ///< [runtime] candidates: the first that exists is used
  unsigned lock_timeout_seconds = 30;                    ///< [locks] timeout
  unsigned settle_seconds = 5;                           ///< [update] settle
  unsigned start_timeout_seconds = 0;                    ///< [systemd] job-timeout; 0: the unit's own
  std::vector<RegistryConfig> registries;                ///< [[registry]]
};

/// Reads ROOT/etc/berth/berth.conf and then berth.conf.d/*.conf of /usr/lib/berth, /etc/berth in the order of their
/// file names (a name in /etc hides the same name in /usr/lib; later settings win). A missing file is no error.
/// In user mode berth.conf of `own_directory` comes last, and [paths] and authfile of the system's files, which are
/// root's, are ignored. TOML 1.0. An unknown key causes a warning.
/// @param file read instead of these files when not empty; must exist
/// @throws Error(usage) naming file, line, key and the allowed values; Error(not_found) for a missing `file`
Config read_config(const std::string& root, const std::string& file, base::Reporter& reporter,
                   const std::string& own_directory = "");

}  // namespace berth::host
