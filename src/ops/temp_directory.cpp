// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/temp_directory.hpp"
#include "ops/deployments_directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cstdint>
#include <cstdlib>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/ostree/staging.hpp"

namespace berth::ops {

std::string temporary_files() {
  const char* directory = std::getenv("TMPDIR");
  return directory == nullptr || *directory != '/' ? "/var/tmp" : directory;
}

TempDirectory::TempDirectory(const std::string& parent, base::Reporter& reporter) : reporter_(reporter) {
  std::string pattern = parent + "/berth-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    base::throw_errno("create a directory in " + parent);
  }
  path_ = std::move(pattern);
  directory_ = base::open_host_directory(path_);
}

TempDirectory::TempDirectory(const InRepository& repository, base::Reporter& reporter) : reporter_(reporter) {
  std::uint64_t number = 0;
  base::check_errno(static_cast<int>(::getrandom(&number, sizeof number, 0)), "get random bytes");
  const auto name = fmt::format("{}work-{:x}", store::own_staging_prefix, number);
  const auto parent = base::open_host_directory(repository.path + "/tmp");
  lock_ = store::lock_staging(parent.get(), name);
  path_ = fmt::format("{}/tmp/{}", repository.path, name);
  base::check_errno(::mkdirat(parent.get(), name.c_str(), 0700), "create " + path_);
  directory_ = base::open_directory_at(parent.get(), name);
}

TempDirectory::~TempDirectory() {
  try {
    base::remove_tree_at(AT_FDCWD, path_);
    if (lock_) {
      base::unlink_at(AT_FDCWD, path_ + "-lock");
    }
  } catch (...) {
    reporter_.warning(base::current_message());
  }
}

}  // namespace berth::ops
