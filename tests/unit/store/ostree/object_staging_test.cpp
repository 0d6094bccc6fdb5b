// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/object_staging.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/fakes.hpp"
#include "store/ostree/staging.hpp"
#include "waiting.hpp"

namespace {
std::atomic<int> sync_count = 0;  ///< calls of syncfs(2)
}  // namespace

/// The linker prefers this one to that of the C library.
extern "C" int syncfs(int file) noexcept {
  ++sync_count;
  return static_cast<int>(::syscall(SYS_syncfs, file));
}

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ObjectStagingTest : public ::testing::Test {
 protected:
  ObjectStagingTest() {
    fs::create_directories(repository_.path() + "/tmp");
    fs::create_directories(repository_.path() + "/objects");
    fs::create_directories(repository_.path() + "/refs/heads");
  }
  [[nodiscard]] std::size_t temporary_count() const {
    const fs::directory_iterator entries(repository_.path() + "/tmp");
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }
  [[nodiscard]] std::string object(const std::string& path) const { return repository_.path() + "/objects/" + path; }
  static std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }
  static void put(ObjectStaging& staging, const std::string& path, const std::string& content) {
    const auto file = staging.create(path);
    staging.write(file.value().get(), bytes_of(content));
  }
  std::string content(const std::string& path) {
    return base::read_file_at(repository_.fd(), "objects/" + path, 1000).value_or("absent");
  }

  TemporaryDirectory repository_;
};

TEST_F(ObjectStagingTest, ObjectsAreNotVisibleBeforeTheyArePublished) {
  ObjectStaging staging(repository_.fd(), {});
  put(staging, "ab/c.file", "x");
  EXPECT_FALSE(fs::exists(object("ab")));
  EXPECT_FALSE(staging.is_stored("ab/c.file"));
  EXPECT_EQ(staging.read("ab/c.file", 1), "x");
  EXPECT_EQ(staging.read("ab/d.file", 1), std::nullopt);
  staging.publish();
  EXPECT_EQ(content("ab/c.file"), "x");
}

TEST_F(ObjectStagingTest, AddsToExistingDirectoriesAndKeepsTheirFiles) {
  fs::create_directories(object("ab"));
  base::create_file_at(repository_.fd(), "objects/ab/old.file", "old", 0644);
  const auto inode = base::stat_at(repository_.fd(), "objects/ab/old.file")->st_ino;
  ObjectStaging staging(repository_.fd(), {});
  put(staging, "ab/new.file", "new");
  put(staging, "ab/old.file", "old");  // published by another process first
  staging.publish();
  EXPECT_EQ(content("ab/new.file"), "new");
  EXPECT_EQ(base::stat_at(repository_.fd(), "objects/ab/old.file")->st_ino, inode);
}

TEST_F(ObjectStagingTest, PublishesCommitsLast) {
  ObjectStaging staging(repository_.fd(), {});
  put(staging, "ab/one.commit", "commit");
  EXPECT_EQ(staging.read("ab/one.commit", 10), "commit");
  EXPECT_FALSE(staging.create("ab/one.commit"));
  put(staging, "ab/one.dirtree", "tree");
  put(staging, "zz/two.dirtree", "tree");
  fs::remove_all(object("zz"));
  base::create_file_at(repository_.fd(), "objects/zz", "in the way", 0644);
  EXPECT_THROW(staging.publish(), base::Error);
  EXPECT_EQ(content("ab/one.dirtree"), "tree");
  EXPECT_EQ(content("ab/one.commit"), "absent");
  fs::remove(object("zz"));
  staging.publish();
  EXPECT_EQ(content("ab/one.commit"), "commit");
  EXPECT_EQ(content("zz/two.dirtree"), "tree");
}

TEST_F(ObjectStagingTest, RemovesItsFilesUnlessPublished) {
  {
    ObjectStaging staging(repository_.fd(), {});
    put(staging, "ab/c.file", "x");
    auto unnamed = staging.create_unnamed();
    EXPECT_EQ(temporary_count(), 2U);
  }
  EXPECT_EQ(temporary_count(), 0U);
  EXPECT_TRUE(fs::is_empty(repository_.path() + "/objects"));
}

TEST_F(ObjectStagingTest, IsKeptWhileItsOwnerRuns) {
  ObjectStaging staging(repository_.fd(), {});
  put(staging, "ab/c.file", "x");
  remove_stale_staging(repository_.fd());
  staging.publish();
  EXPECT_EQ(content("ab/c.file"), "x");
}

// A directory exists briefly before its lock is held.
TEST_F(ObjectStagingTest, IsKeptFromItsCreation) {
  std::jthread cleaner([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      remove_stale_staging(repository_.fd());
    }
  });
  for (int number = 0; number < 1000; ++number) {
    const auto path = fmt::format("ab/{}.file", number);
    ObjectStaging staging(repository_.fd(), {0, false});
    put(staging, path, "x");
    staging.publish();
    ASSERT_EQ(content(path), "x");
  }
}

TEST_F(ObjectStagingTest, StagesAnObjectOnce) {
  ObjectStaging staging(repository_.fd(), {});
  put(staging, "ab/c.file", "x");
  EXPECT_FALSE(staging.create("ab/c.file"));
  staging.create_link("ab/l.file", "target", 0, 0);
  staging.create_link("ab/l.file", "target", 0, 0);
  auto unnamed = staging.create_unnamed();
  staging.write_large(unnamed, bytes_of("x"));
  staging.name(unnamed, "ab/c.file");
  staging.publish();
  EXPECT_EQ(content("ab/c.file"), "x");
  EXPECT_EQ(base::read_link_at(repository_.fd(), "objects/ab/l.file"), "target");
}

TEST_F(ObjectStagingTest, NamesAFileOnceItsContentIsKnown) {
  ObjectStaging staging(repository_.fd(), {});
  auto unnamed = staging.create_unnamed();
  staging.write_large(unnamed, bytes_of("y"));
  staging.name(unnamed, "cd/e.file");
  staging.publish();
  EXPECT_EQ(content("cd/e.file"), "y");
}

/// Pieces of a large file. The last one is not a multiple of the block size.
class LargeFile {
 public:
  static constexpr std::size_t piece = 4 * ObjectStaging::direct_alignment;
  static constexpr std::size_t size = 2 * piece + ObjectStaging::direct_alignment + 17;
  LargeFile() {
    for (std::size_t at = 0; at < size; ++at) {
      bytes_[at] = static_cast<char>('a' + at % 23);
    }
  }
  void write(ObjectStaging& staging, ObjectStaging::Unnamed& file) const {
    for (auto left = std::as_bytes(std::span(bytes_, size)); !left.empty();) {
      const auto next = left.first(std::min(piece, left.size()));
      staging.write_large(file, next);
      left = left.subspan(next.size());
    }
  }
  [[nodiscard]] std::string text() const { return {bytes_, size}; }

 private:
  alignas(ObjectStaging::direct_alignment) char bytes_[size];
};

TEST_F(ObjectStagingTest, WritesLargeFilesWithoutThePageCache) {
  const LargeFile large;
  ObjectStaging staging(repository_.fd(), {});
  auto unnamed = staging.create_unnamed();
  EXPECT_EQ(unnamed.direct, (::fcntl(unnamed.file.get(), F_GETFL) & O_DIRECT) != 0);
  large.write(staging, unnamed);
  EXPECT_FALSE(unnamed.direct) << "the end is no whole block";
  staging.name(unnamed, "cd/large.file");
  staging.publish();
  EXPECT_EQ(base::read_file_at(repository_.fd(), "objects/cd/large.file", LargeFile::size).value(), large.text());
}

TEST_F(ObjectStagingTest, WritesLargeFilesOnFileSystemsWithoutDirectWrites) {
  const LargeFile large;
  ObjectStaging staging(repository_.fd(), {});
  auto unnamed = staging.create_unnamed();
  // An in-memory file supports no direct writes, like files on an in-memory file system.
  unnamed.file = base::Fd(::memfd_create("large", MFD_CLOEXEC));
  unnamed.direct = true;
  large.write(staging, unnamed);
  std::string found(LargeFile::size + 1, '\0');
  ASSERT_EQ(::pread(unnamed.file.get(), found.data(), found.size(), 0), static_cast<ssize_t>(LargeFile::size));
  found.pop_back();
  EXPECT_EQ(found, large.text());
}

TEST_F(ObjectStagingTest, WritesLargeFilesOfUnalignedSize) {
  const std::string text(3 * ObjectStaging::direct_alignment, 'x');
  ObjectStaging staging(repository_.fd(), {});
  auto unnamed = staging.create_unnamed();
  staging.write_large(unnamed, std::as_bytes(std::span(text)).subspan(1));
  staging.name(unnamed, "cd/odd.file");
  staging.publish();
  EXPECT_EQ(fs::file_size(object("cd/odd.file")), text.size() - 1);
}

TEST_F(ObjectStagingTest, KeepsTheReserveFree) {
  ObjectStaging staging(repository_.fd(), {std::uint64_t{1} << 62U});
  auto unnamed = staging.create_unnamed();
  try {
    staging.write_large(unnamed, bytes_of("y"));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("does not fit"));
    EXPECT_THAT(error.hint(), HasSubstr("free space"));
  }
  EXPECT_THROW(staging.require_room(1), base::Error);
  struct stat status {};
  ASSERT_EQ(::fstat(unnamed.file.get(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(ObjectStagingTest, FlushesLargeAmountsInTheBackground) {
  const std::string much(std::size_t{9} << 20U, 'x');
  {
    ObjectStaging dropped(repository_.fd(), {});
    put(dropped, "ab/c.file", much);
  }
  ObjectStaging staging(repository_.fd(), {});
  const int before = sync_count;
  put(staging, "ab/c.file", much);
  EXPECT_TRUE(test::wait_until("9 MiB are flushed before they are published", [&] { return sync_count > before; }));
  put(staging, "ab/d.file", "xyz");
  staging.publish();
  EXPECT_EQ(fs::file_size(object("ab/c.file")), much.size());
  EXPECT_EQ(content("ab/d.file"), "xyz");
}

TEST_F(ObjectStagingTest, GentleDurabilitySyncsInBetween) {
  ObjectStaging staging(repository_.fd(), {0, true, 2});
  put(staging, "ab/c.file", "xyz");
  put(staging, "ab/d.file", "xyz");
  staging.publish();
  EXPECT_EQ(content("ab/d.file"), "xyz");
}

}  // namespace
}  // namespace berth::store
