// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/root_directory.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RootDirectory : public ::testing::Test {
 protected:
  Scratch root;
  base::Fd fd = root.open();
};

TEST_F(RootDirectory, FindsDirectoriesThroughLinksInsideTheRoot) {
  root.file("data/file", "text");
  root.link("link", "/data");
  EXPECT_TRUE(find_directory_in_root(fd.get(), "/link"));
  EXPECT_TRUE(find_trusted_directory(fd.get(), "/link"));
  for (const char* path : {"/missing", "/data/file", "/data/file/below"}) {
    EXPECT_FALSE(find_directory_in_root(fd.get(), path)) << path;
    EXPECT_FALSE(find_trusted_directory(fd.get(), path)) << path;
  }
}

TEST_F(RootDirectory, ResolvesLinksAsAfterAChroot) {
  root.directory("data");
  root.link("absolute", "/data");
  root.link("relative", "../../data");
  root.link("dangling", "/new/place");
  EXPECT_EQ(resolve_in_root(fd.get(), "/absolute/x"), "/data/x");
  EXPECT_EQ(resolve_in_root(fd.get(), "/relative/./y"), "/data/y");
  EXPECT_EQ(resolve_in_root(fd.get(), "/dangling/z"), "/new/place/z");
  root.link("circle", "circle");
  EXPECT_EQ(error_of([&] { resolve_in_root(fd.get(), "/circle"); }).kind(), base::ErrorKind::failed);
}

TEST_F(RootDirectory, NamesThePathOfADescriptor) {
  root.directory("a/b");
  EXPECT_EQ(path_in_root(fd.get(), base::open_directory_at(fd.get(), "a/b").get()), "/a/b");
  EXPECT_EQ(path_in_root(fd.get(), fd.get()), "/");
  const Scratch other;
  EXPECT_EQ(error_of([&] { path_in_root(fd.get(), other.open().get()); }).kind(), base::ErrorKind::failed);
}

TEST_F(RootDirectory, CreatesMissingDirectoriesAndRemovesEmptyOnes) {
  root.directory("a");
  std::vector<std::string> created;
  EXPECT_TRUE(make_directory_in_root(fd.get(), "/a/b/c", created));
  EXPECT_THAT(created, ElementsAre("/a/b", "/a/b/c"));
  root.file("a/b/kept", "text");
  remove_created_directories(fd.get(), created);
  EXPECT_EQ(root.listing(), "a\na/b\na/b/kept\n");
}

TEST_F(RootDirectory, RefusesDotDotAndDanglingLinks) {
  std::vector<std::string> created;
  EXPECT_EQ(error_of([&] { make_directory_in_root(fd.get(), "/a/../b", created); }).kind(),
            base::ErrorKind::verification);
  root.link("dangling", "nowhere");
  const auto error = error_of([&] { make_directory_in_root(fd.get(), "/dangling/x", created); });
  EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
  EXPECT_THAT(error.hint(), HasSubstr("remove the link"));
}

TEST_F(RootDirectory, RefusesAStepFromAnotherUserToAThirdOwner) {
  root.directory("home/data");
  ASSERT_EQ(::chown(root.at("home").c_str(), 1234, 1234), 0);
  EXPECT_TRUE(danger_on_the_way(fd.get(), "/home/data/x"));
  const auto error = error_of([&] { find_trusted_directory(fd.get(), "/home/data"); });
  EXPECT_EQ(error.kind(), base::ErrorKind::not_permitted);
  EXPECT_THAT(error.message(), HasSubstr("it is not safe to go from /home to /home/data"));
}

}  // namespace
}  // namespace berth::host::testing
