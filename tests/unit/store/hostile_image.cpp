// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/hostile_image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <regex>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/fakes.hpp"
#include "store/store.hpp"

namespace berth::store::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

std::string print_of(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    return "absent";
  }
  return fmt::format("{:o} {}:{} {} {} {}.{} {}.{}", status.st_mode, status.st_uid, status.st_gid, status.st_nlink,
                     status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                     status.st_ctim.tv_nsec);
}

void make_canary(const std::string& path) {
  fs::create_directories(path + "/etc/directory");
  std::ofstream(path + "/etc/passwd") << "root:x:0:0::/:/bin/sh\n";
  std::ofstream(path + "/etc/directory/file") << "content";
  std::ofstream(path + "/secret") << "secret";
  fs::create_symlink("secret", path + "/link");
  fs::permissions(path + "/secret", fs::perms::owner_read);
  fs::permissions(path + "/etc/directory", fs::perms::owner_all | fs::perms::group_read);
}

/// One image in one repository.
class Trial {
 public:
  Trial(const HostileImage& image, RepositoryMode mode) : image_(image), mode_(mode) {
    make_canary(canary_);
    options_.mode = mode;
    for (const auto& layer : image.layers(canary_)) {
      source_.layer(layer, image::Compression::none);
    }
  }

  void run() {
    const auto canary_before = fingerprint(canary_);
    const auto host_before = print_of("/etc/passwd");
    auto store = Store::open(options_);
    const auto repository_before = names(options_.repository);
    if (const auto commit = pull(store)) {
      check_tree(store, *commit);
    } else {
      EXPECT_THAT(names(options_.repository), ElementsAreArray(repository_before));
      EXPECT_TRUE(store.images(true).empty());
    }
    EXPECT_THAT(fingerprint(canary_), ElementsAreArray(canary_before));
    EXPECT_EQ(print_of("/etc/passwd"), host_before);
    for (const auto& name : base::list_directory(directory_.fd())) {
      EXPECT_TRUE(name == "canary" || name == "repo" || name == "rootfs") << name;
    }
  }

 private:
  static std::vector<std::string> names(const std::string& directory) {
    std::vector<std::string> result;
    for (const char* part : {"objects", "tmp", "refs"}) {
      for (const auto& entry : fs::recursive_directory_iterator(directory + "/" + part)) {
        result.push_back(entry.path().string());
      }
    }
    std::sort(result.begin(), result.end());
    return result;
  }

  std::optional<std::string> pull(Store& store) {
    try {
      auto commit = store.pull(source_, {}).image.commit;
      EXPECT_EQ(image_.refusal, "") << "the image was imported";
      return commit;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification) << error.what();
      EXPECT_NE(image_.refusal, "") << "the image was refused: " << error.what();
      EXPECT_THAT(error.what(), HasSubstr(image_.refusal));
      EXPECT_NE(error.hint(), "") << error.what();
      return std::nullopt;
    }
  }

  void check_tree(Store& store, const std::string& commit) {
    store.checkout(commit, directory_.fd(), "rootfs");
    auto found = listing(directory_.path() + "/rootfs");
    auto expected = image_.tree;
    for (auto& line : expected) {
      line = std::regex_replace(line, std::regex("@canary@"), canary_);
    }
    if (mode_ == RepositoryMode::bare_user) {  // a checkout does not have the owners and most of the modes
      forget_ownership(found);
      forget_ownership(expected);
      expect_no_setuid();
    }
    std::sort(expected.begin(), expected.end());
    EXPECT_THAT(found, ElementsAreArray(expected));
    ostree(options_.repository, {"fsck", "-q"});
  }

  static void forget_ownership(std::vector<std::string>& lines) {
    static const std::regex ownership("(file|directory|special) [0-7]{4} [0-9]+:[0-9]+");
    for (auto& line : lines) {
      line = std::regex_replace(line, ownership, "$1");
    }
  }

  void expect_no_setuid() {
    for (const auto& entry : fs::recursive_directory_iterator(directory_.path() + "/rootfs")) {
      const auto mode = fs::symlink_status(entry.path()).permissions();
      EXPECT_EQ(mode & (fs::perms::set_uid | fs::perms::set_gid), fs::perms::none) << entry.path();
    }
  }

  const HostileImage& image_;
  RepositoryMode mode_;
  TemporaryDirectory directory_;
  RecordingReporter reporter_;
  StoreOptions options_ = options_for(directory_, reporter_);
  std::string canary_ = directory_.path() + "/canary";
  FakeSource source_;
};

}  // namespace

std::vector<std::string> fingerprint(const std::string& directory) {
  std::vector<std::string> result{". " + print_of(directory)};
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const auto path = entry.path().string();
    const auto content = fs::is_regular_file(entry.symlink_status())
                             ? base::read_file_at(AT_FDCWD, path, std::uint64_t{1} << 20U).value_or("")
                             : "";
    result.push_back(fmt::format("{} {} {}", path, print_of(path), content));
  }
  std::sort(result.begin(), result.end());
  return result;
}

void expect_outcome(const HostileImage& image) {
  for (const auto mode : {RepositoryMode::bare, RepositoryMode::bare_user}) {
    SCOPED_TRACE(image.name + (mode == RepositoryMode::bare ? " in a bare repository" : " in a bare-user repository"));
    Trial(image, mode).run();
  }
}

}  // namespace berth::store::testing
