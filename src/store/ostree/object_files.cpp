// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/object_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/file.hpp"

namespace berth::store {
namespace {

constexpr std::uint64_t block_size = 512;  // bytes in the unit of st_blocks, stat(2)
constexpr std::size_t directory_digits = 2;
constexpr std::size_t checksum_digits = 64;

constexpr std::array<std::pair<const char*, OstreeObjectType>, 5> type_names = {{
    {"file", OSTREE_OBJECT_TYPE_FILE},
    {"dirtree", OSTREE_OBJECT_TYPE_DIR_TREE},
    {"dirmeta", OSTREE_OBJECT_TYPE_DIR_META},
    {"commit", OSTREE_OBJECT_TYPE_COMMIT},
    {"commitmeta", OSTREE_OBJECT_TYPE_COMMIT_META},
}};

std::optional<ObjectName> parse_name(const std::string& directory, const std::string& file) {
  const auto dot = file.find('.');
  const auto hex = directory + file.substr(0, dot);
  if (dot == std::string::npos || hex.size() != checksum_digits ||
      hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return std::nullopt;
  }
  for (const auto& [word, type] : type_names) {
    if (file.substr(dot + 1) == word) {
      return ObjectName{type, Checksum::from_hex(hex)};
    }
  }
  return std::nullopt;
}

using NameVisitor = std::function<void(const base::Fd& directory, const std::string& file, const ObjectName& name)>;

void visit_names(int repository, const NameVisitor& visit) {
  const auto objects = base::open_directory_at(repository, "objects");
  for (const auto& directory : base::list_directory(objects.get())) {
    const auto status = directory.size() == directory_digits ? base::stat_at(objects.get(), directory) : std::nullopt;
    if (!status || !S_ISDIR(status->st_mode)) {
      continue;
    }
    const auto opened = base::open_directory_at(objects.get(), directory);
    for (const auto& file : base::list_directory(opened.get())) {
      if (const auto name = parse_name(directory, file)) {
        visit(opened, file, *name);
      }
    }
  }
}

}  // namespace

const char* type_name(OstreeObjectType type) {
  const auto* found =
      std::find_if(type_names.begin(), type_names.end(), [type](const auto& entry) { return entry.second == type; });
  return found == type_names.end() ? "object" : found->first;
}

std::string path_in_objects(const ObjectName& name) {
  auto path = name.checksum.hex();
  path.insert(directory_digits, 1, '/');
  path += '.';
  path += type_name(name.type);
  return path;
}

std::string object_path(const ObjectName& name) {
  return "objects/" + path_in_objects(name);
}

void visit_object_files(int repository, const std::function<void(const ObjectFile&)>& visit) {
  visit_names(repository, [&visit](const base::Fd& directory, const std::string& file, const ObjectName& name) {
    if (const auto status = base::stat_at(directory.get(), file)) {
      visit({name, static_cast<std::uint64_t>(status->st_blocks) * block_size, status->st_dev, status->st_ino,
             status->st_nlink});
    }
  });
}

std::vector<Checksum> stored_commits(int repository) {
  std::vector<Checksum> commits;
  visit_names(repository, [&commits](const base::Fd&, const std::string&, const ObjectName& name) {
    if (name.type == OSTREE_OBJECT_TYPE_COMMIT) {
      commits.push_back(name.checksum);
    }
  });
  return commits;
}

}  // namespace berth::store
