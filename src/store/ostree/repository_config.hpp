// The file `config` of a repository, as far as it concerns us.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "store/ostree/options.hpp"

namespace berth::store {

/// See ostree.repo-config(5), section [core]; what is absent there has the value that libostree gives it.
struct RepositoryConfig {
  RepositoryMode mode = RepositoryMode::bare;
  bool sync = true;                        ///< `fsync`
  bool locking = true;                     ///< `locking`
  std::chrono::seconds lock_timeout{300};  ///< `lock-timeout-secs`
  std::uint64_t free_bytes = 0;            ///< `min-free-space-size`; counts before the percentage
  unsigned free_percent = 3;               ///< `min-free-space-percent`

  /// Bytes that are to stay free on the file system of `directory`.
  [[nodiscard]] std::uint64_t reserve(int directory) const;
};

/// Bytes of the file `config`; a longer one is refused.
inline constexpr std::uint64_t repository_config_limit = std::uint64_t{64} << 10U;

/// The mode as the configuration has it.
[[nodiscard]] std::string_view name_of(RepositoryMode mode);

/// What to throw about a file `config` that no program can have written so. @param path of the repository
[[nodiscard]] base::Error damaged_config(const std::string& path, std::string_view reason);

/// @param path for messages
/// @throws Error(verification) for text that is no such configuration, Error(failed) for a value or version that is not
///   known here, Error(conflict) when the repository is of another mode than `wanted`
RepositoryConfig parse_repository_config(const std::string& text, RepositoryMode wanted, const std::string& path);

}  // namespace berth::store
