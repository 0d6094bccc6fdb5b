// The configuration file of `atomic` (YAML).
#pragma once

#include <string>

namespace berth::host {

inline constexpr const char* older_deployments = "/var/lib/containers/atomic";  ///< its default for checkout_path

/// The keys that berth uses; empty when not set.
struct AtomicSettings {
  std::string deployments;  ///< checkout_path
  std::string repository;   ///< ostree_repository
  std::string runtime;      ///< runtime
  std::string storage;      ///< default_storage
};

/// Reads `file`, or ROOT/etc/atomic.conf when `file` is empty. A file that does not exist sets nothing.
/// @throws Error(usage) naming the file and the key
AtomicSettings read_atomic_settings(const std::string& root, const std::string& file);

}  // namespace berth::host
