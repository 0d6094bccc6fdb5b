// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/checkout/checkout.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/content/content_writer.hpp"
#include "store/fakes.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Checkout : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_, GetParam());
  Repository repository_ = Repository::open(options_);

  Checksum content(const std::string& text, const Ownership& ownership = {0, 0, 0644, {}}) {
    MemoryStream stream(text);
    return ContentWriter(repository_).file(ownership, Content(text.size(), [&](std::span<std::byte> buffer) {
                                             return stream.read(buffer);
                                           }));
  }
  Checksum commit(Transaction& transaction, const Directory& root) {
    const auto metadata = own(g_variant_new_array(G_VARIANT_TYPE("{sv}"), nullptr, 0));
    const StoredDirectory stored{repository_.write_tree(root), repository_.write_meta(plain_ownership())};
    const auto result = repository_.write_commit(stored, 0, metadata.get());
    transaction.commit();
    return result;
  }
  Checksum sample() {
    Transaction transaction(repository_);
    Directory root;
    auto sub = std::make_unique<Directory>();
    sub->meta = repository_.write_meta({0, 0, 0555, {}});
    sub->children["x"] = content("x");
    root.children["empty"] = content("");
    root.children["file"] = content("text", {0, 0, 0640, {}});
    root.children["link"] = ContentWriter(repository_).symbolic_link(0, 0, "sub/x");
    root.children["same"] = content("text", {0, 0, 0640, {}});
    root.children["sub"] = std::move(sub);
    return commit(transaction, root);
  }
};

TEST_P(Checkout, CreatesTheTreeWithHardLinks) {
  checkout_tree(repository_, options_, sample(), directory_.fd(), "rootfs");
  if (GetParam() == RepositoryMode::bare) {
    EXPECT_THAT(listing(directory_.path() + "/rootfs"),
                ElementsAre("empty: file 0644 0:0 ", "file: file 0640 0:0 text", "link: link sub/x",
                            "same: file 0640 0:0 text", "sub/x: file 0644 0:0 x", "sub: directory 0555 0:0"));
  } else {  // the group has the permissions of the owner
    EXPECT_THAT(listing(directory_.path() + "/rootfs"),
                ElementsAre("empty: file 0664 0:0 ", "file: file 0660 0:0 text", "link: link sub/x",
                            "same: file 0660 0:0 text", "sub/x: file 0664 0:0 x", "sub: directory 0775 0:0"));
  }
  struct stat first {};
  struct stat second {};
  ASSERT_EQ(::stat((directory_.path() + "/rootfs/file").c_str(), &first), 0);
  ASSERT_EQ(::stat((directory_.path() + "/rootfs/same").c_str(), &second), 0);
  EXPECT_EQ(first.st_ino, second.st_ino);
  EXPECT_EQ(first.st_nlink, 3U);  // and the object itself
  EXPECT_FALSE(fs::exists(directory_.path() + "/.rootfs.link-probe"));
}

// Such an object is what all empty files of an image are. ext4 permits 65,000 links to one file.
TEST_P(Checkout, CopiesAFileWithMoreNamesThanTheMaximumOfLinks) {
  constexpr int names = 65'010;
  Transaction transaction(repository_);
  Directory root;
  const auto object = content("everywhere", {0, 0, 0640, {}});
  for (int number = 0; number < names; ++number) {
    root.children[std::to_string(number)] = object;
  }
  checkout_tree(repository_, options_, commit(transaction, root), directory_.fd(), "rootfs");
  int seen = 0;
  struct stat first {};
  ASSERT_EQ(::stat((directory_.path() + "/rootfs/0").c_str(), &first), 0);
  for (const auto& entry : fs::directory_iterator(directory_.path() + "/rootfs")) {
    struct stat status {};
    ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
    ASSERT_EQ(status.st_size, first.st_size) << entry.path();
    ASSERT_EQ(status.st_mode, first.st_mode) << entry.path();
    ++seen;
  }
  EXPECT_EQ(seen, names);
}

TEST_P(Checkout, ACopySharesNoInodesWithTheRepository) {
  checkout_tree(repository_, options_, sample(), directory_.fd(), "rootfs", CheckoutFiles::copied);
  struct stat status {};
  ASSERT_EQ(::stat((directory_.path() + "/rootfs/file").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 1U);
}

TEST_P(Checkout, ADotChecksOutIntoTheEmptyDirectoryItself) {
  const auto commit = sample();
  fs::create_directory(directory_.path() + "/view");
  const auto view = base::open_host_directory(directory_.path() + "/view");
  checkout_tree(repository_, options_, commit, view.get(), ".", CheckoutFiles::copied);
  EXPECT_TRUE(fs::exists(directory_.path() + "/view/sub/x"));
  EXPECT_THROW(checkout_tree(repository_, options_, commit, view.get(), ".", CheckoutFiles::copied), base::Error);
  EXPECT_TRUE(fs::exists(directory_.path() + "/view/sub/x"));
}

TEST_P(Checkout, AFailureLeavesTheDirectoryEmpty) {
  const auto commit = sample();
  const auto file = repository_.load_directory(repository_.load_commit(commit).root.tree).files.at("file").hex();
  fs::remove(options_.repository + "/objects/" + file.substr(0, 2) + "/" + file.substr(2) + ".file");
  fs::create_directory(directory_.path() + "/view");
  const auto view = base::open_host_directory(directory_.path() + "/view");
  EXPECT_THROW(checkout_tree(repository_, options_, commit, view.get(), ".", CheckoutFiles::copied), base::Error);
  EXPECT_TRUE(fs::is_empty(directory_.path() + "/view"));
}

TEST_P(Checkout, RefusesAnExistingName) {
  const auto commit = sample();
  fs::create_directory(directory_.path() + "/rootfs");
  try {
    checkout_tree(repository_, options_, commit, directory_.fd(), "rootfs");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
  }
  EXPECT_TRUE(fs::is_empty(directory_.path() + "/rootfs"));
}

TEST_P(Checkout, DoesNotFollowALinkAtTheName) {
  const auto commit = sample();
  fs::create_directory(directory_.path() + "/canary");
  fs::create_directory_symlink(directory_.path() + "/canary", directory_.path() + "/rootfs");
  EXPECT_THROW(checkout_tree(repository_, options_, commit, directory_.fd(), "rootfs"), base::Error);
  EXPECT_TRUE(fs::is_empty(directory_.path() + "/canary"));
}

TEST_P(Checkout, LeavesNothingAfterAFailure) {
  const auto commit = sample();
  const auto file = repository_.load_directory(repository_.load_commit(commit).root.tree).files.at("file").hex();
  fs::remove(options_.repository + "/objects/" + file.substr(0, 2) + "/" + file.substr(2) + ".file");
  try {
    checkout_tree(repository_, options_, commit, directory_.fd(), "rootfs");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("out into rootfs"));
  }
  EXPECT_FALSE(fs::exists(directory_.path() + "/rootfs"));
}

TEST_P(Checkout, StopsOnRequest) {
  const auto commit = sample();
  std::stop_source stop;
  stop.request_stop();
  options_.stop = stop.get_token();
  if (GetParam() == RepositoryMode::bare) {
    EXPECT_THROW(checkout_tree(repository_, options_, commit, directory_.fd(), "rootfs"), base::Interrupted);
    EXPECT_FALSE(fs::exists(directory_.path() + "/rootfs"));
  }
}

TEST_P(Checkout, KeepsMetadataOfDirectories) {
  Transaction transaction(repository_);
  Directory root;
  for (int i = 0; i < 100; ++i) {  // more than the queue of the other thread holds
    auto sub = std::make_unique<Directory>();
    sub->meta = repository_.write_meta({7, 8, 01750, {{"user.x", "y"}}});
    auto deep = std::make_unique<Directory>();
    deep->meta = repository_.write_meta({0, 0, 0500, {}});
    deep->children["x"] = content("x");
    sub->children["deep"] = std::move(deep);
    root.children["sub" + std::to_string(i)] = std::move(sub);
  }
  const auto made = commit(transaction, root);
  checkout_tree(repository_, options_, made, directory_.fd(), "rootfs");
  EXPECT_EQ(listing(directory_.path() + "/rootfs").size(), 300U);
  EXPECT_EQ(describe(directory_.path() + "/rootfs", "sub42/deep"), in_mode(GetParam(), "directory 0500 0:0"));
  EXPECT_EQ(describe(directory_.path() + "/rootfs", "sub42/deep/x"), in_mode(GetParam(), "file 0644 0:0 x"));
  if (GetParam() == RepositoryMode::bare) {
    EXPECT_EQ(describe(directory_.path() + "/rootfs", "sub99"), "directory 1750 7:8");
    const auto status = base::stat_at(directory_.fd(), "rootfs/sub42").value();
    EXPECT_EQ(status.st_mtime, 0);
    std::string value(10, ' ');
    EXPECT_EQ(::getxattr((directory_.path() + "/rootfs/sub42").c_str(), "user.x", value.data(), value.size()), 1);
  }
}

TEST_P(Checkout, RefusesAnotherFileSystemAndNamesTheRemedy) {
  const auto commit = sample();
  const auto other = directory_.path() + "/other";
  fs::create_directory(other);
  ASSERT_EQ(::mount("tmpfs", other.c_str(), "tmpfs", 0, "size=1m"), 0);
  {
    const auto target = base::open_host_directory(other);
    try {
      checkout_tree(repository_, options_, commit, target.get(), "rootfs");
      ADD_FAILURE();
    } catch (const base::Error& error) {
      EXPECT_THAT(error.message(), HasSubstr("another file system"));
      EXPECT_THAT(error.hint(), HasSubstr("one file system"));
    }
    EXPECT_TRUE(fs::is_empty(other));
  }
  ::umount2(other.c_str(), MNT_DETACH);
}

TEST_P(Checkout, RefusesAMissingCommit) {
  EXPECT_THROW(checkout_tree(repository_, options_, Checksum(), directory_.fd(), "rootfs"), base::Error);
  EXPECT_FALSE(fs::exists(directory_.path() + "/rootfs"));
}

INSTANTIATE_TEST_SUITE_P(Modes, Checkout, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user));

}  // namespace
}  // namespace berth::store
