// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/object_files.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "store/fakes.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

const std::string digits(62, '0');

TEST(ObjectFiles, HavePathsOfNameAndType) {
  const auto checksum = Checksum::from_hex("ab" + digits);
  EXPECT_EQ(path_in_objects({OSTREE_OBJECT_TYPE_FILE, checksum}), "ab/" + digits + ".file");
  EXPECT_EQ(object_path({OSTREE_OBJECT_TYPE_DIR_TREE, checksum}), "objects/ab/" + digits + ".dirtree");
  EXPECT_STREQ(type_name(OSTREE_OBJECT_TYPE_COMMIT), "commit");
}

TEST(ObjectFiles, TheVisitIgnoresOtherFiles) {
  const TemporaryDirectory repository;
  const auto objects = repository.path() + "/objects/";
  std::filesystem::create_directories(objects + "ab");
  std::filesystem::create_directories(objects + "abc");
  for (const auto& name : {"ab/" + digits + ".file", "ab/" + digits + ".commit", "ab/" + digits + ".commitmeta",
                           "ab/" + digits + ".unknown", "ab/" + digits, std::string("ab/short.file"),
                           "abc/" + digits + ".file", std::string("file")}) {
    std::ofstream(objects + name) << "x";
  }
  std::vector<std::string> visited;
  visit_object_files(repository.fd(), [&](const ObjectFile& file) {
    EXPECT_EQ(file.links, 1U);
    visited.push_back(path_in_objects(file.name));
  });
  EXPECT_THAT(visited, UnorderedElementsAre("ab/" + digits + ".file", "ab/" + digits + ".commit",
                                            "ab/" + digits + ".commitmeta"));
  EXPECT_THAT(stored_commits(repository.fd()), ElementsAre(Checksum::from_hex("ab" + digits)));
}

}  // namespace
}  // namespace berth::store
