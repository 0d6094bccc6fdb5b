// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/tree/entry_name.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "store/tree/tree.hpp"

namespace berth::store {
namespace {

using ::testing::HasSubstr;

std::string refusal(const std::string& raw) {
  try {
    normal_entry_path(raw, "an entry");
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    return error.message();
  }
  return "accepted";
}

TEST(EntryName, NormalisesPathsOfRealImages) {
  EXPECT_EQ(normal_entry_path("etc/passwd", "an entry"), "etc/passwd");
  EXPECT_EQ(normal_entry_path("./etc/", "an entry"), "etc");
  EXPECT_EQ(normal_entry_path("/ko-app/tool", "an entry"), "ko-app/tool");
  EXPECT_EQ(normal_entry_path("././/x", "an entry"), "x");
  EXPECT_EQ(normal_entry_path("x/.", "an entry"), "x");
  EXPECT_EQ(normal_entry_path("a/./x", "an entry"), "a/x");
  EXPECT_EQ(normal_entry_path(".//a//././/x//", "an entry"), "a/x");
  for (const char* root : {".", "./", "/", "/.", "././"}) {
    EXPECT_EQ(normal_entry_path(root, "an entry"), "") << root;
  }
}

TEST(EntryName, KeepsUnusualValidNames) {
  const std::string longest(255, 'n');
  for (const std::string& name : {std::string("a\\b"), std::string("new\nline"), std::string("dot."), std::string("…"),
                                  std::string(".whx"), std::string(".wh.x"), longest, longest + "/" + longest}) {
    EXPECT_EQ(normal_entry_path(name, "an entry"), name);
  }
}

// The limit of 255 bytes applies to the hidden name.
TEST(EntryName, AWhiteoutMayBeLongerThanTheLongestName) {
  const auto marker = "d/" + whiteout_of(std::string(255, 'n'));
  EXPECT_EQ(normal_entry_path(marker, "an entry"), marker);
  EXPECT_THAT(refusal(marker + "n"), HasSubstr("260 bytes, the limit is 259"));
}

TEST(EntryName, RefusesInvalidPaths) {
  EXPECT_THAT(refusal(""), HasSubstr("empty"));
  EXPECT_THAT(refusal("../x"), HasSubstr("'..' is not a valid component"));
  EXPECT_THAT(refusal("a/../x"), HasSubstr("'..'"));
  EXPECT_THAT(refusal("/.."), HasSubstr("'..'"));
  EXPECT_THAT(refusal(std::string("a\0b", 3)), HasSubstr("NUL"));
  EXPECT_THAT(refusal(std::string(256, 'n')), HasSubstr("256 bytes"));
  EXPECT_THAT(refusal("caf\xe9"), HasSubstr("not UTF-8"));
}

TEST(EntryName, RefusesLongAndDeepPaths) {
  std::string path;
  while (path.size() < 4090) {
    path += std::string(99, 'p') + "/";
  }
  EXPECT_THAT(refusal(path + "end"), HasSubstr("the limit is 4095"));
  std::string deep = "d";
  for (std::size_t i = 1; i < directory_depth_limit; ++i) {
    deep += "/d";
  }
  EXPECT_EQ(normal_entry_path(deep, "an entry"), deep);
  EXPECT_THAT(refusal(deep + "/d"), HasSubstr("nested deeper than 512"));
}

TEST(EntryName, RefusesWhiteoutsWithoutAName) {
  for (const char* name : {".wh.", ".wh..", ".wh...", "a/.wh.", ".wh../b"}) {
    EXPECT_THAT(refusal(name), HasSubstr("not a valid whiteout")) << name;
  }
  EXPECT_THROW(meaning_of(".wh.."), base::Error);
  EXPECT_THROW(meaning_of(".wh..."), base::Error);
}

TEST(EntryName, DistinguishesMarkers) {
  EXPECT_EQ(meaning_of("file"), NameMeaning::plain);
  EXPECT_EQ(meaning_of(".wh"), NameMeaning::plain);
  EXPECT_EQ(meaning_of(".wh.file"), NameMeaning::whiteout);
  EXPECT_EQ(hidden_name(".wh.file"), "file");
  EXPECT_EQ(meaning_of(".wh....x"), NameMeaning::whiteout);
  EXPECT_EQ(meaning_of(".wh..wh..opq"), NameMeaning::opaque);
  EXPECT_EQ(meaning_of(".wh..wh.plnk"), NameMeaning::bookkeeping);
  EXPECT_EQ(meaning_of(".wh..wh.file"), NameMeaning::bookkeeping);
}

TEST(EntryName, SplitsPaths) {
  EXPECT_EQ(base_name("a/b/c"), "c");
  EXPECT_EQ(parent_path("a/b/c"), "a/b");
  EXPECT_EQ(base_name("c"), "c");
  EXPECT_EQ(parent_path("c"), "");
}

}  // namespace
}  // namespace berth::store
