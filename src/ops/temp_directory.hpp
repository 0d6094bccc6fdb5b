// A folder for one command, for what is gone with it.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/reporter.hpp"

namespace berth::ops {

/// Where temporary files go that may be large: TMPDIR, or else /var/tmp.
std::string temporary_files();

/// A new folder that only its owner may enter; removed with all that is in it.
class Workplace {
 public:
  /// @param reporter hears what keeps it from being removed @throws Error
  Workplace(const std::string& parent, base::Reporter& reporter);
  /// One on the file system of the objects of a repository. Its name and lock are those of a staging folder there, so
  /// that it is removed with those when we are killed.
  struct InRepository {
    std::string path;  ///< of the repository
  };
  Workplace(const InRepository& repository, base::Reporter& reporter);
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] int folder() const noexcept { return folder_.get(); }

 private:
  base::Reporter& reporter_;
  base::Fd lock_;  ///< in a repository
  std::string path_;
  base::Fd folder_;
};

}  // namespace berth::ops
