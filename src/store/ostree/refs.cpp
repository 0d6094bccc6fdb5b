// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/refs.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t size_limit = 256;  // bytes; a checksum has 64 digits
constexpr std::size_t depth_limit = 64;

/// The file of a branch, or a directory of branches; an empty descriptor when it does not exist. O_NONBLOCK, since it
/// could be a fifo.
/// @throws Error(verification) for a dangling link
base::Fd open_ref(int directory, const std::string& path) {
  base::Fd file(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file) {
    return file;
  }
  const int code = errno;
  if (code == ELOOP || code == ENXIO || (code == ENOENT && base::stat_at(directory, path))) {
    throw base::Error(base::ErrorKind::verification, "it does not lead to a file");
  }
  if (code != ENOENT && code != ENOTDIR) {
    base::throw_errno("read " + base::full_path(directory, path), code);
  }
  return file;
}

struct stat status_of(const base::Fd& file, const std::string& name) {
  struct stat status {};
  base::check_errno(::fstat(file.get(), &status), "examine " + name);
  return status;
}

/// @throws Error(verification) for text that is not a ref
Checksum read_ref(const base::Fd& file, const std::string& name) {
  if (!S_ISREG(status_of(file, name).st_mode)) {
    throw base::Error(base::ErrorKind::verification, "it is not a file");
  }
  auto text = base::read_all(file.get(), size_limit, "it");
  text.erase(text.find_last_not_of(" \n") + 1);
  return Checksum::from_hex(text);
}

/// Walks through directories of refs.
class Search {
 public:
  /// @param place the directory below the repository, @param prefix of the names
  Search(int repository, std::string place, std::string prefix)
      : repository_(repository), place_(std::move(place)), prefix_(std::move(prefix)) {}

  /// Adds the refs in `directory` and below. Names that begin with a dot are temporary files.
  void add_all(const base::Fd& directory, const std::string& path, std::size_t depth) {
    for (const auto& name : base::list_directory(directory.get())) {
      if (name.starts_with('.')) {
        continue;
      }
      const auto inner = path.empty() ? name : fmt::format("{}/{}", path, name);
      try {
        add(directory.get(), name, inner, depth);
      } catch (const base::Error& error) {
        if (error.kind() != base::ErrorKind::verification) {
          throw;
        }
        found.damaged.push_back({prefix_ + inner, base::full_path(repository_, place_ + inner), error.message()});
      }
    }
  }

  RefListing found;

 private:
  void add(int directory, const std::string& name, const std::string& inner, std::size_t depth) {
    const auto file = open_ref(directory, name);
    if (!file) {
      return;  // removed meanwhile
    }
    if (!S_ISDIR(status_of(file, inner).st_mode)) {
      found.sound.push_back({prefix_ + inner, read_ref(file, inner)});
    } else if (depth == depth_limit || base::read_link_at(directory, name)) {
      throw base::Error(base::ErrorKind::verification, "it is nested too deep, or is a link to a directory");
    } else {
      add_all(file, inner, depth + 1);
    }
  }

  int repository_;
  std::string place_;
  std::string prefix_;
};

RefListing search(int repository, const std::string& place, const std::string& prefix) {
  Search search(repository, place + "/", prefix);
  if (const auto directory = open_ref(repository, place)) {
    search.add_all(directory, "", 0);
  }
  return std::move(search.found);
}

void add(RefListing& all, RefListing some) {
  std::move(some.sound.begin(), some.sound.end(), std::back_inserter(all.sound));
  std::move(some.damaged.begin(), some.damaged.end(), std::back_inserter(all.damaged));
}

/// `REMOTE/REF` → `REMOTE:REF`
std::string with_remote(std::string name) {
  if (const auto slash = name.find('/'); slash != std::string::npos) {
    name[slash] = ':';
  }
  return name;
}

RefListing sorted(RefListing listing) {
  const auto by_name = [](const auto& one, const auto& other) { return one.name < other.name; };
  std::sort(listing.sound.begin(), listing.sound.end(), by_name);
  std::sort(listing.damaged.begin(), listing.damaged.end(), by_name);
  return listing;
}

}  // namespace

std::string describe_damage(const DamagedBranch& branch) {
  return fmt::format("the branch {} is damaged: {}: {}", branch.name, branch.path, branch.reason);
}

std::string layer_branch(const std::string& hex) {
  return branch_prefix + hex;
}

std::string image_branch(const image::ImageName& name) {
  return branch_prefix + name.encoded();
}

bool is_layer_branch(const std::string& branch) {
  const auto name = std::string_view(branch).substr(std::string_view(branch_prefix).size());
  constexpr std::size_t sha256_digits = 64;
  constexpr std::size_t sha512_digits = 128;
  return (name.size() == sha256_digits || name.size() == sha512_digits) &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string branch_path(const std::string& branch) {
  return "refs/heads/" + branch;
}

std::optional<Checksum> read_branch(int repository, const std::string& branch) {
  try {
    const auto file = open_ref(repository, branch_path(branch));
    return file ? std::optional(read_ref(file, branch)) : std::nullopt;
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::verification) {
      throw;
    }
    const auto path = base::full_path(repository, branch_path(branch));
    throw base::Error(error.kind(), describe_damage({branch, path, error.message()}), branch_hint);
  }
}

RefListing list_branches(int repository, const std::string& prefix) {
  return sorted(search(repository, branch_path(prefix), prefix + "/"));
}

RefListing list_refs(int repository) {
  auto all = search(repository, "refs/heads", "");
  auto remotes = search(repository, "refs/remotes", "");
  for (auto& ref : remotes.sound) {
    ref.name = with_remote(std::move(ref.name));
  }
  add(all, std::move(remotes));
  add(all, search(repository, "refs/mirrors", "refs/mirrors/"));
  return sorted(std::move(all));
}

}  // namespace berth::store
