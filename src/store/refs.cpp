#include "store/refs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t size_limit = 256;  // bytes; a checksum has 64 digits

/// A branch's file or a folder of branches; nothing when it is not there.
base::Fd open_ref(int folder, const std::string& path) {
  base::Fd file(::openat(folder, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno != ENOENT && errno != ENOTDIR) {
    base::throw_errno("read the branch " + path);
  }
  return file;
}

Checksum read_ref(const base::Fd& file, const std::string& branch) {
  auto text = base::read_all(file.get(), size_limit, branch);
  text.erase(text.find_last_not_of(" \n") + 1);
  return Checksum::from_hex(text);
}

/// Adds the branches in `folder` and below. A name that begins with a dot is none: somebody is writing it.
void add_branches(const base::Fd& folder, const std::string& prefix, std::vector<Branch>& branches) {
  for (const auto& name : base::list_folder(folder.get())) {
    const auto file = name.starts_with('.') ? base::Fd() : open_ref(folder.get(), name);
    if (!file) {
      continue;
    }
    const auto branch = fmt::format("{}/{}", prefix, name);
    struct stat status {};
    base::check_errno(::fstat(file.get(), &status), "look at a branch");
    if (S_ISDIR(status.st_mode)) {
      add_branches(file, branch, branches);
    } else {
      branches.push_back({branch, read_ref(file, branch)});
    }
  }
}

}  // namespace

std::string branch_path(const std::string& branch) {
  return "refs/heads/" + branch;
}

std::optional<Checksum> read_branch(int repository, const std::string& branch) {
  const auto file = open_ref(repository, branch_path(branch));
  return file ? std::optional(read_ref(file, branch)) : std::nullopt;
}

std::vector<Branch> list_branches(int repository, const std::string& prefix) {
  std::vector<Branch> branches;
  if (const auto folder = open_ref(repository, branch_path(prefix))) {
    add_branches(folder, prefix, branches);
  }
  std::sort(branches.begin(), branches.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return branches;
}

}  // namespace berth::store
