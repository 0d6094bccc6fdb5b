// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "failure.hpp"
#include "store/content/content_writer.hpp"
#include "store/damage.hpp"
#include "store/fakes.hpp"
#include "store/ostree/repository_creation.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
using test::failure_of;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class RepositoryTest : public ::testing::Test {
 protected:
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);
};

Checksum write_empty_commit(const Repository& repository, std::int64_t time = 5) {
  const auto metadata = own(g_variant_new_array(G_VARIANT_TYPE("{sv}"), nullptr, 0));
  const StoredDirectory root{repository.write_tree(Directory()), repository.write_meta(plain_ownership())};
  return repository.write_commit(root, time, metadata.get());
}

TEST_F(RepositoryTest, CreatesAPrivateDirectory) {
  options_.repository = directory_.path() + "/a/b/repo";
  EXPECT_FALSE(Repository::open_existing(options_));
  const auto repository = Repository::open(options_);
  struct stat status {};
  ASSERT_EQ(::stat(options_.repository.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  EXPECT_TRUE(Repository::open_existing(options_));
  EXPECT_TRUE(repository.syncs());
}

TEST_F(RepositoryTest, CompletesAnInterruptedCreation) {
  std::filesystem::create_directories(options_.repository + "/tmp");
  Repository::open(options_);
  std::filesystem::remove(options_.repository + "/objects");  // libostree creates it last
  EXPECT_FALSE(Repository::open_existing(options_));
  Repository::open(options_);
  EXPECT_TRUE(Repository::open_existing(options_));
}

// The effect of a power failure on a file that was never synced.
TEST_F(RepositoryTest, RecreatesALostConfigurationWithoutRefs) {
  for (const auto& text : {std::string(), std::string(32, '\0')}) {
    Repository::open(options_);
    std::ofstream(options_.repository + "/config") << text;
    EXPECT_FALSE(Repository::open_existing(options_));
    Repository::open(options_);
    EXPECT_TRUE(Repository::open_existing(options_));
  }
  std::filesystem::remove(options_.repository + "/config");
  EXPECT_FALSE(Repository::open_existing(options_));
}

/// Ways in which the file `config` can be lost.
void damage_config(const std::string& path, const std::string& how) {
  const auto text = *base::read_file_at(AT_FDCWD, path, 1000);
  std::filesystem::remove(path);
  if (how == "fifo") {
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  } else if (how == "directory") {
    std::filesystem::create_directory(path);
  } else if (how == "link") {
    std::filesystem::create_symlink("nowhere", path);
  } else if (how == "flipped") {
    auto flipped = text;
    flipped[9] = static_cast<char>(flipped[9] ^ 1);
    std::ofstream(path) << flipped;
  } else if (how != "absent") {
    std::ofstream(path) << (how == "halved" ? text.substr(0, text.size() / 2)
                                            : std::string(how == "zeroed" ? 32 : 0, '\0'));
  }
}

class LostConfig : public RepositoryTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(LostConfig, IsReportedAndRestored) {
  Repository::open(options_);
  options_.recovered = true;
  const auto path = options_.repository + "/config";
  std::ofstream(options_.repository + "/refs/heads/other") << std::string(64, 'a') << "\n";
  damage_config(path, GetParam());
  const auto error = failure_of([&] { Repository::open(options_); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.message(), HasSubstr(path + ", is damaged"));
  EXPECT_THAT(error.hint(), HasSubstr("`berth recover` writes it again"));
  {
    const auto repository = Repository::open_existing(options_);  // readers can open it
    ASSERT_TRUE(repository);
    EXPECT_EQ(repository->mode(), RepositoryMode::bare);
    EXPECT_THAT(reporter_.warnings, Contains(HasSubstr("berth recover")));
    EXPECT_THROW(static_cast<void>(repository->handle()), base::Error);
    EXPECT_THROW(Transaction{*repository}, base::Error);
  }
  const auto kept = repair_config(options_);
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, std::string(GetParam()) == "absent" ? "" : path + ".damaged");
  EXPECT_FALSE(repair_config(options_));
  static_cast<void>(Repository::open(options_).handle());
}

INSTANTIATE_TEST_SUITE_P(Ways, LostConfig,
                         ::testing::Values("fifo", "directory", "link", "flipped", "halved", "zeroed", "empty",
                                           "absent"));

TEST_F(RepositoryTest, DoesNotReplaceAConfigurationOfAnUnknownVersion) {
  Repository::open(options_);
  std::ofstream(options_.repository + "/config") << "[core]\nrepo_version=3\nmode=bare\n";
  EXPECT_THAT(failure_of([&] { Repository::open(options_); }).hint(), HasSubstr("write `repo_version=1` into"));
  EXPECT_TRUE(Repository::open_existing(options_));
  EXPECT_FALSE(repair_config(options_));
}

TEST_F(RepositoryTest, KeepsEachDamagedConfiguration) {
  Repository::open(options_);
  const auto path = options_.repository + "/config";
  std::ofstream(path) << "nonsense";
  EXPECT_EQ(repair_config(options_), path + ".damaged");
  std::ofstream(path) << "nonsense";
  EXPECT_EQ(repair_config(options_), path + ".damaged.2");
}

TEST_F(RepositoryTest, WritesNoConfigurationForObjectsOfAnotherMode) {
  Repository::open(options_);
  std::filesystem::create_directory(options_.repository + "/objects/aa");
  std::ofstream(options_.repository + "/objects/aa/b.filez") << "x";
  std::ofstream(options_.repository + "/config") << "nonsense";
  options_.recovered = true;
  const auto error = failure_of([&] { repair_config(options_); });
  EXPECT_EQ(error.kind(), base::ErrorKind::verification);
  EXPECT_THAT(error.hint(), HasSubstr("its objects are of another mode"));
}

TEST_F(RepositoryTest, CreatesTheSameFilesAsLibostree) {
  for (const auto mode : {RepositoryMode::bare, RepositoryMode::bare_user}) {
    options_.mode = mode;
    options_.repository = directory_.path() + "/ours" + std::to_string(static_cast<int>(mode));
    Repository::open(options_);
    const auto theirs = directory_.path() + "/theirs" + std::to_string(static_cast<int>(mode));
    ostree(theirs, {"init", mode == RepositoryMode::bare ? "--mode=bare" : "--mode=bare-user"});
    ostree(options_.repository, {"refs"});
    for (const auto* directory :
         {"tmp", "extensions", "state", "refs/heads", "refs/mirrors", "refs/remotes", "objects"}) {
      EXPECT_TRUE(std::filesystem::is_directory(theirs + "/" + directory)) << directory;
      EXPECT_TRUE(std::filesystem::is_directory(options_.repository + "/" + directory)) << directory;
    }
    EXPECT_EQ(base::read_file_at(AT_FDCWD, options_.repository + "/config", 1000),
              base::read_file_at(AT_FDCWD, theirs + "/config", 1000));
  }
}

TEST_F(RepositoryTest, RefusesAnotherMode) {
  Repository::open(options_);
  options_.mode = RepositoryMode::bare_user;
  try {
    Repository::open(options_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::conflict);
    EXPECT_THAT(error.message(), HasSubstr("is bare, and bare-user is needed"));
  }
  std::filesystem::remove_all(options_.repository);
  ostree(options_.repository, {"init", "--mode=archive"});
  EXPECT_THROW(Repository::open(options_), base::Error);
}

TEST_F(RepositoryTest, RefusesADamagedConfiguration) {
  Repository::open(options_);
  std::ofstream(options_.repository + "/config") << "nonsense";
  EXPECT_THROW(Repository::open(options_), base::Error);
}

TEST_F(RepositoryTest, CommitsAndReadsBack) {
  const auto repository = Repository::open(options_);
  EXPECT_THAT(repository.branches(), SizeIs(0));
  Transaction transaction(repository);
  const auto content = ContentWriter(repository).marker();
  Directory root;
  root.children["file"] = content;
  auto inner = std::make_unique<Directory>();
  inner->meta = repository.write_meta({1, 2, 01777, {{"user.a", "b"}}});
  const auto inner_meta = inner->meta;
  root.children["sub"] = std::move(inner);
  root.children["link"] = LowerLink{"x"};
  const StoredDirectory stored{repository.write_tree(root), repository.write_meta(plain_ownership())};
  const auto metadata = own(g_variant_new_array(G_VARIANT_TYPE("{sv}"), nullptr, 0));
  const auto commit = repository.write_commit(stored, 77, metadata.get());
  transaction.set_branch("ociimage/x", commit);
  EXPECT_FALSE(Repository::open(options_).resolve("ociimage/x"));
  transaction.commit();

  ASSERT_TRUE(repository.resolve("ociimage/x"));
  EXPECT_EQ(*repository.resolve("ociimage/x"), commit);
  EXPECT_FALSE(repository.resolve("ociimage/y"));
  EXPECT_EQ(repository.branches().at(0).name, "ociimage/x");
  const auto loaded = repository.load_commit(commit);
  EXPECT_EQ(loaded.timestamp, 77);
  const auto listing = repository.load_directory(loaded.root.tree);
  EXPECT_EQ(listing.files, (std::map<std::string, Checksum>{{"file", content}}));
  EXPECT_EQ(listing.directories.at("sub").meta, inner_meta);
  EXPECT_THAT(ostree(options_.repository, {"ls", "-R", "ociimage/x"}), HasSubstr("d01777 1 2      0 /sub"));
  ostree(options_.repository, {"fsck"});
}

TEST_F(RepositoryTest, LeavesNoFilesWithoutACommit) {
  const auto repository = Repository::open(options_);
  {
    Transaction transaction(repository);
    transaction.set_branch("ociimage/x", write_empty_commit(repository));
  }
  EXPECT_FALSE(repository.resolve("ociimage/x"));
  for (const auto& entry : std::filesystem::directory_iterator(options_.repository + "/tmp")) {
    EXPECT_EQ(entry.path().filename(), "cache");
  }
  Transaction again(repository);
  again.set_branch("ociimage/x", write_empty_commit(repository));
  again.commit();
  EXPECT_TRUE(repository.resolve("ociimage/x"));
}

TEST_F(RepositoryTest, RefusesASecondTransaction) {
  const auto repository = Repository::open(options_);
  const Transaction first(repository);
  EXPECT_THROW(Transaction second(repository), base::Error);
}

TEST_F(RepositoryTest, TreatsABranchWithoutItsCommitAsMissing) {
  const auto repository = Repository::open(options_);
  std::filesystem::create_directories(options_.repository + "/refs/heads/ociimage");
  std::ofstream(options_.repository + "/refs/heads/ociimage/x") << std::string(64, 'a') << "\n";
  EXPECT_FALSE(repository.resolve("ociimage/x"));
  EXPECT_THROW((void)repository.load_commit(Checksum()), base::Error);
}

TEST_F(RepositoryTest, RefusesNamesThatLeadOutOfADirectory) {
  const auto repository = Repository::open(options_);
  Transaction transaction(repository);
  for (const char* name : {"..", ".", "a/b", ""}) {
    Directory root;
    root.children[name] = ContentWriter(repository).marker();
    // libostree accepts some of them.
    try {
      (void)repository.load_directory(repository.write_tree(root));
      ADD_FAILURE() << name;
    } catch (const base::Error&) {
    }
  }
}

TEST_F(RepositoryTest, FindsTheSameBranchesAsLibostree) {
  const auto repository = Repository::open(options_);
  Transaction transaction(repository);
  const auto commit = write_empty_commit(repository);
  for (const char* name : {"ociimage/b", "ociimage/a/deep", "elsewhere"}) {
    transaction.set_branch(name, commit);
  }
  transaction.commit();
  ostree(options_.repository, {"refs", "--alias", "--create=ociimage/same", "ociimage/b"});
  std::ofstream(options_.repository + "/refs/heads/ociimage/.half-written") << "ab";
  std::string names;
  for (const auto& branch : repository.branches()) {
    EXPECT_EQ(branch.commit, commit);
    names += branch.name + "\n";
  }
  EXPECT_EQ(names, "ociimage/a/deep\nociimage/b\nociimage/same\n");
  EXPECT_EQ(repository.resolve("ociimage/same"), commit);
  std::filesystem::remove(options_.repository + "/refs/heads/ociimage/.half-written");
  EXPECT_EQ(repository.all_refs().size(), 4U);
  for (const char* name : {"elsewhere", "ociimage/a/deep", "ociimage/b", "ociimage/same"}) {
    EXPECT_EQ(ostree(options_.repository, {"rev-parse", name}), commit.hex() + "\n");
  }

  repository.remove_branch("ociimage/a/deep");
  repository.remove_branch("ociimage/never-was");
  EXPECT_FALSE(repository.resolve("ociimage/a/deep"));
  EXPECT_EQ(repository.branches().size(), 2U);
  std::ofstream(options_.repository + "/refs/heads/ociimage/b") << "no checksum";
  std::filesystem::create_symlink("nowhere", options_.repository + "/refs/heads/ociimage/dangling");
  ASSERT_EQ(::mkfifo((options_.repository + "/refs/heads/ociimage/fifo").c_str(), 0600), 0);
  EXPECT_EQ(repository.branches().size(), 0U) << "the alias leads to the damaged one";
  EXPECT_FALSE(repository.resolve("ociimage/b"));
  EXPECT_EQ(repository.all_refs().size(), 1U);
  std::string damaged;
  for (const auto& branch : repository.damaged_branches()) {
    damaged += branch.name + " ";
  }
  EXPECT_EQ(damaged, "ociimage/b ociimage/dangling ociimage/fifo ociimage/same ");
  ASSERT_THAT(reporter_.warnings, SizeIs(4)) << "each once";
  EXPECT_THAT(reporter_.warnings[0], HasSubstr(options_.repository + "/refs/heads/ociimage/b"));
}

TEST_F(RepositoryTest, ReplacesADamagedCommit) {
  const auto repository = Repository::open(options_);
  Checksum commit;
  for (const bool damaged : {false, true}) {
    Transaction transaction(repository);
    commit = write_empty_commit(repository);
    transaction.commit();
    const ObjectName name{OSTREE_OBJECT_TYPE_COMMIT, commit};
    EXPECT_FALSE(repository.verify(name));
    if (!damaged) {
      std::filesystem::remove(file_of(options_, name));
      std::filesystem::create_directory(file_of(options_, name));
      EXPECT_TRUE(repository.verify(name));
      EXPECT_THROW((void)repository.load_commit(commit), base::Error);
    }
  }
}

// Without free descriptors objects cannot be opened, which is not damage.
TEST_F(RepositoryTest, DoesNotReportUnreadableObjectsAsDamaged) {
  const auto repository = Repository::open(options_);
  Transaction transaction(repository);
  const auto commit = write_empty_commit(repository);
  transaction.commit();
  const ObjectName name{OSTREE_OBJECT_TYPE_COMMIT, commit};
  EXPECT_FALSE(repository.verify(name));
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  struct rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  try {
    static_cast<void>(repository.verify(name));
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::failed);
    EXPECT_THAT(error.message(), HasSubstr("Too many open files"));
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(RepositoryTest, ReplacesABranch) {
  const auto repository = Repository::open(options_);
  for (const std::int64_t time : {1, 2}) {
    Transaction transaction(repository);
    const auto commit = write_empty_commit(repository, time);
    transaction.set_branch("ociimage/x", commit);
    transaction.commit();
    EXPECT_EQ(repository.resolve("ociimage/x"), commit);
  }
  struct stat status {};
  ASSERT_EQ(::stat((options_.repository + "/refs/heads/ociimage/x").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
}

TEST_F(RepositoryTest, ReportsThatItDoesNotSync) {
  Repository::open(options_);
  ostree(options_.repository, {"config", "set", "core.fsync", "false"});
  EXPECT_FALSE(Repository::open(options_).syncs());
}

}  // namespace
}  // namespace berth::store
