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
  const char* folder = std::getenv("TMPDIR");
  return folder == nullptr || *folder != '/' ? "/var/tmp" : folder;
}

Workplace::Workplace(const std::string& parent, base::Reporter& reporter) : reporter_(reporter) {
  std::string pattern = parent + "/berth-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    base::throw_errno("create a folder in " + parent);
  }
  path_ = std::move(pattern);
  folder_ = base::open_host_folder(path_);
}

Workplace::Workplace(const InRepository& repository, base::Reporter& reporter) : reporter_(reporter) {
  std::uint64_t number = 0;
  base::check_errno(static_cast<int>(::getrandom(&number, sizeof number, 0)), "get random bytes");
  const auto name = fmt::format("{}work-{:x}", store::own_staging_prefix, number);
  const auto parent = base::open_host_folder(repository.path + "/tmp");
  lock_ = store::lock_staging(parent.get(), name);
  path_ = fmt::format("{}/tmp/{}", repository.path, name);
  base::check_errno(::mkdirat(parent.get(), name.c_str(), 0700), "create " + path_);
  folder_ = base::open_folder_at(parent.get(), name);
}

Workplace::~Workplace() {
  try {
    base::remove_tree_at(AT_FDCWD, path_);
    if (lock_) {
      base::unlink_at(AT_FDCWD, path_ + "-lock");
    }
  } catch (const std::exception& error) {
    reporter_.warning(error.what());
  }
}

}  // namespace berth::ops
