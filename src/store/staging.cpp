#include "store/staging.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <ctime>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::string_view staging_prefix = "staging-";
constexpr std::string_view own_prefix = "staging-berth-";
constexpr std::string_view lock_suffix = "-lock";

/// The lock that libostree holds beside a staging folder in use; empty when somebody holds it.
base::Fd try_lock(int folder, const std::string& lock_name) {
  base::Fd lock = base::open_at(folder, lock_name, O_CREAT | O_RDWR, 0600);
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock.get(), F_OFD_SETLK, &whole) != 0) {
    return {};
  }
  struct stat status {};
  base::check_errno(::fstat(lock.get(), &status), "look at " + lock_name);
  // Its last owner removed it between our open and our lock: the folder is gone as well, or somebody else's.
  return status.st_nlink == 0 ? base::Fd() : std::move(lock);
}

bool is_young(int temporary, const std::string& folder, std::chrono::seconds age) {
  const auto status = base::stat_at(temporary, folder);
  return status && std::time(nullptr) - status->st_mtime < age.count();
}

}  // namespace

void remove_stale_staging(int repository, std::chrono::seconds least_age) {
  const auto temporary = base::open_folder_at(repository, "tmp");
  for (const auto& name : base::list_folder(temporary.get())) {
    if (!name.starts_with(staging_prefix)) {
      continue;
    }
    const bool is_lock = name.ends_with(lock_suffix);
    const auto folder = is_lock ? name.substr(0, name.size() - lock_suffix.size()) : name;
    const auto lock_name = folder + std::string(lock_suffix);
    if (!folder.starts_with(own_prefix) && is_young(temporary.get(), folder, least_age)) {
      continue;
    }
    if (const auto lock = try_lock(temporary.get(), lock_name)) {
      base::remove_tree_at(temporary.get(), folder);
      base::unlink_at(temporary.get(), lock_name);
    }
  }
}

}  // namespace berth::store
