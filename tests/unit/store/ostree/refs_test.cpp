// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/refs.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class RefsTest : public ::testing::Test {
 protected:
  RefsTest() { fs::create_directories(path("ociimage")); }
  [[nodiscard]] std::string path(const std::string& branch) const {
    return repository_.path() + "/refs/heads/" + branch;
  }
  void write(const std::string& branch, const std::string& text) const { std::ofstream(path(branch)) << text; }
  [[nodiscard]] static std::vector<std::string> names_of(const auto& refs) {
    std::vector<std::string> names;
    for (const auto& ref : refs) {
      names.push_back(ref.name);
    }
    return names;
  }

  const TemporaryDirectory repository_;
  const std::string hex_ = std::string(64, 'a');
};

TEST_F(RefsTest, ReadsBranchesAndAliases) {
  write("ociimage/a", hex_ + "\n");
  fs::create_symlink("a", path("ociimage/alias"));
  EXPECT_EQ(read_branch(repository_.fd(), "ociimage/a").value().hex(), hex_);
  EXPECT_EQ(read_branch(repository_.fd(), "ociimage/alias").value().hex(), hex_);
  EXPECT_EQ(read_branch(repository_.fd(), "ociimage/missing"), std::nullopt);
  EXPECT_EQ(read_branch(repository_.fd(), "missing/a"), std::nullopt);
}

TEST_F(RefsTest, NamesDamagedBranches) {
  write("ociimage/empty", "");
  write("ociimage/text", "no checksum");
  write("ociimage/long", std::string(10'000, 'a'));
  fs::create_directory(path("ociimage/directory"));
  fs::create_symlink("nowhere", path("ociimage/dangling"));
  ASSERT_EQ(::mkfifo(path("ociimage/fifo").c_str(), 0600), 0);
  for (const std::string name : {"empty", "text", "long", "dangling", "fifo"}) {
    try {
      static_cast<void>(read_branch(repository_.fd(), "ociimage/" + name));
      ADD_FAILURE() << name;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification) << name;
      EXPECT_THAT(error.message(), HasSubstr("refs/heads/ociimage/" + name));
    }
  }
}

TEST_F(RefsTest, ListsValidBranchesBesideDamagedOnes) {
  write("ociimage/b", hex_);
  write("ociimage/a", hex_);
  write("ociimage/damaged", "");
  write("ociimage/.temporary", "");
  write("other", hex_);
  const auto listing = list_branches(repository_.fd(), "ociimage");
  EXPECT_THAT(names_of(listing.sound), ElementsAre("ociimage/a", "ociimage/b"));
  EXPECT_THAT(names_of(listing.damaged), ElementsAre("ociimage/damaged"));
}

TEST_F(RefsTest, ListsRefsOfRemotes) {
  fs::create_directories(repository_.path() + "/refs/remotes/origin/os");
  std::ofstream(repository_.path() + "/refs/remotes/origin/os/stable") << hex_;
  write("ociimage/a", hex_);
  EXPECT_THAT(names_of(list_refs(repository_.fd()).sound), ElementsAre("ociimage/a", "origin:os/stable"));
}

TEST(LayerBranch, IsADigest) {
  EXPECT_EQ(layer_branch("ab"), "ociimage/ab");
  EXPECT_TRUE(is_layer_branch("ociimage/" + std::string(64, 'a')));
  EXPECT_TRUE(is_layer_branch("ociimage/" + std::string(128, '0')));
  EXPECT_FALSE(is_layer_branch("ociimage/" + std::string(65, 'a')));
  EXPECT_FALSE(is_layer_branch("ociimage/" + std::string(64, 'g')));
}

}  // namespace
}  // namespace berth::store
