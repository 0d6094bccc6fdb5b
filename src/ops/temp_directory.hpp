// A directory for one command, for what is gone with it.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/reporter.hpp"

namespace berth::ops {

/// Where temporary files go that may be large: TMPDIR, or else /var/tmp.
std::string temporary_files();

/// A new directory that only its owner may enter; removed with all that is in it.
class TempDirectory {
 public:
  /// @param reporter hears what keeps it from being removed @throws Error
  TempDirectory(const std::string& parent, base::Reporter& reporter);
  /// One on the file system of the objects of a repository. Its name and lock are those of a staging directory there,
  /// so that it is removed with those when we are killed.
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
