// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/content/object_writer.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/sha256.hpp"
#include "store/content/file_header.hpp"
#include "store/fakes.hpp"
#include "store/ostree/object_files.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store
namespace fs = std::filesystem;

class ObjectWriterTest : public ::testing::Test {
 protected:
  ObjectWriterTest() {
    for (const char* name : {"/tmp", "/objects", "/refs/heads"}) {
      fs::create_directories(repository_.path() + name);
    }
  }
  static Content content_of(const std::string& text, std::uint64_t size) {
    return {size, [stream = std::make_shared<MemoryStream>(text, 1000)](std::span<std::byte> buffer) {
              return stream->read(buffer);
            }};
  }
  /// Writes one file and publishes it. @return the path of its object
  std::string write(RepositoryMode mode, const Ownership& ownership, const std::string& text) {
    ObjectStaging staging(repository_.fd(), {});
    const auto name = ObjectWriter(staging, mode, nullptr).file(ownership, content_of(text, text.size()));
    staging.publish();
    return path_of(name);
  }
  [[nodiscard]] std::string path_of(const Checksum& name) const {
    return repository_.path() + "/" + object_path({OSTREE_OBJECT_TYPE_FILE, name});
  }
  [[nodiscard]] static struct stat status_of(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
    return status;
  }
  [[nodiscard]] static std::string xattr_of(const std::string& path, const char* key) {
    std::string value(1000, '\0');
    const auto size = ::lgetxattr(path.c_str(), key, value.data(), value.size());
    value.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return value;
  }
  std::string content(const Checksum& name) {
    return base::read_file_at(repository_.fd(), object_path({OSTREE_OBJECT_TYPE_FILE, name}), 3'000'000)
        .value_or("absent");
  }

  TemporaryDirectory repository_;
  Ownership own_{::geteuid(), ::getegid(), 0640, {}};  // needs no privileges
};

// ostree-core.h: the name is the digest of the header and the content.
TEST_F(ObjectWriterTest, NamesObjectsByHeaderAndContent) {
  ObjectStaging staging(repository_.fd(), {});
  ObjectWriter writer(staging, RepositoryMode::bare, nullptr);
  for (const std::size_t size : {0U, 1U, 100'000U, 2'000'000U}) {
    const std::string text(size, 'x');
    base::Sha256 expected;
    expected.begin();
    expected.update(file_header(own_, S_IFREG, ""));
    expected.update(std::as_bytes(std::span(text)));
    EXPECT_EQ(writer.file(own_, content_of(text, size)), Checksum{expected.finish()});
  }
}

TEST_F(ObjectWriterTest, SetsTheMetadataOfBareObjects) {
  own_.permissions = 04751;
  own_.xattrs = {{"user.a", "1"}};
  for (const std::size_t size : {5U, 2'000'000U}) {
    const auto path = write(RepositoryMode::bare, own_, std::string(size, 'x'));
    const auto status = status_of(path);
    EXPECT_EQ(status.st_mode, S_IFREG | 04751U);
    EXPECT_EQ(status.st_uid, own_.uid);
    EXPECT_EQ(status.st_gid, own_.gid);
    EXPECT_EQ(status.st_mtim.tv_sec, 0);
    EXPECT_EQ(static_cast<std::size_t>(status.st_size), size);
    EXPECT_EQ(xattr_of(path, "user.a"), "1");
  }
}

TEST_F(ObjectWriterTest, KeepsTheMetadataOfBareUserObjectsInAnAttribute) {
  const Ownership root{0, 0, 04007, {{"user.a", "1"}}};
  const auto path = write(RepositoryMode::bare_user, root, "x");
  EXPECT_EQ(status_of(path).st_mode, S_IFREG | 0405U);  // masked with 0775, and readable by the owner
  const auto metadata = bare_user_metadata(root, S_IFREG);
  EXPECT_EQ(xattr_of(path, "user.ostreemeta"),
            std::string(reinterpret_cast<const char*>(metadata.data()), metadata.size()));
  EXPECT_EQ(xattr_of(path, "user.a"), "");
}

TEST_F(ObjectWriterTest, WritesLinksAsLinksOrAsFiles) {
  for (const auto mode : {RepositoryMode::bare, RepositoryMode::bare_user}) {
    TemporaryDirectory other;
    for (const char* name : {"/tmp", "/objects", "/refs/heads"}) {
      fs::create_directories(other.path() + name);
    }
    ObjectStaging staging(other.fd(), {});
    const auto name = ObjectWriter(staging, mode, nullptr).symbolic_link(own_.uid, own_.gid, "../target");
    staging.publish();
    const auto path = object_path({OSTREE_OBJECT_TYPE_FILE, name});
    if (mode == RepositoryMode::bare) {
      EXPECT_EQ(base::read_link_at(other.fd(), path), "../target");
    } else {
      EXPECT_EQ(base::read_file_at(other.fd(), path, 100), std::string("../target\0", 10));
    }
  }
}

TEST_F(ObjectWriterTest, DoesNotWriteStoredObjectsAgain) {
  for (const std::size_t size : {5U, 2'000'000U}) {
    const std::string text(size, 'x');
    const auto inode = status_of(write(RepositoryMode::bare, own_, text)).st_ino;
    EXPECT_EQ(status_of(write(RepositoryMode::bare, own_, text)).st_ino, inode);
  }
}

TEST_F(ObjectWriterTest, RefusesContentThatEndsEarly) {
  ObjectStaging staging(repository_.fd(), {});
  ObjectWriter writer(staging, RepositoryMode::bare, nullptr);
  for (const std::uint64_t size : {10U, 2'000'000U}) {
    try {
      static_cast<void>(writer.file(own_, content_of("x", size)));
      ADD_FAILURE() << "accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    }
  }
  const auto good = writer.file(own_, content_of("good", 4));
  staging.publish();
  EXPECT_EQ(content(good), "good");
  const fs::recursive_directory_iterator objects(repository_.path() + "/objects");
  EXPECT_EQ(std::count_if(begin(objects), end(objects), [](const auto& entry) { return entry.is_regular_file(); }), 1);
}

// The content is part of a stream whose digest is computed along with the name.
TEST_F(ObjectWriterTest, HashesTheStreamOfItsContent) {
  const std::string text(300'000, 'x');
  StreamDigest digest(base::DigestAlgorithm::sha256);
  ObjectStaging staging(repository_.fd(), {});
  ObjectWriter writer(staging, RepositoryMode::bare, &digest);
  std::size_t at = 0;
  const auto name = writer.file(own_, Content(text.size(), [&](std::span<std::byte> buffer) {
                                  const auto piece = std::as_bytes(std::span(text)).subspan(at, 1000);
                                  digest.settle();
                                  digest.add(piece);
                                  std::copy(piece.begin(), piece.end(), buffer.begin());
                                  at += piece.size();
                                  return piece.size();
                                }));
  EXPECT_EQ(digest.finish(), base::digest_of(text));
  EXPECT_EQ(name, ObjectWriter(staging, RepositoryMode::bare, nullptr).file(own_, content_of(text, text.size())));
}

}  // namespace
}  // namespace berth::store
