// SPDX-License-Identifier: LGPL-2.1-or-later
// berth and libostree write identical repositories; recovery after a killed pull.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/content/content_writer.hpp"
#include "store/fakes.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/object_staging.hpp"
#include "store/ostree/repository.hpp"
#include "store/store.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
namespace fs = std::filesystem;

class ObjectAuthorTest : public ::testing::TestWithParam<RepositoryMode> {
 protected:
  StoreOptions options(const TemporaryDirectory& directory, ObjectAuthor author) {
    auto result = options_for(directory, reporter_, GetParam());
    result.writer = author;
    return result;
  }
  static void describe_image(FakeSource& source) {
    source
        .layer(TarBuilder()
                   .directory("d", {1, 2, 0750, {{"user.d", "1"}}})
                   .file("d/empty", "")
                   .file("d/setuid", "program", {0, 0, 04755, {}})
                   .file("d/owned", "x", {70'000, 5, 0640, {{"user.a", "1"}}})
                   .file("d/huge", std::string(3'000'000, 'h'))
                   .file("d/closed", "z", {0, 0, 0, {}})
                   .file("d/huge-closed", std::string(2'000'000, 'i'), {0, 0, 0, {}})
                   .file("d/everybody", "a", {0, 0, 0666, {}})
                   .link("d/link", "../größe", 7)
                   .hard_link("same", "d/huge")
                   .sparse("sparse", 3'000'000, 2'000'000, "data"))
        .layer(TarBuilder().file("d/.wh.empty", "").file("new/deep/file", "y"), image::Compression::zstd);
  }

  RecordingReporter reporter_;
};

TEST_P(ObjectAuthorTest, DoesNotChangeObjectsOrCommits) {
  const TemporaryDirectory ours;
  const TemporaryDirectory theirs;
  std::vector<std::string> commits;
  for (const auto& options : {options(ours, ObjectAuthor::own), options(theirs, ObjectAuthor::libostree)}) {
    FakeSource source;
    describe_image(source);
    commits.push_back(Store::open(options).pull(source, {}).image.commit);
    ostree(options.repository, {"fsck", "--quiet"});
  }
  EXPECT_EQ(commits[0], commits[1]);
  std::vector<std::vector<ObjectName>> objects(2);
  for (const auto* directory : {&ours, &theirs}) {
    auto& names = objects[directory == &theirs ? 1 : 0];
    visit_object_files(Repository::open(options_for(*directory, reporter_, GetParam())).directory(),
                       [&](const ObjectFile& file) { names.push_back(file.name); });
    std::sort(names.begin(), names.end());
  }
  EXPECT_EQ(objects[0], objects[1]);
}

// Where possible, files are created with their final owner and mode.
TEST_P(ObjectAuthorTest, UmaskAndInheritedGroupsDoNotMatter) {
  const auto before = ::umask(0);
  for (const mode_t mask : {0077U, 0U}) {
    ::umask(mask);
    const TemporaryDirectory directory;
    ASSERT_EQ(::chown(directory.path().c_str(), 0, 55), 0);
    fs::permissions(directory.path(), fs::perms::set_gid, fs::perm_options::add);
    const auto ours = options(directory, ObjectAuthor::own);
    FakeSource source;
    describe_image(source);
    Store::open(ours).pull(source, {});
    ostree(ours.repository, {"fsck", "--quiet"});
  }
  ::umask(before);
}

TEST_P(ObjectAuthorTest, BothAuthorsCanWriteToOneRepository) {
  const TemporaryDirectory directory;
  FakeSource first("localhost/one:latest");
  describe_image(first);
  FakeSource second("localhost/two:latest");
  second.layer(TarBuilder().file("d/huge", std::string(3'000'000, 'h')).file("more", "z"));
  const auto repository = options(directory, ObjectAuthor::libostree).repository;
  Store::open(options(directory, ObjectAuthor::libostree)).pull(first, {});
  Store::open(options(directory, ObjectAuthor::own)).pull(second, {});
  ostree(repository, {"fsck", "--quiet"});
  EXPECT_EQ(Store::open(options(directory, ObjectAuthor::own)).images(false).size(), 2U);
}

TEST_P(ObjectAuthorTest, GentleDurabilityWritesTheSameObjects) {
  const TemporaryDirectory directory;
  auto gentle = options(directory, ObjectAuthor::own);
  gentle.durability = Durability::gentle;
  FakeSource source;
  source.layer(TarBuilder().file("large", std::string(40'000'000, 'l')));
  Store::open(gentle).pull(source, {});
  ostree(gentle.repository, {"fsck", "--quiet"});
}

/// Staging directories in `tmp` of the repository.
std::vector<std::string> staging_of(const std::string& repository) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(repository + "/tmp")) {
    if (entry.path().filename().string().starts_with("staging-")) {
      names.push_back(entry.path().string());
    }
  }
  return names;
}

/// Runs `work` in a child process that is then killed, without any cleanup.
template <typename Work>
void in_dying_process(const Work& work) {
  const auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      work();
    } catch (...) {
      ::_exit(1);
    }
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
}

/// Writes a file that is too large for one piece.
void write_large_file(const Repository& repository) {
  constexpr std::size_t size = 3'000'000;
  MemoryStream stream(std::string(size, 'h'));
  static_cast<void>(ContentWriter(repository).file({0, 0, 0644, {}}, Content(size, [&](auto buffer) {
                                                     return stream.read(buffer);
                                                   })));
}

TEST_P(ObjectAuthorTest, ATruncatedStagedObjectIsNotUsed) {
  const TemporaryDirectory directory;
  const auto own = options(directory, ObjectAuthor::own);
  FakeSource source;
  describe_image(source);
  in_dying_process([&] {
    // The objects are staged, but not synced or published.
    const auto repository = Repository::open(own);
    const Transaction transaction(repository);
    write_large_file(repository);
    static_cast<void>(ContentWriter(repository).marker());
    ::kill(::getpid(), SIGKILL);
  });
  std::size_t torn = 0;
  for (const auto& entry : fs::recursive_directory_iterator(own.repository + "/tmp")) {
    if (entry.is_regular_file() && entry.path().extension() == ".file") {
      fs::resize_file(entry.path(), 0);  // the effect of a power failure on a file that was not synced
      ++torn;
    }
  }
  EXPECT_EQ(torn, 2U);
  EXPECT_TRUE(fs::is_empty(own.repository + "/objects"));
  Store::open(own).pull(source, {});
  EXPECT_TRUE(staging_of(own.repository).empty());
  ostree(own.repository, {"fsck", "--quiet"});
}

TEST_P(ObjectAuthorTest, AKilledPublishLeavesCompleteObjectsForTheNextPull) {
  const TemporaryDirectory directory;
  const auto own = options(directory, ObjectAuthor::own);
  FakeSource source;
  describe_image(source);
  in_dying_process([&] {
    const auto repository = Repository::open(own);
    const Transaction transaction(repository);
    write_large_file(repository);
    repository.staging()->publish();
    ::kill(::getpid(), SIGKILL);
  });
  std::vector<ObjectFile> found;
  const auto look = [&] {
    found.clear();
    visit_object_files(Repository::open(own).directory(), [&](const ObjectFile& file) { found.push_back(file); });
  };
  look();
  ASSERT_EQ(found.size(), 1U);
  const auto before = found.front();
  Store::open(own).pull(source, {});
  look();
  const auto again =
      std::find_if(found.begin(), found.end(), [&](const auto& file) { return file.name == before.name; });
  ASSERT_NE(again, found.end());
  EXPECT_EQ(again->inode, before.inode);
  ostree(own.repository, {"fsck", "--quiet"});
}

TEST_P(ObjectAuthorTest, APullKeepsTheStagingDirectoryOfAnotherProcess) {
  const TemporaryDirectory directory;
  const auto own = options(directory, ObjectAuthor::own);
  const auto repository = Repository::open(own);
  Transaction running(repository);
  static_cast<void>(ContentWriter(repository).marker());
  FakeSource source;
  describe_image(source);
  Store::open(own).pull(source, {});
  running.commit();
  ostree(own.repository, {"fsck", "--quiet"});
  EXPECT_TRUE(staging_of(own.repository).empty());
}

INSTANTIATE_TEST_SUITE_P(Modes, ObjectAuthorTest, ::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user));

}  // namespace
}  // namespace berth::store
