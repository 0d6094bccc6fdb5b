// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile images: false sizes, decompression bombs, damaged archives, and a million entries.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "store/fakes.hpp"
#include "store/hostile_image.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class HostileSizes : public ::testing::TestWithParam<HostileImage> {};

TEST_P(HostileSizes, AreRefusedOrExact) {
  expect_outcome(GetParam());
}

class BrokenArchives : public ::testing::TestWithParam<HostileImage> {};

TEST_P(BrokenArchives, AreRefusedOrReadAsTarDoes) {
  expect_outcome(GetParam());
}

const std::string next = raw({.name = "z", .content = "z"}) + tar_end();  // NOLINT(cert-err58-cpp): a table of a test

std::string sized(const std::string& size, const std::string& content = "") {
  return raw({.name = "a", .content = content, .size = size}) + next;
}

std::string pax_sized(const std::string& size, const std::string& content, const std::string& header_size = "") {
  return pax({{"size", size}}) + raw({.name = "a", .content = content, .size = header_size}) + next;
}

std::string without_end(const std::string& archive) {
  return archive.substr(0, archive.size() - tar_end().size());
}

std::string with_byte(std::string archive, std::size_t at, char byte) {
  archive.at(at) = byte;
  return archive;
}

const std::vector<std::string> a_and_z{"a: file 0644 0:0 x", "z: file 0644 0:0 z"};  // NOLINT(cert-err58-cpp)

const std::vector<HostileImage> sizes{
    // NOLINT(cert-err58-cpp)
    {"Negative", stack(sized(base256(-1))), "the first header: 'Tar entry has negative size'"},
    {"VeryNegative", stack(sized(base256(-0x7fff'ffff'ffff'ffff))), "the first header: 'Tar entry has negative size'"},
    {"NegativeInPax", stack(pax_sized("-1", "x")), "the first header: 'Tar size attribute is negative'"},
    {"NegativeHiddenByAName", stack(pax({{"uname", "\xff"}}) + raw({.name = "a", .size = base256(-1)}) + next),
     "the first header: 'Tar entry has negative size'"},
    {"Base256", stack(sized(base256(1), "x")), "", a_and_z},
    {"MoreThanThereIs", stack(raw({.name = "a", .content = "x", .size = "00000077777"})),
     "data of 'a': 'Truncated tar archive'"},
    {"MoreThanThereIsOfALink",
     stack(raw({.name = "a", .type = '2', .link = "x", .size = "00000077777"}) + next),
     "",
     {"a: link x", "z: file 0644 0:0 z"}},
    {"MoreThanAnyDisk", stack(sized(base256(0x7fff'ffff'ffff'ffff))), "the first header: 'Tar entry size overflow'"},
    {"MoreThanTheLimitOfTheLayer", stack(sized(base256(std::int64_t{5} << 30))), "the limit for its size"},
    {"MoreThanTheLimitTogether",
     stack(pax({{"GNU.sparse.map", "0,0"}, {"GNU.sparse.size", "5368709120"}}) + raw({.name = "a"}) + next),
     "the limit for its size"},
    {"PaxIsMoreThanTheHeader", stack(pax_sized("1", "x", "00000000000")), "", a_and_z},
    {"PaxIsLessThanTheHeader", stack(pax_sized("1", "x", "00000077777")), "", a_and_z},
    {"PaxIsMoreThanThereIs", stack(pax_sized("1000000", "x")), "data of 'a': 'Truncated tar archive'"},
    {"PaxIsNoNumber", stack(pax_sized("one", "x")), "the header after 'a': it is damaged, truncated or invalid"},
    {"PaxIsBeyond64Bits", stack(pax_sized("99999999999999999999", "x")),
     "the first header: 'Tar size attribute overflow'"},
    {"HardLinkThatHidesAHeader",
     stack(raw({.name = "f", .content = "x"}) + raw({.name = "h", .type = '1', .link = "f", .size = "00000001000"}) +
           next),
     "",
     {"f: file 0644 0:0 x", "h: file 0644 0:0 x", "z: file 0644 0:0 z"}},
};

const std::vector<HostileImage> sparse{
    // NOLINT(cert-err58-cpp)
    {"Pax", stack(TarBuilder().sparse("a", 10, 4, "data")), "", {std::string("a: file 0755 0:0 \0\0\0\0data\0\0", 27)}},
    {"Gnu",
     stack(TarBuilder(TarBuilder::Format::gnu).sparse("a", 10, 4, "data")),
     "",
     {std::string("a: file 0755 0:0 \0\0\0\0data\0\0", 27)}},
    {"DataBeyondTheEnd",
     stack(pax({{"GNU.sparse.map", "100,1"}, {"GNU.sparse.size", "10"}}) + raw({.name = "a", .content = "x"}) + next),
     "lies outside its 10 bytes"},
    {"NegativeOffset",
     stack(pax({{"GNU.sparse.map", "-5,1"}, {"GNU.sparse.size", "10"}}) + raw({.name = "a", .content = "x"}) + next),
     "the first header: it is damaged, truncated or invalid"},
    {"NegativeSize", stack(pax({{"GNU.sparse.size", "-10"}}) + raw({.name = "a", .content = "x"}) + next),
     "'a' has the size -10"},
    {"Overlapping",
     stack(pax({{"GNU.sparse.map", "5,1,0,1"}, {"GNU.sparse.size", "10"}}) + raw({.name = "a", .content = "xy"}) +
           next),
     "data of 'a' lies outside its 10 bytes"},
    {"MapIsNoMap",
     stack(pax({{"GNU.sparse.map", "a,b"}, {"GNU.sparse.size", "10"}}) + raw({.name = "a", .content = "x"}) + next),
     "the first header: it is damaged, truncated or invalid"},
    {"UnknownVersion",
     stack(pax({{"GNU.sparse.major", "7"}, {"GNU.sparse.minor", "3"}}) + raw({.name = "a", .content = "x"}) + next),
     "the first header: 'Unrecognized GNU sparse file format'"},
    {"Huge",
     stack(pax({{"GNU.sparse.map", "0,1"}, {"GNU.sparse.size", "1152921504606846976"}}) +
           raw({.name = "a", .content = "x"}) + next),
     "the limit for its size"},
};

const std::string healthy = raw({.name = "a", .content = "x"}) + next;  // NOLINT(cert-err58-cpp)

const std::vector<HostileImage> broken{
    // NOLINT(cert-err58-cpp)
    {"Empty", stack(""), "", {}},
    {"OnlyTheEnd", stack(tar_end()), "", {}},
    {"NoEnd", stack(without_end(healthy)), "", a_and_z},
    {"NoPadding", stack((raw({.name = "a", .content = "x"}) + raw({.name = "z", .content = "z"})).substr(0, 1537)), "",
     a_and_z},
    {"CutInTheDataOfItsLastBlock", stack(raw({.name = "a", .content = "xyz"}).substr(0, 513)),
     "data of 'a': 'Truncated tar archive'"},
    {"HalfAnEnd", stack(without_end(healthy) + std::string(512, '\0')), "", a_and_z},
    {"DataBehindTheEnd", stack(healthy + "whatever comes here is no part of the archive"), "", a_and_z},
    {"AnArchiveBehindTheEnd", stack(healthy + raw({.name = "../evil"}) + tar_end()), "", a_and_z},
    {"Text", stack("this is no archive, but it is as long as a block " + std::string(1000, '.')),
     "it is not a tar archive: 'Unrecognized archive format'"},
    {"ShortText", stack("x"), "it is not a tar archive: 'Unrecognized archive format'"},
    {"CutInAHeader", stack(healthy.substr(0, 300)), "data of 'a': 'Truncated tar archive'"},
    {"CutInTheSecondHeader", stack(healthy.substr(0, 1100)),
     "the header after 'a': it is damaged, truncated or invalid"},
    {"CutInAPaxHeader", stack(pax({{"path", "b"}}).substr(0, 515)),
     "the first header: it is damaged, truncated or invalid"},
    {"PaxHeaderAndNothing", stack(pax({{"path", "b"}})), "the first header: it is damaged, truncated or invalid"},
    {"PaxHeaderAndTheEnd", stack(pax({{"path", "b"}}) + tar_end()),
     "the first header: it is damaged, truncated or invalid"},
    {"GnuNameAndNothing", stack(gnu_long("b")), "the first header: it is damaged, truncated or invalid"},
    {"WrongChecksum", stack(with_byte(healthy, 0, 'b')), "it is not a tar archive: 'Unrecognized archive format'"},
    {"WrongChecksumOfTheSecond", stack(with_byte(healthy, 1024, 'b')),
     "the header after 'a': it is damaged, truncated or invalid"},
    {"PaxLengthTooLong", stack(raw({.name = "p", .type = 'x', .content = "99 path=b\n"}) + healthy),
     "the first header: 'malformed pax extended attribute'"},
    {"PaxLengthTooShort", stack(raw({.name = "p", .type = 'x', .content = "5 path=b\n"}) + healthy),
     "the first header: 'malformed pax extended attribute'"},
    {"PaxLengthZero", stack(raw({.name = "p", .type = 'x', .content = "0 path=b\n"}) + healthy),
     "the first header: 'malformed pax extended attribute'"},
    {"PaxLengthHuge", stack(raw({.name = "p", .type = 'x', .content = "99999999999999999999 path=b\n"}) + healthy),
     "the first header: 'Rejecting pax extended attribute > 1MB'"},
    {"PaxWithoutKey", stack(raw({.name = "p", .type = 'x', .content = "5 =b\n"}) + healthy),
     "the first header: it is damaged, truncated or invalid"},
    {"PaxWithoutEquals", stack(raw({.name = "p", .type = 'x', .content = "8 pathb\n"}) + healthy),
     "the first header: 'Invalid pax extended attributes'"},
    {"PaxWithoutNewline", stack(raw({.name = "p", .type = 'x', .content = "10 path=bb"}) + healthy),
     "the first header: 'malformed pax extended attribute'"},
    {"PaxOfNegativeSize", stack(raw({.name = "p", .type = 'x', .size = base256(-1)}) + healthy),
     "the first header: 'Special header too large'"},
    {"PaxOfAGigabyte", stack(raw({.name = "p", .type = 'x', .size = "10000000000"}) + healthy),
     "Special header too large"},
    {"PaxUponPax", stack([] {
       std::string text;
       for (int i = 0; i < 1000; ++i) {
         text += pax({{"comment", "x"}});
       }
       return text + healthy;
     }()),
     "the first header: 'malformed pax extended attribute'"},
    {"GlobalPaxMeansNothing", stack(pax({{"comment", "0123456789abcdef"}}, 'g') + healthy), "", a_and_z},
    {"VolumeHeader", stack(raw({.name = "volume", .type = 'V'}) + healthy), "", a_and_z},
    {"CpioIsNoTar", stack("070701" + std::string(600, '0')), "it is not a tar archive: 'Unrecognized archive format'"},
    // Its first bytes identify it as uncompressed; then it does not match the diff id of the configuration.
    {"GzipCalledTar", stack(pack(healthy, image::Compression::gzip)), "its unpacked bytes have the digest"},
};

INSTANTIATE_TEST_SUITE_P(Declared, HostileSizes, ::testing::ValuesIn(sizes), test_name);
INSTANTIATE_TEST_SUITE_P(Sparse, HostileSizes, ::testing::ValuesIn(sparse), test_name);
INSTANTIATE_TEST_SUITE_P(Tar, BrokenArchives, ::testing::ValuesIn(broken), test_name);

// Compressed layers

constexpr const char* gzip_type = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr const char* zstd_type = "application/vnd.oci.image.layer.v1.tar+zstd";

class PackedLayers : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_, GetParam());
  Store store_ = Store::open(options_);

  std::vector<std::string> names() {
    std::vector<std::string> result;
    for (const char* part : {"/objects", "/tmp", "/refs"}) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(options_.repository + part)) {
        result.push_back(entry.path().string());
      }
    }
    std::sort(result.begin(), result.end());
    return result;
  }
  /// The error for a layer of these compressed bytes; the repository must not change.
  std::string refusal(const std::string& packed, const std::string& unpacked, const char* type) {
    const auto before = names();
    FakeSource source;
    source.raw_layer(packed, base::digest_of(unpacked).text(), type);
    try {
      store_.pull(source, {});
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification) << error.what();
      EXPECT_THAT(names(), ElementsAreArray(before));
      return error.what();
    }
    return "imported";
  }
  std::vector<std::string> import(const std::string& packed, const std::string& unpacked, const char* type) {
    FakeSource source;
    source.raw_layer(packed, base::digest_of(unpacked).text(), type);
    store_.checkout(store_.pull(source, {}).image.commit, directory_.fd(), "rootfs");
    return listing(directory_.path() + "/rootfs");
  }
};

INSTANTIATE_TEST_SUITE_P(Modes, PackedLayers, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user),
                         [](const auto& mode) { return mode.param == RepositoryMode::bare ? "Bare" : "BareUser"; });

std::string repeated(const std::string& text, std::size_t times) {
  std::string result;
  result.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) {
    result += text;
  }
  return result;
}

TEST_P(PackedLayers, ConcatenatedGzipMembersAreOneStream) {
  const auto cut = healthy.size() / 2;
  const auto packed =
      pack(healthy.substr(0, cut), image::Compression::gzip) + pack(healthy.substr(cut), image::Compression::gzip);
  EXPECT_EQ(import(packed, healthy, gzip_type).size(), 2U);
}

TEST_P(PackedLayers, ConcatenatedZstdFramesAreOneStream) {
  const auto cut = healthy.size() / 2;
  const auto packed =
      pack(healthy.substr(0, cut), image::Compression::zstd) + pack(healthy.substr(cut), image::Compression::zstd);
  EXPECT_EQ(import(packed, healthy, zstd_type).size(), 2U);
}

TEST_P(PackedLayers, DamagedStreamsAreRefused) {
  const auto gzip = pack(healthy, image::Compression::gzip);
  const auto zstd = pack(healthy, image::Compression::zstd);
  EXPECT_THAT(refusal(gzip.substr(0, gzip.size() - 1), healthy, gzip_type), HasSubstr("truncated"));
  EXPECT_THAT(refusal(gzip.substr(0, gzip.size() / 2), healthy, gzip_type), HasSubstr("truncated"));
  EXPECT_THAT(refusal(gzip.substr(0, 5), healthy, gzip_type), HasSubstr("truncated"));
  EXPECT_THAT(refusal(zstd.substr(0, zstd.size() - 1), healthy, zstd_type), HasSubstr("truncated"));
  EXPECT_THAT(refusal(gzip + "garbage", healthy, gzip_type), HasSubstr("bytes after the end"));
  EXPECT_THAT(refusal(zstd + "garbage", healthy, zstd_type), HasSubstr("zstd data is damaged"));
  EXPECT_THAT(refusal(with_byte(gzip, gzip.size() - 6, 'x'), healthy, gzip_type), HasSubstr("checksum"));
}

/// The first bytes determine the compression, and the uncompressed bytes must match the diff id.
TEST_P(PackedLayers, AWrongMediaTypeIsIgnored) {
  const auto gzip = pack(healthy, image::Compression::gzip);
  const auto zstd = pack(healthy, image::Compression::zstd);
  EXPECT_EQ(import(gzip, healthy, zstd_type).size(), 2U);
  EXPECT_THAT(refusal(gzip, healthy + "x", zstd_type), HasSubstr("unpacks to"));
  EXPECT_THAT(refusal(zstd.substr(0, zstd.size() / 2), healthy, gzip_type), HasSubstr("truncated"));
}

TEST_P(PackedLayers, ABombInOneFileIsRefusedAtItsHeader) {
  const auto header = raw({.name = "bomb", .size = base256(std::int64_t{5} << 30)});
  const std::string zeros(std::size_t{1} << 20U, '\0');
  const auto gzip = pack(header, image::Compression::gzip) + repeated(pack(zeros, image::Compression::gzip), 2000);
  EXPECT_THAT(refusal(gzip, "", gzip_type), HasSubstr("the limit for its size"));
  const auto zstd = pack(header, image::Compression::zstd) + repeated(pack(zeros, image::Compression::zstd), 2000);
  EXPECT_THAT(refusal(zstd, "", zstd_type), HasSubstr("the limit for its size"));
}

TEST_P(PackedLayers, ABombAfterTheEndOfTheArchiveIsRefusedEarly) {
  const std::string zeros(std::size_t{1} << 20U, '\0');
  const auto gzip = pack(healthy, image::Compression::gzip) + repeated(pack(zeros, image::Compression::gzip), 5000);
  EXPECT_THAT(refusal(gzip, "", gzip_type), HasSubstr("after the end of its archive"));
  const auto zstd = pack(healthy, image::Compression::zstd) + repeated(pack(zeros, image::Compression::zstd), 5000);
  EXPECT_THAT(refusal(zstd, "", zstd_type), HasSubstr("after the end of its archive"));
}

/// In one mode only: no file is stored, and decompressing 4 GiB is slow.
class SkippedData : public PackedLayers {};
INSTANTIATE_TEST_SUITE_P(Mode, SkippedData, ::testing::Values(RepositoryMode::bare),
                         [](const auto& /*info*/) { return "Bare"; });

TEST_P(SkippedData, IsBoundedByTheLimitOfALayer) {
  // The data of a whiteout is not stored.
  const auto header = pax({{"size", "1099511627776"}}) + raw({.name = ".wh.f"});
  const std::string zeros(std::size_t{64} << 20U, '\0');
  const auto zstd = pack(header, image::Compression::zstd) + repeated(pack(zeros, image::Compression::zstd), 70);
  EXPECT_THAT(refusal(zstd, "", zstd_type), HasSubstr("the limit for its size"));
}

/// The limit for their size allows these layers, but the disk is too small: no data is written beyond the reserve.
TEST_P(PackedLayers, ABombStopsAtTheDiskReserve) {
  std::ofstream(options_.repository + "/config", std::ios::app) << "min-free-space-percent=99\n";
  store_ = Store::open(options_);
  const auto before = names();
  const auto header = raw({.name = "bomb", .size = base256(std::int64_t{3} << 30)});
  for (const auto& unpacked : {header + std::string(1000, 'x'), std::string(TarBuilder().file("small", "x"))}) {
    FakeSource source;
    source.raw_layer(pack(unpacked, image::Compression::gzip), base::digest_of(unpacked).text(), gzip_type);
    try {
      store_.pull(source, {});
      ADD_FAILURE() << "imported";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::failed) << error.what();
      EXPECT_THAT(error.hint(), HasSubstr("free space on the file system")) << error.what();
    }
    EXPECT_THAT(names(), ElementsAreArray(before));
  }
}

// Many entries

/// Returns a tar archive of `count` entries in directories of a thousand: one file with content, hard links to it, and
/// empty files, which are one object. It is generated while it is read. As many files with content would measure the
/// disk and not the memory.
class ManyEntries final : public base::ByteStream {
 public:
  explicit ManyEntries(std::size_t count) : count_(count) {}
  std::size_t read(std::span<std::byte> buffer) override {
    while (pending_.size() < buffer.size() && made_ <= count_) {
      pending_ += made_ == count_ ? tar_end() : entry();
      ++made_;
    }
    const auto count = std::min(buffer.size(), pending_.size());
    std::copy_n(reinterpret_cast<const std::byte*>(pending_.data()), count, buffer.begin());
    pending_.erase(0, count);
    return count;
  }

 private:
  [[nodiscard]] std::string entry() const {
    const auto directory = fmt::format("directory-{}", made_ / 1000);
    const auto name = fmt::format("{}/file-{}", directory, made_ % 1000);
    if (made_ % 1000 == 0) {
      return raw({.name = name, .content = directory});
    }
    return made_ % 2 == 0 ? raw({.name = name, .type = '1', .link = directory + "/file-0"}) : raw({.name = name});
  }
  std::size_t count_;
  std::size_t made_ = 0;
  std::string pending_;
};

/// An image of one such layer.
class ManyEntriesSource final : public image::ImageSource {
 public:
  explicit ManyEntriesSource(std::size_t count) : count_(count) {
    ManyEntries entries(count);
    base::Hasher hasher(base::DigestAlgorithm::sha256);
    std::vector<std::byte> piece(std::size_t{1} << 20U);
    while (const auto read = entries.read(piece)) {
      hasher.update(std::span<const std::byte>(piece).first(read));
      size_ += read;
    }
    digest_ = hasher.finish();
    config_ = fmt::format(R"({{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{}"]}}}})",
                          digest_->text());
  }
  const image::ImageName& name() const override { return name_; }
  image::ResolvedManifest resolve(const image::Platform& /*platform*/) override {
    const auto text = fmt::format(
        R"({{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}",)"
        R"("size":{}}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":{}}}]}})",
        base::digest_of(config_).text(), config_.size(), digest_->text(), size_);
    const char* type = "application/vnd.oci.image.manifest.v1+json";
    return {text, base::digest_of(text), std::get<image::Manifest>(image::parse_manifest(text, type, "manifest"))};
  }
  std::unique_ptr<base::ByteStream> open_blob(const image::Descriptor& descriptor) override {
    if (descriptor.digest == *digest_) {
      return std::make_unique<ManyEntries>(count_);
    }
    return std::make_unique<MemoryStream>(config_);
  }

 private:
  image::ImageName name_ = image::parse_image_name("localhost/many:latest");
  std::size_t count_;
  std::uint64_t size_ = 0;
  std::optional<base::Digest> digest_;
  std::string config_;
};

/// A number of KiB from /proc/self/status, see proc(5).
long status_kib(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) {
      return std::stol(line.substr(key.size() + 1));
    }
  }
  return 0;
}

/// By how much a pull increases the peak memory of this process, in KiB.
long import_growth(const StoreOptions& options, std::size_t entries) {
  ManyEntriesSource source(entries);
  std::ofstream("/proc/self/clear_refs") << 5;  // resets VmHWM
  const auto before = status_kib("VmRSS");
  Store::open(options).pull(source, {});
  return status_kib("VmHWM") - before;
}

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer);
#else
constexpr bool sanitized = false;
#endif

TEST(ManyEntries, NeedBoundedMemory) {
  constexpr std::size_t entries = sanitized ? 50'000 : 1'000'000;  // a million takes minutes under a sanitizer
  constexpr long limit_kib = (sanitized ? 1000L : 300L) * 1024;    // the sanitizer keeps freed memory for a while
  const TemporaryDirectory directory;
  RecordingReporter reporter;
  const auto options = options_for(directory, reporter);
  EXPECT_LT(import_growth(options, entries), limit_kib);
  EXPECT_EQ(Store::open(options).images(false).size(), 1U);
}

}  // namespace
}  // namespace berth::store
