// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/layer_archive.hpp"

#include <gmock/gmock.h>
#include <locale.h>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Read {
  LayerEntry entry;
  std::string data;
};

std::vector<Read> read_all(const std::string& bytes, std::size_t piece = 4096) {
  MemoryStream stream(bytes, piece);
  LayerArchive reader(stream, "layer x");
  std::vector<Read> result;
  while (auto entry = reader.next()) {
    std::string data;
    std::vector<std::byte> buffer(1000);
    while (const auto count = reader.read(buffer)) {
      data.append(reinterpret_cast<const char*>(buffer.data()), count);
    }
    result.push_back({*entry, data});
  }
  return result;
}

std::string refusal(const std::string& bytes, std::size_t piece = 4096) {
  try {
    read_all(bytes, piece);
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    return error.message();
  }
  return "accepted";
}

TEST(LayerArchive, ReadsEveryType) {
  TarBuilder tar;
  tar.directory("./", {0, 0, 0755, {}}).directory("etc", {1, 2, 01777, {}});
  tar.file("etc/a", "content", {3, 4, 04755, {}}).link("etc/b", "../x");
  tar.hard_link("etc/c", "./etc/a").device("dev").fifo("fifo");
  const auto entries = read_all(tar, 100);
  ASSERT_EQ(entries.size(), 7U);
  EXPECT_EQ(entries[0].entry.type, base::TarEntryType::directory);
  EXPECT_EQ(entries[0].entry.path, "");
  EXPECT_EQ(entries[1].entry.path, "etc");
  EXPECT_EQ(entries[1].entry.ownership.permissions, 01777U);
  EXPECT_EQ(entries[2].entry.type, base::TarEntryType::file);
  EXPECT_EQ(entries[2].data, "content");
  EXPECT_EQ(entries[2].entry.size, 7U);
  EXPECT_EQ(entries[2].entry.ownership.uid, 3U);
  EXPECT_EQ(entries[2].entry.ownership.gid, 4U);
  EXPECT_EQ(entries[2].entry.ownership.permissions, 04755U);
  EXPECT_EQ(entries[3].entry.type, base::TarEntryType::symbolic_link);
  EXPECT_EQ(entries[3].entry.link_target, "../x");
  EXPECT_EQ(entries[4].entry.type, base::TarEntryType::hard_link);
  EXPECT_EQ(entries[4].entry.link_target, "etc/a");
  EXPECT_EQ(entries[5].entry.type, base::TarEntryType::special);
  EXPECT_EQ(entries[6].entry.type, base::TarEntryType::special);
}

TEST(LayerArchive, KeepsLongAndNonAsciiNamesInAnyLocale) {
  ASSERT_STREQ(::setlocale(LC_ALL, nullptr), "C");
  const std::string path = "größe/日本語/" + std::string(200, 'n') + "/" + std::string(200, 'm');
  for (const auto format : {TarBuilder::Format::pax, TarBuilder::Format::gnu}) {
    TarBuilder tar(format);
    tar.file(path, "x").link("ключ", path);
    const auto entries = read_all(tar);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].entry.path, path);
    EXPECT_EQ(entries[1].entry.path, "ключ");
    EXPECT_EQ(entries[1].entry.link_target, path);
  }
}

TEST(LayerArchive, KeepsXattrsAndLargeIds) {
  const std::string capability("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  const auto entries =
      read_all(TarBuilder().file("a", "", {4'294'967'294U, 70'000, 0644, {{"security.capability", capability}}}));
  EXPECT_EQ(entries[0].entry.ownership.uid, 4'294'967'294U);
  EXPECT_EQ(entries[0].entry.ownership.gid, 70'000U);
  EXPECT_EQ(entries[0].entry.ownership.xattrs.at("security.capability"), capability);
}

TEST(LayerArchive, FillsHoles) {
  std::string expected(300'000, '\0');
  expected.replace(100'000, 4, "data");
  for (const auto format : {TarBuilder::Format::pax, TarBuilder::Format::gnu}) {
    TarBuilder tar(format);
    tar.sparse("hole", 300'000, 100'000, "data").file("next", "n");
    const auto entries = read_all(tar);
    EXPECT_EQ(entries[0].data, expected);
    EXPECT_EQ(entries[0].entry.size, 300'000U);
    EXPECT_EQ(entries[1].data, "n");
  }
}

TEST(LayerArchive, SkipsUnreadData) {
  const std::string tar = TarBuilder().file("a", std::string(100'000, 'a')).file("b", "b");
  MemoryStream stream(tar);
  LayerArchive reader(stream, "layer x");
  reader.next();
  EXPECT_EQ(reader.next()->path, "b");
  EXPECT_FALSE(reader.next());
}

TEST(LayerArchive, AcceptsEmptyArchives) {
  EXPECT_TRUE(read_all("").empty());
  EXPECT_TRUE(read_all(tar_end()).empty());
}

TEST(LayerArchive, RefusesOtherFiles) {
  EXPECT_THAT(refusal(std::string(5000, 'x')), HasSubstr("layer x"));
}

TEST(LayerArchive, RefusesTruncatedArchives) {
  const std::string tar = TarBuilder().file("a", std::string(100'000, 'a'));
  EXPECT_THAT(refusal(tar.substr(0, 50'000)), HasSubstr("layer x: data of 'a'"));
  EXPECT_THAT(refusal(tar.substr(0, 700)), HasSubstr("layer x"));
}

TEST(LayerArchive, RefusesAndQuotesInvalidNames) {
  EXPECT_THAT(refusal(raw_entry("../evil", '0', "x") + tar_end()),
              HasSubstr("layer x: an entry has the name '../evil'"));
  EXPECT_THAT(refusal(raw_entry("caf\xe9", '0', "x") + tar_end()), HasSubstr("'caf\\xe9': it is not UTF-8"));
  EXPECT_THAT(refusal(raw_long_entry(std::string(300, 'n'), '0') + tar_end()), HasSubstr("300 bytes"));
  EXPECT_THAT(refusal(raw_entry("a", '1', "", "../../etc/passwd") + tar_end()),
              HasSubstr("the hard link 'a': its target has the name"));
}

TEST(LayerArchive, RefusesLinksWithoutAValidTarget) {
  EXPECT_THAT(refusal(raw_entry("a", '2', "", "") + tar_end()), HasSubstr("symbolic link 'a'"));
  EXPECT_THAT(refusal(raw_entry("a", '2', "", "caf\xe9") + tar_end()), HasSubstr("symbolic link 'a'"));
}

TEST(LayerArchive, RefusesInvalidOwners) {
  TarBuilder tar;
  tar.file("a", "", {4'294'967'295U, 0, 0644, {}});
  EXPECT_THAT(refusal(tar), HasSubstr("'a' belongs to user 4294967295"));
}

TEST(LayerArchive, PropagatesExceptionsOfTheStream) {
  class Failing final : public base::ByteStream {
   public:
    std::size_t read(std::span<std::byte> /*buffer*/) override { base::throw_interrupted(); }
  } failing;
  EXPECT_THROW(
      {
        LayerArchive reader(failing, "layer x");
        reader.next();
      },
      base::Interrupted);
}

TEST(LayerArchive, FindsANulAcrossPieces) {
  const auto before = raw_entry("before", '0', std::string(5000, 'x'));
  const auto comment = pax({{"comment", std::string(3000, 'c')}, {"path", std::string("a\0b", 3)}});
  for (const std::size_t piece : {7U, 100U, 512U, 513U, 4096U, 100'000U}) {
    for (const auto& headers : {comment, gnu_long(std::string(2000, 'n') + '\0' + "b"), std::string()}) {
      const bool whole = headers.empty();
      const auto reason = refusal(before + headers + raw_entry("u", '0', "x") + before + tar_end(), piece);
      EXPECT_THAT(reason, whole ? HasSubstr("accepted") : HasSubstr("the header after 'before': ")) << piece;
      EXPECT_THAT(reason, whole ? HasSubstr("accepted") : HasSubstr("contains a NUL byte")) << piece;
    }
  }
}

TEST(LayerArchive, FindsANulAfterAVolumeHeader) {
  const auto volume = raw({.name = "volume", .type = 'V', .dialect = TarDialect::gnu});
  const auto path = pax({{"path", std::string("a\0b", 3)}});
  EXPECT_THAT(refusal(volume + path + raw_entry("u", '0', "x") + tar_end()), HasSubstr("contains a NUL byte"));
}

// As Go's archive/tar, which most image tools use.
TEST(LayerArchive, IgnoresTheSizeOfAHardLink) {
  const auto link = raw({.name = "l", .type = '1', .link = "a", .size = "00000000003"});
  const auto before = pax({{"mtime", "1.5"}}) + raw_entry("a", '0', "abc");
  const auto large = raw_entry("z", '0', std::string(300'000, 'z'));
  for (const std::size_t piece : {7U, 512U, 513U, 4096U, 1'000'000U}) {
    const auto entries = read_all(before + link + link + pax({{"mtime", "2.5"}}) + large + link + tar_end(), piece);
    ASSERT_EQ(entries.size(), 5U) << piece;
    EXPECT_EQ(entries[1].entry.link_target, "a");
    EXPECT_EQ(entries[1].entry.size, 0U);
    EXPECT_EQ(entries[3].entry.path, "z");
    EXPECT_EQ(entries[3].data, std::string(300'000, 'z'));
    EXPECT_EQ(entries[4].entry.path, "l");
  }
  EXPECT_EQ(read_all(before + link).size(), 2U) << "at the end, without a block of zeros";
}

TEST(LayerArchive, RefusesASingleBlockOfZeros) {
  const std::string zeros(512, '\0');
  const auto entry = raw_entry("a", '0', "x");
  for (const std::size_t piece : {7U, 512U, 4096U}) {
    EXPECT_THAT(refusal(entry + zeros + entry + tar_end(), piece),
                HasSubstr("after 'a' there is a single block of zeros"));
    EXPECT_THAT(refusal(zeros + entry + tar_end(), piece),
                HasSubstr("after its beginning there is a single block of zeros"));
    EXPECT_EQ(read_all(entry + zeros, piece).size(), 1U);
    EXPECT_EQ(read_all(entry + zeros + zeros + "rest", piece).size(), 1U);
  }
}

}  // namespace
}  // namespace berth::store
