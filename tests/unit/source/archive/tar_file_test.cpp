// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/tar_file.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <stop_token>
#include <thread>

#include "failure.hpp"
#include "packed.hpp"
#include "scratch_directory.hpp"
#include "source/sample_image.hpp"
#include "source/tar_builder.hpp"

namespace berth::source {
namespace {

using test::compress;
using test::drain;
using test::failure_of;
using test::TarBuilder;
using testing::HasSubstr;

class TarFileTest : public testing::Test {
 protected:
  std::string write(const std::string& bytes) { return directory_.write("a.tar", bytes); }
  static std::string content(const TarFile& file, const std::string& name) {
    const auto stream = file.open(name);
    return stream ? drain(*stream) : "(none)";
  }
  const test::TempDirectory directory_;
};

TEST_F(TarFileTest, ReadsPlainAndCompressedArchives) {
  const std::string big(2'000'000, 'b');
  for (const int filter :
       {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_BZIP2}) {
    const TarFile file(
        write(TarBuilder(filter).directory("d").file("./big", big).file("d/small", "s").file("empty", "").finish()));
    EXPECT_EQ(content(file, "big"), big);
    EXPECT_EQ(content(file, "d/small"), "s");
    EXPECT_EQ(content(file, "./d//small"), "s");
    EXPECT_EQ(content(file, "empty"), "");
    EXPECT_EQ(content(file, "d"), "(none)");
    EXPECT_EQ(content(file, "missing"), "(none)");
    EXPECT_EQ(file.size("big"), 2'000'000);
    EXPECT_EQ(file.size("missing"), std::nullopt);
  }
}

TEST_F(TarFileTest, ReadsFromSeveralThreads) {
  const std::string one(1'000'000, '1');
  const std::string two(1'500'000, '2');
  const TarFile file(write(TarBuilder().file("1", one).file("2", two).finish()));
  std::atomic<int> good = 0;
  std::vector<std::jthread> threads;
  for (int at = 0; at < 8; ++at) {
    threads.emplace_back([&, at] { good += at % 2 == 0 ? content(file, "1") == one : content(file, "2") == two; });
  }
  threads.clear();
  EXPECT_EQ(good, 8);
}

TEST_F(TarFileTest, UsesTheLastOfEqualNames) {
  EXPECT_EQ(content(TarFile(write(TarBuilder().file("a", "1").file("a", "2").finish())), "a"), "2");
}

TEST_F(TarFileTest, FollowsLinksInsideTheArchive) {
  const TarFile file(write(TarBuilder()
                               .file("x/layer.tar", "content")
                               .symlink("y/layer.tar", "../x/layer.tar")
                               .hard_link("z", "x/layer.tar")
                               .symlink("w", "y/layer.tar")
                               .finish()));
  EXPECT_EQ(content(file, "y/layer.tar"), "content");
  EXPECT_EQ(content(file, "z"), "content");
  EXPECT_EQ(content(file, "w"), "content");
  EXPECT_EQ(file.size("w"), 7);
}

TEST_F(TarFileTest, LinksOutOfTheArchiveAndLoopsHaveNoTarget) {
  const TarFile file(write(TarBuilder()
                               .symlink("out", "../../etc/passwd")
                               .symlink("absolute", "/etc/passwd")
                               .symlink("a", "b")
                               .symlink("b", "a")
                               .finish()));
  for (const std::string name : {"out", "absolute", "a", "b", "../etc/passwd"}) {
    EXPECT_EQ(content(file, name), "(none)") << name;
  }
}

TEST_F(TarFileTest, RefusesOtherFiles) {
  EXPECT_EQ(failure_of([&] { TarFile(directory_.path("missing")); }).kind(), base::ErrorKind::not_found);
  EXPECT_THAT(failure_of([&] { TarFile(directory_.path()); }).hint(), HasSubstr("oci:DIR"));
  ::mkfifo(directory_.path("fifo").c_str(), 0600);
  EXPECT_THAT(failure_of([&] { TarFile(directory_.path("fifo")); }).message(), HasSubstr("not a regular file"));
  const auto error = failure_of([&] { TarFile(write("this is a text and no archive at all")); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr("a.tar"));
}

TEST_F(TarFileTest, RecognisesCompressedMembers) {
  const TarFile file(
      write(TarBuilder().file("a", compress("x", ARCHIVE_FILTER_GZIP)).symlink("b", "a").file("c", "x").finish()));
  EXPECT_TRUE(file.is_compressed("a"));
  EXPECT_TRUE(file.is_compressed("b"));
  EXPECT_FALSE(file.is_compressed("c"));
  EXPECT_FALSE(file.is_compressed("missing"));
}

TEST_F(TarFileTest, StopsOnRequest) {
  std::stop_source stop;
  const auto path = write(TarBuilder().file("a", std::string(1'000'000, 'x')).file("b", "b").finish());
  const TarFile file(path, stop.get_token());
  const auto stream = file.open("a");
  stop.request_stop();
  EXPECT_THROW(drain(*stream), base::Interrupted);
  EXPECT_THROW(TarFile(path, stop.get_token()), base::Interrupted);
}

TEST_F(TarFileTest, DetectsTruncation) {
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP}) {
    std::string noise;
    for (unsigned at = 0; at < 500'000; ++at) {
      noise += static_cast<char>((at * 2654435761U) >> 13U);
    }
    const auto whole = TarBuilder(filter).file("a", noise).file("b", "b").finish();
    const auto path = write(whole.substr(0, whole.size() / 2));
    EXPECT_EQ(failure_of([&] {
                const TarFile file(path);
                content(file, "a");
              }).kind(),
              base::ErrorKind::verification);
  }
}

TEST_F(TarFileTest, BoundsTheMembers) {
  TarBuilder builder(ARCHIVE_FILTER_GZIP);
  for (int at = 0; at < 100'001; ++at) {
    builder.file(std::to_string(at), "");
  }
  const auto path = write(builder.finish());
  EXPECT_THAT(failure_of([&] { TarFile file(path); }).message(), HasSubstr("more than 100000 members"));
}

TEST_F(TarFileTest, BoundsTheMemoryOfNames) {
  TarBuilder builder(ARCHIVE_FILTER_GZIP);
  for (int at = 0; at < 40; ++at) {
    builder.symlink(std::to_string(at) + std::string(250'000, 'n'), std::string(250'000, 't'));
  }
  const auto path = write(builder.finish());
  EXPECT_THAT(failure_of([&] { TarFile file(path); }).message(), HasSubstr("take more than 16 MiB of memory"));
}

// Each further compression could multiply the size by a thousand.
TEST_F(TarFileTest, RefusesArchivesThatAreCompressedTwice) {
  auto packed = TarBuilder(ARCHIVE_FILTER_GZIP).file("big", std::string(1'000'000, '\0')).finish();
  for (int times = 2; times <= 3; ++times) {
    packed = compress(packed, ARCHIVE_FILTER_GZIP);
    const auto path = write(packed);
    EXPECT_THAT(failure_of([&] { TarFile file(path); }).message(), HasSubstr("compressed more than once"));
  }
}

// A sparse header can declare a large size in a small archive.
TEST_F(TarFileTest, RefusesMembersLargerThanTheArchiveCanContain) {
  const TarFile file(write(TarBuilder().sparse("huge", std::int64_t{1} << 40U).file("small", "s").finish()));
  EXPECT_EQ(content(file, "small"), "s");
  EXPECT_THAT(failure_of([&] { content(file, "huge"); }).message(), HasSubstr("the limit for the size of the archive"));
}

TEST_F(TarFileTest, StopsWhileItDecompresses) {
  std::stop_source stop;
  const auto path = write(TarBuilder(ARCHIVE_FILTER_GZIP).file("big", std::string(3'000'000, 'x')).finish());
  const TarFile file(path, stop.get_token());
  const auto stream = file.open("big");
  std::array<std::byte, 1000> buffer{};
  EXPECT_EQ(stream->read(buffer), 1000U);
  stop.request_stop();
  EXPECT_THROW(stream->read(buffer), base::Interrupted);
  EXPECT_THROW(const TarFile again(path, stop.get_token()), base::Interrupted);
}

}  // namespace
}  // namespace berth::source
