// SPDX-License-Identifier: LGPL-2.1-or-later
// The configuration file of `atomic` (YAML).
#pragma once

#include <functional>
#include <string>

namespace berth::host {

inline constexpr const char* atomic_deployments = "/var/lib/containers/atomic";  ///< its default for checkout_path

/// The settings that berth uses; empty when not set.
struct AtomicSettings {
  std::string deployments;  ///< $ATOMIC_OSTREE_CHECKOUT_PATH, checkout_path
  std::string repository;   ///< $ATOMIC_OSTREE_REPO, ostree_repository
  std::string runtime;      ///< runtime
  std::string storage;      ///< default_storage
};

/// Reads the environment, which has precedence, and $ATOMIC_CONF or else ROOT/etc/atomic.conf. A file that does not
/// exist sets nothing.
/// @param variable returns the value of an environment variable, or an empty string
/// @throws Error(usage) naming the file and the key
AtomicSettings read_atomic_settings(const std::string& root, const std::function<std::string(const char*)>& variable);

}  // namespace berth::host
