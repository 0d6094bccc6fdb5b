#include "ops/workplace.hpp"

#include <fcntl.h>

#include <cstdlib>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

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

Workplace::~Workplace() {
  try {
    base::remove_tree_at(AT_FDCWD, path_);
  } catch (const std::exception& error) {
    reporter_.warning(error.what());
  }
}

}  // namespace berth::ops
