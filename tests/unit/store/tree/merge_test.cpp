// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/merge.hpp"

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "base/error.hpp"
#include "store/tree/entry_name.hpp"

namespace berth::store {
namespace {

using ::testing::HasSubstr;

Checksum number(unsigned n) {
  Checksum checksum;
  checksum.bytes[0] = static_cast<std::uint8_t>(n & 255U);
  checksum.bytes[1] = static_cast<std::uint8_t>((n >> 8U) & 255U);
  checksum.bytes[2] = static_cast<std::uint8_t>(n >> 16U);
  return checksum;
}
unsigned number_of(const Checksum& checksum) {
  return checksum.bytes[0] + 256U * checksum.bytes[1] + 65536U * checksum.bytes[2];
}

const Checksum implied = number(1);
const Checksum plain = number(2);

/// An entry of a layer: a path that ends with `/` is a directory with meta `value`; 1 means implied.
struct Entry {
  std::string path;
  unsigned value;
};
using Layer = std::vector<Entry>;

/// Stores directory listings by checksum, as a repository does.
class Shelf {
 public:
  StoredLayer store(const Layer& layer, const LowerLinks& links = {}) {
    LayerTree tree(implied);
    for (const auto& [path, value] : layer) {
      if (path.ends_with('/')) {
        tree.add_directory(path.substr(0, path.size() - 1), number(value));
      } else {
        tree.add_file(path, number(value));
      }
    }
    return {"layer t", {store(tree.root()), tree.root().meta}, links};
  }
  DirectoryLoader loader() {
    return [this](const Checksum& tree) { return listings_.at(tree); };
  }
  Checksum store(const Directory& directory) {
    DirectoryListing listing;
    for (const auto& [name, node] : directory.children) {
      if (const auto* inner = directory_in(node)) {
        listing.directories[name] = {store(*inner), inner->meta};
      } else {
        listing.files[name] = std::get<Checksum>(node);
      }
    }
    const auto name = number(1000 + static_cast<unsigned>(listings_.size()));
    listings_[name] = listing;
    return name;
  }

 private:
  std::map<Checksum, DirectoryListing> listings_;
};

/// Path → value; paths of directories end with `/`.
using Flat = std::map<std::string, unsigned>;

void flatten(const Directory& directory, const std::string& prefix, Flat& flat) {
  for (const auto& [name, node] : directory.children) {
    if (const auto* inner = directory_in(node)) {
      flat[prefix + name + "/"] = number_of(inner->meta);
      flatten(*inner, prefix + name + "/", flat);
    } else {
      flat[prefix + name] = number_of(std::get<Checksum>(node));
    }
  }
}

Flat merged(const std::vector<Layer>& layers) {
  Shelf shelf;
  Merge merge(shelf.loader(), implied, plain);
  for (const auto& layer : layers) {
    merge.apply(shelf.store(layer));
  }
  Flat flat;
  flatten(merge.root(), "", flat);
  return flat;
}

TEST(Merge, AddsAndReplaces) {
  EXPECT_EQ(merged({{{"a", 10}, {"d/", 20}, {"d/x", 11}}, {{"a", 12}, {"d/", 21}, {"d/y", 13}}}),
            (Flat{{"a", 12}, {"d/", 21}, {"d/x", 11}, {"d/y", 13}}));
}

TEST(Merge, ReplacesOnTypeChange) {
  EXPECT_EQ(merged({{{"d/", 20}, {"d/x", 11}, {"f", 12}}, {{"d", 13}, {"f/", 21}, {"f/y", 14}}}),
            (Flat{{"d", 13}, {"f/", 21}, {"f/y", 14}}));
}

TEST(Merge, ImpliedDirectoriesKeepMetadataAndEntriesOfLowerLayers) {
  EXPECT_EQ(merged({{{"tmp/", 20}}, {{"tmp/x", 10}}}), (Flat{{"tmp/", 20}, {"tmp/x", 10}}));
  EXPECT_EQ(merged({{{"a/b/x", 10}}}), (Flat{{"a/", 2}, {"a/b/", 2}, {"a/b/x", 10}}));
  EXPECT_EQ(merged({{{"lib", 10}}, {{"lib/x", 11}}}), (Flat{{"lib/", 2}, {"lib/x", 11}}));
}

TEST(Merge, WhiteoutsHideNamesInLowerLayersOnly) {
  EXPECT_EQ(merged({{{"a", 10}, {"d/x", 11}}, {{".wh.a", 0}, {".wh.d", 0}}}), Flat{});
  EXPECT_EQ(merged({{{"a", 10}}, {{".wh.a", 0}, {"a", 11}}}), (Flat{{"a", 11}}));
  EXPECT_EQ(merged({{{"d/", 20}, {"d/x", 10}}, {{".wh.d", 0}, {"d/y", 11}}}), (Flat{{"d/", 2}, {"d/y", 11}}));
  EXPECT_EQ(merged({{{".wh.absent", 0}, {"a", 10}}, {{"d/.wh.absent", 0}}}), (Flat{{"a", 10}, {"d/", 2}}));
  EXPECT_EQ(merged({{{"a", 10}}, {{".wh.a", 0}}, {{"a", 12}}}), (Flat{{"a", 12}}));
}

TEST(Merge, OpaqueDirectoriesHideAllEntriesOfLowerLayers) {
  const Layer lower{{"d/", 20}, {"d/x", 10}, {"d/z/y", 11}, {"e", 12}};
  EXPECT_EQ(merged({lower, {{"d/.wh..wh..opq", 0}, {"d/new", 13}}}), (Flat{{"d/", 20}, {"d/new", 13}, {"e", 12}}));
  EXPECT_EQ(merged({lower, {{"d/new", 13}, {"d/z/", 22}, {"d/.wh..wh..opq", 0}}}),
            (Flat{{"d/", 20}, {"d/new", 13}, {"d/z/", 22}, {"e", 12}}));
  EXPECT_EQ(merged({lower, {{".wh..wh..opq", 0}, {"new", 13}}}), (Flat{{"new", 13}}));
}

TEST(Merge, DropsMarkersAndAufsBookkeepingInEveryDirectory) {
  EXPECT_EQ(merged({{{".wh..wh.aufs", 0}, {".wh..wh.plnk/1.2", 10}, {"new/deep/.wh.x", 0}, {"new/.wh..wh..opq", 0}}}),
            (Flat{{"new/", 2}}));  // `new/deep` contains only a marker
  EXPECT_EQ(merged({{{"x", 10}}, {{".wh..wh.x", 0}}}), (Flat{{"x", 10}}));
}

TEST(Merge, TakesTheMetadataOfTheRootFromTheUppermostLayerWithARootEntry) {
  Shelf shelf;
  Merge merge(shelf.loader(), implied, plain);
  merge.apply(shelf.store({{"a", 10}}));
  EXPECT_EQ(merge.root().meta, plain);
  merge.apply(shelf.store({{"/", 20}}));
  EXPECT_EQ(merge.root().meta, number(20));
  merge.apply(shelf.store({{"b", 10}}));
  EXPECT_EQ(merge.root().meta, number(20));
}

TEST(Merge, ResolvesHardLinksAgainstLowerLayers) {
  Shelf shelf;
  Merge merge(shelf.loader(), implied, plain);
  merge.apply(shelf.store({{"bin/tool", 10}}));
  merge.apply(shelf.store({{"d/other", 11}, {".wh.bin", 0}}, {{"d/link", "bin/tool"}}));
  Flat flat;
  flatten(merge.root(), "", flat);
  EXPECT_EQ(flat, (Flat{{"d/", 2}, {"d/link", 10}, {"d/other", 11}}));
}

TEST(Merge, MarkersInsideAHiddenDirectoryDoNotRestoreIt) {
  const Layer lower{{"d/", 20}, {"d/x", 10}, {"d/e/", 21}, {"d/e/y", 11}, {"top", 12}};
  const Flat rest{{"top", 12}};
  EXPECT_EQ(merged({lower, {{".wh.d", 0}, {"d/.wh.x", 0}}}), rest);
  EXPECT_EQ(merged({lower, {{"d/.wh.x", 0}, {".wh.d", 0}}}), rest);
  EXPECT_EQ(merged({lower, {{".wh.d", 0}, {"d/.wh..wh..opq", 0}}}), rest);
  EXPECT_EQ(merged({lower, {{".wh.d", 0}, {"d/e/.wh.y", 0}, {"d/.wh.x", 0}}}), rest);
  EXPECT_EQ(merged({lower, {{".wh..wh..opq", 0}, {"d/.wh.x", 0}, {"top", 12}}}), rest);
  EXPECT_EQ(merged({lower, {{".wh.d", 0}, {"d/e/.wh.y", 0}, {"d/new", 13}}}),
            (Flat{{"d/", number_of(plain)}, {"d/new", 13}, {"top", 12}}));
  EXPECT_EQ(merged({lower, {{".wh.d", 0}, {"d/", 22}, {"d/.wh.x", 0}, {"d/e/.wh.y", 0}}}),
            (Flat{{"d/", 22}, {"top", 12}}));
  EXPECT_EQ(merged({lower, {{"d/.wh.x", 0}}}), (Flat{{"d/", 20}, {"d/e/", 21}, {"d/e/y", 11}, {"top", 12}}));
}

TEST(Merge, AHardLinkInsideAHiddenDirectoryCreatesItAgain) {
  Shelf shelf;
  Merge merge(shelf.loader(), implied, plain);
  merge.apply(shelf.store({{"d/x", 10}, {"f", 11}}));
  merge.apply(shelf.store({{".wh.d", 0}, {"d/.wh.x", 0}}, {{"d/l", "f"}}));
  Flat flat;
  flatten(merge.root(), "", flat);
  EXPECT_EQ(flat, (Flat{{"d/", number_of(plain)}, {"d/l", 11}, {"f", 11}}));
}

// aufs stored hard links in `.wh..wh.plnk`. Their targets are not resolved.
TEST(Merge, DropsHardLinksBelowMarkers) {
  Shelf shelf;
  Merge merge(shelf.loader(), implied, plain);
  merge.apply(shelf.store({{"a", 10}, {"b", 11}}));
  merge.apply(shelf.store({{".wh..wh.plnk/", 20}, {".wh.a/", 1}},
                          {{".wh..wh.plnk/1.2", "absent"}, {".wh.a/x", "b"}, {".wh.a/y", "absent"}}));
  Flat flat;
  flatten(merge.root(), "", flat);
  EXPECT_EQ(flat, (Flat{{"b", 11}}));
}

std::string refusal(const LowerLinks& links) {
  Shelf shelf;
  Merge merge(shelf.loader(), implied, plain);
  merge.apply(shelf.store({{"bin/tool", 10}, {"link", 11}}));
  try {
    merge.apply(shelf.store({{"x", 12}}, links));
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    return error.what();
  }
  return "accepted";
}

TEST(Merge, RefusesHardLinksToMissingFiles) {
  EXPECT_THAT(refusal({{"x", "bin/absent"}}), HasSubstr("the hard link 'x' has the target 'bin/absent'"));
  EXPECT_THAT(refusal({{"x", "bin/absent"}}), HasSubstr("merging layer t"));
  EXPECT_THAT(refusal({{"x", "bin"}}), HasSubstr("'bin'"));
  EXPECT_THAT(refusal({{"x", "link/tool"}}), HasSubstr("'link/tool'"));
  EXPECT_THAT(refusal({{"absent/x", "bin/tool"}}), HasSubstr("the parent directory of the hard link"));
  EXPECT_EQ(refusal({{".wh..wh.plnk/x", "bin/tool"}}), "accepted");
}

TEST(Merge, RefusesDirectoriesThatAreNestedTooDeeply) {
  const DirectoryLoader endless = [](const Checksum& tree) {
    DirectoryListing listing;
    listing.directories["d"] = {tree, plain};
    return listing;
  };
  Merge merge(endless, implied, plain);
  EXPECT_THROW(merge.apply({"layer t", {number(9), plain}, {}}), base::Error);
}

TEST(Merge, RefusesInvalidWhiteoutsInStoredLayers) {
  Merge merge(
      [](const Checksum&) {
        DirectoryListing listing;
        listing.files[".wh.."] = plain;
        return listing;
      },
      implied, plain);
  EXPECT_THROW(merge.apply({"layer t", {number(9), plain}, {}}), base::Error);
}

// A naive implementation of the rules of layer.md on a map of paths.
class NaiveModel {
 public:
  void apply(const Layer& layer) {
    const auto lower = paths_;
    for (const auto& [path, value] : layer) {
      const auto prefix = path.substr(0, path.rfind('/', path.size() - 2) + 1);
      const auto name = path.substr(prefix.size());
      if (name == ".wh..wh..opq") {
        erase_below(prefix);
      } else if (name.starts_with(".wh.")) {
        erase(prefix + name.substr(4));
      }
    }
    for (const auto& [path, value] : layer) {
      if (path.find(".wh.") != std::string::npos && is_hidden(layer, path)) {
        continue;  // its target is removed with the directory
      }
      add_parents(path);
      if (path.find(".wh.") == std::string::npos) {
        const auto bare = path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
        if (path.ends_with('/')) {
          paths_.erase(bare);
        } else {
          erase(bare);
        }
        paths_[path] = value;
      }
    }
  }
  [[nodiscard]] const Flat& paths() const { return paths_; }

 private:
  /// Whether the same layer hides a parent directory.
  static bool is_hidden(const Layer& layer, const std::string& path) {
    const auto has = [&layer](const std::string& marker) {
      return std::any_of(layer.begin(), layer.end(), [&marker](const auto& entry) { return entry.path == marker; });
    };
    std::string prefix;
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      if (has(prefix + ".wh..wh..opq") || has(prefix + ".wh." + path.substr(prefix.size(), slash - prefix.size()))) {
        return true;
      }
      prefix = path.substr(0, slash + 1);
    }
    return false;
  }
  void erase_below(const std::string& prefix) {
    std::erase_if(paths_, [&](const auto& entry) { return entry.first.starts_with(prefix) && entry.first != prefix; });
  }
  void erase(const std::string& bare) {
    paths_.erase(bare);
    erase_below(bare + "/");
    paths_.erase(bare + "/");
  }
  void add_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos && slash + 1 < path.size();
         slash = path.find('/', slash + 1)) {
      const auto bare = path.substr(0, slash);
      paths_.erase(bare);
      paths_.emplace(bare + "/", number_of(plain));
    }
  }
  Flat paths_;
};

/// A random layer in which every path has only one entry, as the model requires.
Layer random_layer(std::mt19937& random) {
  const std::vector<std::string> names{"a", "b", "c"};
  std::map<std::string, unsigned> entries;
  std::set<std::string> directories{""};
  const auto count = 1 + random() % 8;
  for (unsigned i = 0; i < count; ++i) {
    auto parent = directories.begin();
    std::advance(parent, static_cast<std::ptrdiff_t>(random() % directories.size()));
    const auto name = names[random() % names.size()];
    const auto path = *parent + name;
    if (entries.count(path) > 0 || entries.count(path + "/") > 0) {
      continue;
    }
    switch (random() % 5) {
      case 0:
        entries[*parent + ".wh." + name] = 0;
        break;
      case 1:
        entries[*parent + ".wh..wh..opq"] = 0;
        break;
      case 2:
        entries[path] = 10 + random() % 90;
        break;
      default:
        entries[path + "/"] = 100 + random() % 90;
        directories.insert(path + "/");
        break;
    }
  }
  Layer layer;
  for (const auto& [path, value] : entries) {
    layer.push_back({path, value});
  }
  return layer;
}

TEST(Merge, AgreesWithANaiveModelOnRandomLayers) {
  std::mt19937 random(42);
  for (int round = 0; round < 3000; ++round) {
    NaiveModel model;
    std::vector<Layer> layers;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      layers.push_back(random_layer(random));
      model.apply(layers.back());
    }
    ASSERT_EQ(merged(layers), model.paths()) << "round " << round;
  }
}

TEST(MergeLimits, BoundTheTotalOfAllLayers) {
  EXPECT_EQ(Merge::default_limits.nodes, 10'000'000U);
  DirectoryListing wide;
  for (unsigned i = 0; i < 1000; ++i) {
    wide.files.emplace(std::to_string(i), plain);
  }
  Merge merge([&wide](const Checksum&) { return wide; }, implied, plain, {10'000, Merge::default_limits.memory});
  for (unsigned layer = 0; layer < 10; ++layer) {
    merge.apply({"layer t", {plain, plain}, {}});
  }
  try {
    merge.apply({"layer last", {plain, plain}, {}});
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.what(), HasSubstr("layer last"));
    EXPECT_THAT(error.message(), HasSubstr("more than 10000 files and directories"));
  }
}

}  // namespace
}  // namespace berth::store
