// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer/layer_import.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/ostree/commit_metadata.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class LayerImport : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);
  Repository repository_ = Repository::open(options_);

  LayerRequest request(const std::string& tar, const std::string& type = "application/vnd.oci.image.layer.v1.tar") {
    const image::Descriptor descriptor{type, base::digest_of(tar), static_cast<std::int64_t>(tar.size()), {}, {}, {}};
    return {descriptor, base::digest_of(tar), 5, {}, &reporter_};
  }
  Checksum import(const std::string& tar) { return import(tar, request(tar)); }
  Checksum import(const std::string& tar, const LayerRequest& wanted) {
    Transaction transaction(repository_);
    const auto commit = import_layer(repository_, wanted, std::make_unique<MemoryStream>(tar));
    transaction.set_branch("ociimage/x", commit);
    transaction.commit();
    return commit;
  }
  LayerMetadata metadata(const Checksum& commit) {
    return layer_metadata(repository_.load_commit(commit).metadata.get());
  }
  std::string ls() { return ostree(options_.repository, {"ls", "-R", "-X", "ociimage/x"}); }
  std::string refusal(const std::string& tar) {
    try {
      import(tar);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification) << error.what();
      EXPECT_THAT(error.what(), HasSubstr("layer " + base::digest_of(tar).short_hex()));
      EXPECT_FALSE(repository_.resolve("ociimage/x"));
      return error.what();
    }
    return "accepted";
  }
};

// A large layer of a docker archive may be tiny in the compressed archive.
TEST_F(LayerImport, LimitsTheSizeByThePackedSizeOfTheBlob) {
  const auto tar = pax({{"GNU.sparse.map", "0,0"}, {"GNU.sparse.size", "5368709120"}}) + raw({.name = "a"});
  auto wanted = request(tar);
  wanted.descriptor.size = std::int64_t{8} << 30U;
  wanted.packed_size = 1000;
  try {
    import(tar, wanted);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the limit for its size"));
  }
}

TEST_F(LayerImport, StoresFilesDirectoriesLinksAndMarkers) {
  TarBuilder tar;
  tar.directory("./", {1, 2, 0711, {}}).file("./a", "content", {3, 4, 04755, {}}).link("b", "a", 6);
  tar.hard_link("c", "a").file("d/.wh.x", "").file("d/.wh..wh..opq", "ignored");
  const auto commit = import(tar);
  const auto text = ls();
  EXPECT_THAT(text, HasSubstr("d00711 1 2      0 { @a(ayay) [] } /\n"));
  EXPECT_THAT(text, HasSubstr("-04755 3 4      7 { @a(ayay) [] } /a\n"));
  EXPECT_THAT(text, HasSubstr("-04755 3 4      7 { @a(ayay) [] } /c\n"));
  EXPECT_THAT(text, HasSubstr("l00777 6 6      0 { @a(ayay) [] } /b -> a\n"));
  EXPECT_THAT(text, HasSubstr("-00644 0 0      0 { @a(ayay) [] } /d/.wh.x\n"));
  EXPECT_THAT(text, HasSubstr("-00644 0 0      0 { @a(ayay) [] } /d/.wh..wh..opq\n"));
  EXPECT_THAT(text, HasSubstr("d00755 0 0      0 { [(b'user.berth.implied', [byte 0x31])] } /d\n"));
  EXPECT_EQ(metadata(commit).unpacked_size, 7U);
  EXPECT_EQ(metadata(commit).packed_size, static_cast<std::int64_t>(tar.bytes().size()));
  EXPECT_EQ(metadata(commit).diff_id, base::digest_of(tar.bytes()).text());
  EXPECT_EQ(repository_.load_commit(commit).timestamp, 5);
  ostree(options_.repository, {"fsck"});
}

TEST_F(LayerImport, IsReproducible) {
  TarBuilder tar;
  tar.file("a", "content").directory("d");
  EXPECT_EQ(import(tar), import(tar));
}

TEST_F(LayerImport, AcceptsEmptyLayers) {
  import("");
  import(tar_end());
  EXPECT_THAT(ls(), HasSubstr(" /\n"));
}

TEST_F(LayerImport, DropsDevicesAndTheEntriesThatTheyReplace) {
  TarBuilder tar;
  tar.file("null", "to be replaced").device("null").fifo("dev/pipe").device("dev/" + std::string(254, 'n'));
  const auto commit = import(tar);
  EXPECT_EQ(metadata(commit).skipped_nodes, 3U);
  const auto text = ls();
  EXPECT_THAT(text, HasSubstr(" /.wh.null\n"));
  EXPECT_THAT(text, HasSubstr(" /dev/.wh.pipe\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr(" /null\n")));
}

TEST_F(LayerImport, KeepsPermittedAttributesOnly) {
  const std::string capability("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  TarBuilder tar;
  tar.file("a", "",
           {0,
            0,
            0755,
            {{"security.capability", capability},
             {"user.mine", "1"},
             {"user.empty", ""},
             {"security.selinux", "host_t"},
             {"trusted.overlay.redirect", "/etc"},
             {"security.ima", "x"},
             {"user.ostreemeta", "x"}}});
  tar.directory("d", {0, 0, 0755, {{"user.berth.implied", "x"}, {"trusted.overlay.opaque", "y"}, {"user.kept", "z"}}});
  import(tar);
  const auto text = ls();
  EXPECT_THAT(text, HasSubstr("security.capability"));
  EXPECT_THAT(text, HasSubstr("user.mine"));
  EXPECT_THAT(text, HasSubstr("user.kept"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("trusted")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("selinux")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("security.ima")));
  ASSERT_EQ(reporter_.warnings.size(), 1U);
  EXPECT_THAT(reporter_.warnings[0], HasSubstr("4 extended attributes")) << "an empty value removes the attribute";
  EXPECT_THAT(reporter_.warnings[0], HasSubstr("'trusted.overlay.redirect'"));
}

TEST_F(LayerImport, DropsAttributesThatLinuxRefuses) {
  const std::string first_revision("\x01\0\0\x01\0\x04\0\0\0\0\0\0", 12);
  const std::string without_others("\2\0\0\0\1\0\7\0\xff\xff\xff\xff\4\0\5\0\xff\xff\xff\xff", 20);
  TarBuilder tar;
  tar.file("a", "", {0, 0, 0755, {{"security.capability", first_revision}}});
  tar.file("b", "", {0, 0, 0755, {{"system.posix_acl_access", without_others}}});
  tar.file("c", "", {0, 0, 0755, {{"system.posix_acl_default", without_others}, {"user.kept", "z"}}});
  import(tar);
  EXPECT_THAT(ls(), HasSubstr("user.kept"));
  EXPECT_THAT(ls(), ::testing::Not(HasSubstr("security.capability")));
  ASSERT_EQ(reporter_.warnings.size(), 1U);
  EXPECT_THAT(reporter_.warnings[0], HasSubstr("3 extended attributes"));
}

TEST_F(LayerImport, RecordsHardLinksToLowerLayers) {
  const auto commit = import(TarBuilder().hard_link("d/x", "usr/bin/y"));
  EXPECT_THAT(metadata(commit).links, ElementsAre(Pair("d/x", "usr/bin/y")));
}

TEST_F(LayerImport, StreamsLargeFiles) {
  const std::string large(1'000'000, 'l');
  import(TarBuilder().file("large", large));
  EXPECT_EQ(ostree(options_.repository, {"cat", "ociimage/x", "/large"}), large);
}

TEST_F(LayerImport, HashesBytesAfterTheArchive) {
  const std::string tar = TarBuilder().file("a", "x").bytes() + std::string(100'000, '\0');
  import(tar);
  EXPECT_THAT(ls(), HasSubstr(" /a\n"));
}

TEST_F(LayerImport, RefusesEndlessTrailers) {
  const std::string tar = TarBuilder().file("a", "x").bytes() + std::string(std::size_t{65} << 20U, '\0');
  EXPECT_THAT(refusal(tar), HasSubstr("after the end of its archive"));
}

TEST_F(LayerImport, RefusesAWrongDiffId) {
  const std::string tar = TarBuilder().file("a", "x");
  auto wanted = request(tar);
  wanted.diff_id = base::digest_of("something else");
  try {
    import(tar, wanted);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    EXPECT_THAT(error.message(), HasSubstr(base::digest_of(tar).text()));
    EXPECT_THAT(error.message(), HasSubstr(wanted.diff_id.text()));
  }
  EXPECT_FALSE(repository_.resolve("ociimage/x"));
}

TEST_F(LayerImport, RefusesFilesThroughLinksOfTheSameLayer) {
  EXPECT_THAT(refusal(TarBuilder().link("etc", "/etc").file("etc/passwd", "x")), HasSubstr("goes through 'etc'"));
  EXPECT_THAT(refusal(TarBuilder().link("a", "..").device("a/x")), HasSubstr("goes through 'a'"));
}

TEST_F(LayerImport, RefusesHostileNamesAndSizes) {
  EXPECT_THAT(refusal(raw_entry("../x", '0', "x") + tar_end()), HasSubstr("'../x'"));
  EXPECT_THAT(refusal(raw_entry(".wh.", '0') + tar_end()), HasSubstr("not a valid whiteout"));
  EXPECT_THAT(refusal(raw_entry(".", '0', "x") + tar_end()), HasSubstr("root"));
  EXPECT_THAT(refusal(raw_entry("x", '1', "", "x/../../y") + tar_end()), HasSubstr("hard link 'x'"));
  EXPECT_THAT(refusal("this is no archive" + std::string(1000, 'x')), HasSubstr("layer"));
}

TEST_F(LayerImport, RefusesSizesThatCannotFit) {
  const std::string petabyte("\x80\0\0\0\0\x04\0\0\0\0\0\0", 12);  // 2^50 in base-256
  const auto tar = raw_entry("huge", '0', "", "", petabyte) + std::string(1000, 'x');
  try {
    import(tar);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("its files have more than 4294967296 bytes, the limit for its size"));
  }
}

TEST_F(LayerImport, RefusesFilesThatEndEarly) {
  EXPECT_THAT(refusal(raw_entry("cut", '0', "", "", "00010000000") + std::string(1024, 'x')), HasSubstr("'cut'"));
}

TEST_F(LayerImport, RefusesUnknownTypes) {
  const std::string tar = TarBuilder().file("a", "x");
  EXPECT_THROW(import(tar, request(tar, "application/vnd.oci.image.layer.v1.tar+encrypted")), base::Error);
}

TEST_F(LayerImport, StopsOnRequest) {
  const std::string tar = TarBuilder().file("a", "x");
  std::stop_source stop;
  auto wanted = request(tar);
  wanted.stop = stop.get_token();
  stop.request_stop();
  EXPECT_THROW(import(tar, wanted), base::Interrupted);
}

}  // namespace
}  // namespace berth::store
