// What the older tool, `atomic`, was told: its configuration file (YAML).
#pragma once

#include <string>

namespace berth::host {

inline constexpr const char* older_deployments = "/var/lib/containers/atomic";  ///< where it installs by default

/// The keys that matter here; empty: not set.
struct AtomicSettings {
  std::string deployments;  ///< checkout_path
  std::string repository;   ///< ostree_repository
  std::string runtime;      ///< runtime
  std::string storage;      ///< default_storage
};

/// Reads `file`, or ROOT/etc/atomic.conf when it is empty; one that does not exist sets nothing.
/// @throws Error(usage) naming the file and what is wrong
AtomicSettings read_atomic_settings(const std::string& root, const std::string& file);

}  // namespace berth::host
