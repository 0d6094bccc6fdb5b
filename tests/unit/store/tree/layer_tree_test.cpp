// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/layer_tree.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace berth::store {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Checksum number(std::uint8_t n) {
  Checksum checksum;
  checksum.bytes[0] = n;
  return checksum;
}
const Checksum implied = number(255);

/// The tree as text, e.g. "a/ b=1 c>x": directories end with `/`, followed by their meta in `[]` unless implied.
void write(const Directory& directory, const std::string& prefix, std::string& text) {
  for (const auto& [name, node] : directory.children) {
    if (const auto* content = std::get_if<Checksum>(&node)) {
      text += prefix + name + "=" + std::to_string(content->bytes[0]) + " ";
    } else if (const auto* inner = directory_in(node)) {
      text += prefix + name + "/" + (inner->meta == implied ? "" : std::to_string(inner->meta.bytes[0])) + " ";
      write(*inner, prefix + name + "/", text);
    } else {
      text += prefix + name + ">" + std::get<LowerLink>(node).target + " ";
    }
  }
}

std::string text_of(const LayerTree& tree) {
  std::string text;
  write(tree.root(), "", text);
  return text;
}

template <typename Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    return error.message();
  }
  return "accepted";
}

TEST(LayerTree, ImpliesMissingParents) {
  LayerTree tree(implied);
  tree.add_file("a/b/c", number(1));
  EXPECT_EQ(text_of(tree), "a/ a/b/ a/b/c=1 ");
  EXPECT_EQ(tree.root().meta, implied);
  tree.add_directory("a", number(2));
  tree.add_directory("", number(3));
  EXPECT_EQ(text_of(tree), "a/2 a/b/ a/b/c=1 ");
  EXPECT_EQ(tree.root().meta, number(3));
}

TEST(LayerTree, TheLastOfSeveralEntriesWins) {
  LayerTree tree(implied);
  tree.add_file("f", number(1));
  tree.add_file("f", number(2));
  tree.add_directory("d", number(3));
  tree.add_file("d/x", number(4));
  tree.add_directory("d", number(5));
  EXPECT_EQ(text_of(tree), "d/5 d/x=4 f=2 ");
  tree.add_file("d", number(6));
  tree.add_directory("f", number(7));
  EXPECT_EQ(text_of(tree), "d=6 f/7 ");
  tree.remove("d");
  tree.remove("absent");
  EXPECT_EQ(text_of(tree), "f/7 ");
}

TEST(LayerTree, RefusesPathsThroughNonDirectories) {
  LayerTree tree(implied);
  tree.add_file("link", number(1));
  EXPECT_THAT(refusal([&] { tree.add_file("link/x", number(2)); }), HasSubstr("'link/x' goes through 'link'"));
  EXPECT_THAT(refusal([&] { tree.add_directory("link/x/y", number(2)); }), HasSubstr("'link/x/y' goes through 'link'"));
  EXPECT_THAT(refusal([&] { tree.add_hard_link("link/x", "link"); }), HasSubstr("goes through"));
  EXPECT_THAT(refusal([&] { tree.remove("link/x"); }), HasSubstr("goes through"));
  EXPECT_THAT(refusal([&] { tree.add_file("", number(2)); }), HasSubstr("root"));
}

TEST(LayerTree, FollowsLinksToDirectoriesOfTheLayer) {
  LayerTree tree(implied);
  tree.add_directory("n/.pnpm/p@1", number(1));
  tree.add_symbolic_link("n/p", number(2), ".pnpm/p@1");
  tree.add_file("n/p/index.js", number(3));
  tree.add_file("n/p/lib/a.js", number(4));
  tree.add_symbolic_link("abs", number(5), "/n//./p");
  tree.add_file("abs/b", number(6));
  tree.add_symbolic_link("n/up", number(7), "../n");
  tree.add_directory("n/up/c", number(8));
  tree.add_hard_link("hard", "n/p/index.js");
  EXPECT_EQ(text_of(tree),
            "abs=5 hard=3 n/ n/.pnpm/ n/.pnpm/p@1/1 n/.pnpm/p@1/b=6 n/.pnpm/p@1/index.js=3 n/.pnpm/p@1/lib/ "
            "n/.pnpm/p@1/lib/a.js=4 n/c/8 n/p=2 n/up=7 ");
}

TEST(LayerTree, RefusesLinksToOtherTargets) {
  LayerTree tree(implied);
  tree.add_symbolic_link("loop", number(1), "pool");
  tree.add_symbolic_link("pool", number(2), "loop");
  tree.add_symbolic_link("self", number(3), "self/self");
  tree.add_symbolic_link("out", number(4), "../../etc");
  tree.add_file("f", number(5));
  tree.add_symbolic_link("file", number(6), "f");
  for (const std::string name : {"loop", "pool", "self", "out", "file"}) {
    EXPECT_THAT(refusal([&] { tree.add_file(name + "/x", number(9)); }), HasSubstr("goes through '" + name + "'"));
  }
}

TEST(LayerTree, BoundsTheMemoryOfNames) {
  EXPECT_EQ(LayerTree::default_limits.memory, std::uint64_t{256} << 20U);
  constexpr std::uint64_t memory = std::uint64_t{2} << 20U;
  LayerTree tree(implied, {LayerTree::default_limits.nodes, memory});
  const std::string name(250, 'n');
  EXPECT_THAT(refusal([&] {
                for (std::size_t i = 0; i <= memory / 250; ++i) {
                  tree.add_file(std::to_string(i / 1000) + "/" + name + std::to_string(i % 1000), implied);
                }
              }),
              HasSubstr("more than 2 MiB"));
  LayerTree wide(implied);
  EXPECT_THAT(refusal([&] {
                for (std::size_t i = 0; i <= LayerTree::entry_limit; ++i) {
                  wide.add_file(std::to_string(i), implied);
                }
              }),
              HasSubstr("more than OSTree stores"));
}

TEST(LayerTree, AHardLinkSharesTheEarlierContentOfItsTarget) {
  LayerTree tree(implied);
  tree.add_file("a", number(1));
  tree.add_hard_link("b", "a");
  tree.add_file("a", number(2));
  tree.add_hard_link("d/c", "a");
  tree.add_hard_link("a", "a");
  EXPECT_EQ(text_of(tree), "a=2 b=1 d/ d/c=2 ");
  EXPECT_TRUE(tree.lower_links().empty());
}

TEST(LayerTree, KeepsHardLinksToNamesInLowerLayers) {
  LayerTree tree(implied);
  tree.add_hard_link("d/x", "usr/bin/y");
  tree.add_hard_link("z", "d/x");
  tree.add_hard_link("gone", "usr/bin/y");
  tree.add_file("gone", number(1));
  EXPECT_THAT(tree.lower_links(), ElementsAre(Pair("d/x", "usr/bin/y"), Pair("z", "usr/bin/y")));
}

TEST(LayerTree, RefusesHardLinksToDirectories) {
  LayerTree tree(implied);
  tree.add_directory("d", number(1));
  EXPECT_THAT(refusal([&] { tree.add_hard_link("x", "d"); }), HasSubstr("the directory 'd'"));
  EXPECT_THAT(refusal([&] { tree.add_hard_link("x", ""); }), HasSubstr("root"));
  EXPECT_THAT(refusal([&] { tree.add_hard_link("", "x"); }), HasSubstr("root"));
}

TEST(LayerTree, BoundsLinksToLowerLayers) {
  LayerTree tree(implied);
  const std::string target(4000, 't');
  EXPECT_THAT(refusal([&] {
                for (int i = 0; i < 5000; ++i) {
                  tree.add_hard_link("l" + std::to_string(i), target);
                }
              }),
              HasSubstr("bytes of hard links"));
}

TEST(LayerTree, BoundsFilesAndDirectories) {
  EXPECT_EQ(LayerTree::default_limits.nodes, 4'000'000U);
  LayerTree tree(implied, {1000, LayerTree::default_limits.memory});
  EXPECT_THAT(refusal([&] {
                for (int i = 0; i <= 1000; ++i) {
                  const auto name = "f" + std::to_string(i);
                  tree.add_file(name, implied);
                  tree.remove(name);
                }
              }),
              HasSubstr("more than 1000 "));
}

}  // namespace
}  // namespace berth::store
