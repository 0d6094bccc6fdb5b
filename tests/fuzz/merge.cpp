// SPDX-License-Identifier: LGPL-2.1-or-later
// Merge of layers, structure-aware: the input determines a sequence of layers, and the merge is compared with a naive
// model of "Applying Changesets" of OCI image-spec 1.1 layer.md: maps from paths to values.
#include "store/tree/merge.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <vector>

#include "harness.hpp"
#include "store/tree/entry_name.hpp"

namespace {

using namespace berth;

enum class Kind { file, directory, link };

struct Value {
  Kind kind = Kind::file;
  unsigned number = 0;  ///< content of a file, meta of a directory
  std::string target;   ///< of a link
  friend bool operator==(const Value&, const Value&) = default;
};

/// Path → value; the root is the empty path.
using Paths = std::map<std::string, Value>;

/// Thrown for an invalid layer or image.
struct Refused {};

constexpr unsigned implied = 1;
constexpr unsigned plain = 2;
constexpr unsigned marker = 3;

store::Checksum checksum(unsigned number) {
  store::Checksum result;
  result.bytes = {static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8U)};
  return result;
}
unsigned number_of(const store::Checksum& checksum) {
  return checksum.bytes[0] + 256U * checksum.bytes[1];
}

// ---- Input

enum class Action { file, directory, hard_link, forget };

struct Entry {
  Action action = Action::file;
  std::string path;
  std::string target;
  unsigned number = 0;
};

using Layer = std::vector<Entry>;

class Script {
 public:
  explicit Script(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::vector<Layer> layers() {
    std::vector<Layer> result(1);
    while (!bytes_.empty() && result.size() <= 6) {
      const auto word = take();
      if (word >= 0xE0) {
        result.emplace_back();
        continue;
      }
      Entry entry;
      entry.action = static_cast<Action>(word % 4);
      entry.path = path();
      entry.number = 10U + take() % 200U;
      if (entry.action == Action::hard_link) {
        entry.target = path();
      }
      result.back().push_back(entry);
    }
    return result;
  }

 private:
  std::uint8_t take() {
    if (bytes_.empty()) {
      return 0;
    }
    const auto byte = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return byte;
  }

  std::string path() {
    static constexpr std::array<std::string_view, 16> names = {"a",
                                                               "b",
                                                               "c",
                                                               "d",
                                                               "a",
                                                               "b",
                                                               "a b",
                                                               "\xc3\xa4",
                                                               ".wh.a",
                                                               ".wh.b",
                                                               ".wh.c",
                                                               ".wh.d",
                                                               ".wh..wh..opq",
                                                               ".wh..wh.plnk",
                                                               ".whiteout",
                                                               ".wh.a b"};
    std::string result;
    for (auto depth = take() % 5; depth > 0; --depth) {
      result += result.empty() ? "" : "/";
      result += names.at(take() % names.size());
    }
    return result;
  }

  std::span<const std::uint8_t> bytes_;
};

// ---- Model

bool is_below(std::string_view path, std::string_view directory) {
  return directory.empty()
             ? !path.empty()
             : path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

void erase_below(Paths& paths, const std::string& directory) {
  std::erase_if(paths, [&](const auto& entry) { return is_below(entry.first, directory); });
}

void erase_tree(Paths& paths, const std::string& path) {
  erase_below(paths, path);
  paths.erase(path);
}

std::string child(std::string_view directory, std::string_view name) {
  return (directory.empty() ? "" : std::string(directory) + "/") + std::string(name);
}

/// Parent directories of `path`, outermost first, without the root.
std::vector<std::string> parents(std::string_view path) {
  std::vector<std::string> result;
  for (auto parent = store::parent_path(path); !parent.empty(); parent = store::parent_path(parent)) {
    result.emplace_back(parent);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

void imply_parents(Paths& layer, const std::string& path) {
  for (const auto& parent : parents(path)) {
    if (layer.emplace(parent, Value{Kind::directory, implied, ""}).first->second.kind != Kind::directory) {
      throw Refused();
    }
  }
}

bool is_marker(std::string_view path) {
  return !path.empty() && store::meaning_of(store::base_name(path)) != store::NameMeaning::plain;
}

bool is_bookkeeping(std::string_view path) {
  return store::meaning_of(store::base_name(path)) == store::NameMeaning::bookkeeping;
}

void model_file(Paths& layer, const std::string& path, const Value& value) {
  if (path.empty()) {
    throw Refused();
  }
  imply_parents(layer, path);
  erase_tree(layer, path);
  layer[path] = value;
}

void model_directory(Paths& layer, const std::string& path, unsigned meta) {
  imply_parents(layer, path);
  if (const auto known = layer.find(path); known != layer.end() && known->second.kind != Kind::directory) {
    layer.erase(known);
  }
  layer[path] = {Kind::directory, meta, ""};
}

void model_link(Paths& layer, const std::string& path, const std::string& target) {
  if (path.empty() || target.empty()) {
    throw Refused();
  }
  const auto above = parents(target);
  const auto is_file = [&](const std::string& parent) {
    const auto found = layer.find(parent);
    return found != layer.end() && found->second.kind != Kind::directory;
  };
  if (std::any_of(above.begin(), above.end(), is_file)) {
    throw Refused();
  }
  const auto found = layer.find(target);
  if (found == layer.end()) {
    model_file(layer, path, {Kind::link, 0, target});
  } else if (found->second.kind == Kind::directory) {
    throw Refused();
  } else {
    model_file(layer, path, Value(found->second));
  }
}

/// The tree of the entries of one layer.
Paths model_layer(const Layer& entries) {
  Paths layer = {{"", {Kind::directory, implied, ""}}};
  for (const auto& entry : entries) {
    const bool directory = entry.action == Action::directory;
    if (is_marker(entry.path) && !(directory && is_bookkeeping(entry.path))) {
      model_file(layer, entry.path, {Kind::file, marker, ""});
    } else if (entry.action == Action::file) {
      model_file(layer, entry.path, {Kind::file, entry.number, ""});
    } else if (directory) {
      model_directory(layer, entry.path, entry.number);
    } else if (entry.action == Action::hard_link) {
      model_link(layer, entry.path, entry.target);
    } else if (!entry.path.empty()) {
      imply_parents(layer, entry.path);
      erase_tree(layer, entry.path);
    }
  }
  return layer;
}

bool is_visible(std::string_view path) {
  const auto above = parents(path);
  return std::none_of(above.begin(), above.end(), is_marker);
}

void hide(Paths& image, std::string_view path) {
  const auto name = store::base_name(path);
  const auto meaning = store::meaning_of(name);
  if (meaning == store::NameMeaning::opaque) {
    erase_below(image, std::string(store::parent_path(path)));
  } else if (meaning == store::NameMeaning::whiteout) {
    erase_tree(image, child(store::parent_path(path), store::hidden_name(name)));
  }
}

void put(Paths& image, const Paths& lower, const std::string& path, const Value& value) {
  auto& place = image[path];
  if (value.kind == Kind::directory) {
    const bool fresh = place.kind != Kind::directory || place.number == 0;
    const unsigned kept = fresh ? plain : place.number;
    place = {Kind::directory, value.number == implied ? kept : value.number, ""};
    return;
  }
  erase_below(image, path);
  place = value;
  if (value.kind == Kind::link) {
    const auto target = lower.find(value.target);
    if (target == lower.end() || target->second.kind != Kind::file) {
      throw Refused();
    }
    place = target->second;
  }
}

/// Removes the paths that this layer hides, then adds its own.
void model_apply(Paths& image, const Paths& layer) {
  const Paths lower = image;
  for (const auto& [path, value] : layer) {
    if (is_visible(path) && is_marker(path)) {
      hide(image, path);
    }
  }
  for (const auto& [path, value] : layer) {
    if (is_visible(path) && !is_marker(path)) {
      put(image, lower, path, value);
    }
  }
}

// ---- Implementation under test

/// Stores directory listings by checksum, as a repository does.
class Shelf {
 public:
  store::Checksum keep(const store::Directory& directory) {
    store::DirectoryListing listing;
    for (const auto& [name, node] : directory.children) {
      if (const auto* inner = store::directory_in(node)) {
        listing.directories[name] = {keep(*inner), inner->meta};
      } else if (const auto* content = std::get_if<store::Checksum>(&node)) {
        listing.files[name] = *content;
      }
    }
    listings_.push_back(std::move(listing));
    return checksum(static_cast<unsigned>(1000 + listings_.size() - 1));
  }
  store::DirectoryLoader loader() {
    return [this](const store::Checksum& tree) { return listings_.at(number_of(tree) - 1000); };
  }

 private:
  std::vector<store::DirectoryListing> listings_;
};

/// Builds the tree of a layer as the import of a layer does.
void add(store::LayerTree& tree, const Entry& entry) {
  const bool directory = entry.action == Action::directory;
  if (is_marker(entry.path) && !(directory && is_bookkeeping(entry.path))) {
    tree.add_file(entry.path, checksum(marker));
  } else if (entry.action == Action::file) {
    tree.add_file(entry.path, checksum(entry.number));
  } else if (directory) {
    tree.add_directory(entry.path, checksum(entry.number));
  } else if (entry.action == Action::hard_link) {
    tree.add_hard_link(entry.path, entry.target);
  } else {
    tree.remove(entry.path);
  }
}

void flatten(const store::Directory& directory, const std::string& path, Paths& paths) {
  paths[path] = {Kind::directory, number_of(directory.meta), ""};
  for (const auto& [name, node] : directory.children) {
    if (const auto* inner = store::directory_in(node)) {
      flatten(*inner, child(path, name), paths);
    } else {
      paths[child(path, name)] = {Kind::file, number_of(std::get<store::Checksum>(node)), ""};
    }
  }
}

std::optional<Paths> merged(const std::vector<Layer>& layers) {
  return fuzz::accepted([&] {
    Shelf shelf;
    store::Merge merge(shelf.loader(), checksum(implied), checksum(plain));
    for (const auto& layer : layers) {
      store::LayerTree tree(checksum(implied));
      for (const auto& entry : layer) {
        add(tree, entry);
      }
      merge.apply({"layer fuzz", {shelf.keep(tree.root()), tree.root().meta}, tree.lower_links()});
    }
    Paths paths;
    flatten(merge.root(), "", paths);
    return paths;
  });
}

std::optional<Paths> modelled(const std::vector<Layer>& layers) {
  try {
    Paths image = {{"", {Kind::directory, plain, ""}}};
    for (const auto& layer : layers) {
      model_apply(image, model_layer(layer));
    }
    return image;
  } catch (const Refused&) {
    return std::nullopt;
  }
}

// ---- Output

std::string words(const std::vector<Layer>& layers) {
  static constexpr std::array<const char*, 4> actions = {"file", "directory", "hard link", "forget"};
  std::string result;
  for (const auto& layer : layers) {
    result += "layer\n";
    for (const auto& entry : layer) {
      result += std::string("  ") + actions.at(static_cast<std::size_t>(entry.action)) + " '" + entry.path + "' " +
                std::to_string(entry.number) + (entry.target.empty() ? "" : " to '" + entry.target + "'") + "\n";
    }
  }
  return result;
}

std::string words(const std::optional<Paths>& paths) {
  std::string result = paths ? "\n" : "refused\n";
  for (const auto& [path, value] : paths.value_or(Paths())) {
    result += "  '" + path + (value.kind == Kind::directory ? "/' " : "' ") + std::to_string(value.number) + "\n";
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto layers = Script(std::span(data, size)).layers();
  const auto found = merged(layers);
  const auto expected = modelled(layers);
  if (found != expected) {
    fuzz::require(false, "layers merge as the specification says",
                  words(layers) + "merged: " + words(found) + "expected: " + words(expected));
  }
  for (const auto& [path, value] : found.value_or(Paths())) {
    fuzz::require(value.kind == Kind::directory || value.number != marker || path.find(".wh.") == std::string::npos,
                  "no marker is left in the result", path);
  }
  return 0;
}
