// SPDX-License-Identifier: LGPL-2.1-or-later
// A temporary directory, removed on destruction.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/reporter.hpp"

namespace berth::ops {

/// Directory for temporary files that may be large: $TMPDIR, or /var/tmp.
std::string temporary_files();

/// A new directory of mode 0700, removed with its content.
class TempDirectory {
 public:
  /// @param reporter receives a warning when it cannot be removed @throws Error
  TempDirectory(const std::string& parent, base::Reporter& reporter);
  /// Creates the directory on the file system of a repository, named and locked as a staging directory there, so that
  /// it is removed with those when the process is killed.
  struct InRepository {
    std::string path;  ///< of the repository
  };
  TempDirectory(const InRepository& repository, base::Reporter& reporter);
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  ~TempDirectory();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int directory() const noexcept { return directory_.get(); }

 private:
  base::Reporter& reporter_;
  base::Fd lock_;  ///< in a repository
  std::string path_;
  base::Fd directory_;
};

}  // namespace berth::ops
