// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/content_writer.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/fakes.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::HasSubstr;

class ContentWriterTest : public ::testing::TestWithParam<std::tuple<RepositoryMode, ObjectAuthor>> {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options();
  Repository repository_ = Repository::open(options_);

  StoreOptions options() {
    auto result = options_for(directory_, reporter_, std::get<0>(GetParam()));
    result.writer = std::get<1>(GetParam());
    return result;
  }

  Checksum write(const Ownership& ownership, const std::string& content, std::uint64_t size) {
    MemoryStream stream(content, 1000);
    return ContentWriter(repository_).file(ownership, Content(size, [&](std::span<std::byte> buffer) {
                                             return stream.read(buffer);
                                           }));
  }
  void commit(Transaction& transaction, std::map<std::string, Checksum> files) {
    Directory root;
    for (auto& [name, content] : files) {
      root.children[name] = content;
    }
    const auto metadata = own(g_variant_new_array(G_VARIANT_TYPE("{sv}"), nullptr, 0));
    const StoredDirectory stored{repository_.write_tree(root), repository_.write_meta(plain_ownership())};
    transaction.set_branch("ociimage/x", repository_.write_commit(stored, 0, metadata.get()));
    transaction.commit();
  }
};

TEST_P(ContentWriterTest, WritesObjectsThatOstreeAccepts) {
  Transaction transaction(repository_);
  const std::string large(2'000'000, 'l');
  commit(transaction,
         {{"empty", write({0, 0, 0644, {}}, "", 0)},
          {"large", write({5, 70'000, 04755, {{"user.x", "y"}}}, large, large.size())},
          {"link", ContentWriter(repository_).symbolic_link(1, 2, "../größe")},
          {"marker", ContentWriter(repository_).marker()},
          {"small", write({0, 0, 0600, {{"user.b", std::string("\0z", 2)}, {"user.a", "1"}}}, "small", 5)}});
  ostree(options_.repository, {"fsck"});
  const auto text = ostree(options_.repository, {"ls", "-X", "ociimage/x"});
  EXPECT_THAT(text, HasSubstr("-04755 5 70000 2000000"));
  EXPECT_THAT(text, HasSubstr("l00777 1 2"));
  EXPECT_THAT(text, HasSubstr("/link -> ../größe"));
  EXPECT_EQ(repository_.read_file(repository_.resolve("ociimage/x").value(), "large", large.size()), large);
}

TEST_P(ContentWriterTest, DoesNotRewriteStoredObjects) {
  const std::string small(1000, 's');
  const std::string large(2'000'000, 'l');
  const auto write_all = [&] {
    Transaction transaction(repository_);
    const std::vector<Checksum> names{write({}, small, small.size()), write({}, large, large.size()),
                                      write({}, small, small.size()), write({}, large, large.size()),
                                      ContentWriter(repository_).symbolic_link(0, 0, "target")};
    transaction.commit();
    return names;
  };
  const auto inode = [&](const Checksum& name) {
    return base::stat_at(repository_.directory(), object_path({OSTREE_OBJECT_TYPE_FILE, name})).value().st_ino;
  };
  const auto names = write_all();
  EXPECT_EQ(names[0], names[2]);
  EXPECT_EQ(names[1], names[3]);
  std::vector<ino_t> inodes;
  std::transform(names.begin(), names.end(), std::back_inserter(inodes), inode);
  EXPECT_EQ(write_all(), names);
  if (options_.writer == ObjectAuthor::own) {  // libostree replaces a large file
    for (std::size_t i = 0; i < names.size(); ++i) {
      EXPECT_EQ(inode(names[i]), inodes[i]) << i;
    }
  }
}

TEST_P(ContentWriterTest, RefusesDataThatEndsEarly) {
  const Transaction transaction(repository_);
  EXPECT_THROW(write({}, "abc", 4), base::Error);
  EXPECT_THROW(write({}, "abc", 2'000'000), base::Error);
}

TEST_P(ContentWriterTest, RefusesAFileThatDoesNotFitBeforeWritingIt) {
  const Transaction transaction(repository_);
  bool read = false;
  try {
    (void)ContentWriter(repository_).file({}, Content(std::uint64_t{1} << 60U, [&](std::span<std::byte>) {
                                            read = true;
                                            return std::size_t{0};
                                          }));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("does not fit"));
    EXPECT_THAT(error.hint(), HasSubstr("free space"));
  }
  EXPECT_FALSE(read);
}

TEST_P(ContentWriterTest, RefusesInvalidCapabilities) {
  if (std::get<0>(GetParam()) == RepositoryMode::bare) {
    const Transaction transaction(repository_);
    EXPECT_THROW(write({0, 0, 0755, {{"security.capability", "nonsense"}}}, "x", 1), base::Error);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ContentWriterTest,
                         ::testing::Combine(::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user),
                                            ::testing::Values(ObjectAuthor::own, ObjectAuthor::libostree)));

}  // namespace
}  // namespace berth::store
