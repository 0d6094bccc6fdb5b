#include "store/content_writer.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "fakes.hpp"
#include "store/repository.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): the builders of this room's tests
using ::testing::HasSubstr;

class ContentWriterTest : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  TemporaryFolder folder_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(folder_, reporter_, GetParam());
  Repository repository_ = Repository::open(options_);
  ContentWriter writer_{repository_.handle()};

  Checksum write(const Ownership& ownership, const std::string& content, std::uint64_t size) {
    MemoryStream stream(content, 1000);
    return writer_.file(ownership, size, [&](std::span<std::byte> buffer) { return stream.read(buffer); });
  }
  void commit(Transaction& transaction, std::map<std::string, Checksum> files) {
    Folder root;
    for (auto& [name, content] : files) {
      root.children[name] = content;
    }
    const auto metadata = own(g_variant_new_array(G_VARIANT_TYPE("{sv}"), nullptr, 0));
    const StoredFolder stored{repository_.write_tree(root), repository_.write_meta(plain_ownership())};
    transaction.set_branch("ociimage/x", repository_.write_commit(stored, 0, metadata.get()));
    transaction.commit();
  }
};

TEST_P(ContentWriterTest, WritesWhatOstreeAccepts) {
  Transaction transaction(repository_);
  const std::string large(1'000'000, 'l');
  commit(transaction,
         {{"empty", write({0, 0, 0644, {}}, "", 0)},
          {"large", write({5, 70'000, 04755, {{"user.x", "y"}}}, large, large.size())},
          {"link", writer_.symbolic_link(1, 2, "../größe")},
          {"marker", writer_.marker()},
          {"small", write({0, 0, 0600, {{"user.b", std::string("\0z", 2)}, {"user.a", "1"}}}, "small", 5)}});
  ostree(options_.repository, {"fsck"});
  const auto text = ostree(options_.repository, {"ls", "-X", "ociimage/x"});
  EXPECT_THAT(text, HasSubstr("-04755 5 70000 1000000"));
  EXPECT_THAT(text, HasSubstr("l00777 1 2"));
  EXPECT_THAT(text, HasSubstr("/link -> ../größe"));
  EXPECT_EQ(ostree(options_.repository, {"cat", "ociimage/x", "/large"}), large);
}

TEST_P(ContentWriterTest, SmallAndLargeContentHasTheSameName) {
  // What the boundary between the two ways of writing must not change.
  const Transaction transaction(repository_);
  const std::string text(std::size_t{64} << 10U, 't');
  EXPECT_EQ(write({}, text, text.size()), write({}, text, text.size()));
  EXPECT_NE(write({}, text + "x", text.size() + 1), write({}, text, text.size()));
}

TEST_P(ContentWriterTest, RefusesDataThatEndsEarly) {
  const Transaction transaction(repository_);
  EXPECT_THROW(write({}, "abc", 4), base::Error);
  EXPECT_THROW(write({}, "abc", 1'000'000), base::Error);
}

TEST_P(ContentWriterTest, RefusesFilesThatCannotFitBeforeWritingThem) {
  const Transaction transaction(repository_);
  bool read = false;
  try {
    (void)writer_.file({}, std::uint64_t{1} << 60U, [&](std::span<std::byte>) {
      read = true;
      return std::size_t{0};
    });
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.sentence(), HasSubstr("does not fit"));
    EXPECT_THAT(error.hint(), HasSubstr("free space"));
  }
  EXPECT_FALSE(read);
}

TEST_P(ContentWriterTest, RefusesInvalidCapabilities) {
  if (GetParam() == RepositoryMode::bare) {
    const Transaction transaction(repository_);
    EXPECT_THROW(write({0, 0, 0755, {{"security.capability", "nonsense"}}}, "x", 1), base::Error);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ContentWriterTest, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user));

TEST(XattrsVariant, IsNothingForNothing) {
  EXPECT_EQ(xattrs_variant({}), nullptr);
  const auto variant = xattrs_variant({{"user.b", "2"}, {"user.a", "1"}});
  const CharsPtr text(g_variant_print(variant.get(), FALSE));
  EXPECT_STREQ(text.get(), "[(b'user.a', [0x31]), (b'user.b', [0x32])]");
}

}  // namespace
}  // namespace berth::store
