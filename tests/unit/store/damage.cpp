// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/damage.hpp"

#include <fstream>
#include <stdexcept>

#include "store/ostree/object_walk.hpp"

namespace berth::store::testing {

ObjectName object_at(const Repository& repository, const std::string& commit, const std::string& path,
                     OstreeObjectType type) {
  std::optional<ObjectName> found;
  visit_paths(repository, Checksum::from_hex(commit), [&](const ObjectName& name, const std::string& place) {
    if (name.type == type && place == path) {
      found = name;
    }
  });
  if (!found) {
    throw std::runtime_error(path + " is not in " + commit);
  }
  return *found;
}

std::string file_of(const StoreOptions& options, const ObjectName& name) {
  return options.repository + "/" + object_path(name);
}

void flip_byte(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const int first = file.get();
  file.seekp(0);
  file.put(static_cast<char>(first ^ 1));
}

}  // namespace berth::store::testing
