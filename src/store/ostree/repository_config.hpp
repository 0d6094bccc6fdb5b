// SPDX-License-Identifier: LGPL-2.1-or-later
// The part of the file `config` of a repository that berth uses.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "store/ostree/options.hpp"

namespace berth::store {

/// See ostree.repo-config(5), section [core]; absent settings have libostree's defaults.
struct RepositoryConfig {
  RepositoryMode mode = RepositoryMode::bare;
  bool sync = true;                        ///< `fsync`
  bool locking = true;                     ///< `locking`
  std::chrono::seconds lock_timeout{300};  ///< `lock-timeout-secs`
  std::uint64_t free_bytes = 0;            ///< `min-free-space-size`; counts before the percentage
  unsigned free_percent = 3;               ///< `min-free-space-percent`

  /// Bytes that must stay free on the file system of `directory`.
  [[nodiscard]] std::uint64_t reserve(int directory) const;
};

/// Most bytes of the file `config`.
inline constexpr std::uint64_t repository_config_limit = std::uint64_t{64} << 10U;

/// The value of `mode` in the configuration.
[[nodiscard]] std::string_view name_of(RepositoryMode mode);

/// The error for a damaged file `config`. @param path of the repository
[[nodiscard]] base::Error damaged_config(const std::string& path, std::string_view reason);

/// @param path for messages
/// @throws Error(verification) for text that is not such a configuration, Error(failed) for an unknown value or
///   version, Error(conflict) when the repository has another mode than `wanted`
RepositoryConfig parse_repository_config(const std::string& text, RepositoryMode wanted, const std::string& path);

}  // namespace berth::store
