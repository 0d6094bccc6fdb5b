// SPDX-License-Identifier: LGPL-2.1-or-later
// berth and libostree write identical objects: the same names, and the same files.
#include "store/content/file_header.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <ostree.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>

#include "base/file.hpp"
#include "store/content/content_writer.hpp"
#include "store/fakes.hpp"
#include "store/ostree/object_files.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store

struct Sample {
  const char* name;
  Ownership ownership;
  std::string content;
  std::string link_target;  ///< of a symbolic link; empty for a file
};

std::vector<Sample> samples() {
  std::vector<Sample> all;
  const auto add = [&all](const char* name, Ownership ownership, std::string content, std::string target = "") {
    all.emplace_back(Sample{name, std::move(ownership), std::move(content), std::move(target)});
  };
  const Ownership plain;
  add("empty", plain, "");
  add("small", {0, 0, 0644, {}}, "text");
  add("setuid", {0, 0, 04755, {}}, "program");
  add("sticky", {0, 0, 01000, {}}, "x");
  add("no_mode", {0, 0, 0, {}}, "secret");
  add("owner", {1000, 100, 0640, {}}, "x");
  add("large_ids", {70'000, 4'294'967'294U, 0600, {}}, "x");
  add("xattrs", {0, 0, 0644, {{"user.a", "1"}, {"user.b", std::string("\0\1", 2)}}}, "x");
  const std::string net_bind("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  add("capability", {5, 6, 0755, {{"security.capability", net_bind}}}, "x");
  add("block", plain, std::string(1U << 20U, 'b'));
  add("large", {7, 8, 04711, {{"user.x", "y"}}}, std::string((1U << 20U) + 1, 'l'));
  add("huge", plain, std::string((5U << 20U) + 77, 'h'));
  add("link", {0, 0, 0777, {}}, "", "target");
  add("far_link", {9, 10, 0777, {}}, "", "../../größe/" + std::string(300, 'x'));
  return all;
}

/// The properties of an object's file.
struct Object {
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  off_t size = 0;
  time_t modified = 0;
  std::string link_target;
  Xattrs xattrs;
  bool operator==(const Object&) const = default;
};

void PrintTo(const Object& object, std::ostream* out) {
  *out << std::oct << object.mode << std::dec << ' ' << object.uid << ':' << object.gid << ' ' << object.size << " at "
       << object.modified << " -> " << object.link_target << ' ' << ::testing::PrintToString(object.xattrs);
}

Xattrs xattrs_of(const std::string& path) {
  Xattrs result;
  std::string names(4096, '\0');
  const auto length = ::llistxattr(path.c_str(), names.data(), names.size());
  for (const char* name = names.data(); length > 0 && name < names.data() + length; name += strlen(name) + 1) {
    std::string value(4096, '\0');
    value.resize(static_cast<std::size_t>(std::max<ssize_t>(::lgetxattr(path.c_str(), name, value.data(), 4096), 0)));
    result.emplace(name, value);
  }
  return result;
}

Object object_at(const TemporaryDirectory& repository, const Checksum& name) {
  const auto path = repository.path() + "/repo/" + object_path({OSTREE_OBJECT_TYPE_FILE, name});
  const auto status = base::stat_at(AT_FDCWD, path).value();
  const auto target = base::read_link_at(AT_FDCWD, path).value_or("");
  // libostree does not set the time of a link.
  return {status.st_mode, status.st_uid,  status.st_gid, status.st_size, S_ISLNK(status.st_mode) ? 0 : status.st_mtime,
          target,         xattrs_of(path)};
}

Checksum write(const Repository& repository, const Sample& sample) {
  ContentWriter writer(repository);
  if (!sample.link_target.empty()) {
    return writer.symbolic_link(sample.ownership.uid, sample.ownership.gid, sample.link_target);
  }
  MemoryStream stream(sample.content, 10'000);
  return writer.file(sample.ownership,
                     Content(sample.content.size(), [&](std::span<std::byte> buffer) { return stream.read(buffer); }));
}

Object written(const TemporaryDirectory& directory, RepositoryMode mode, ObjectAuthor author, const Sample& sample,
               Checksum& name) {
  RecordingReporter reporter;
  auto options = options_for(directory, reporter, mode);
  options.writer = author;
  const auto repository = Repository::open(options);
  Transaction transaction(repository);
  name = write(repository, sample);
  transaction.commit();
  return object_at(directory, name);
}

class SameObjects : public ::testing::TestWithParam<std::tuple<RepositoryMode, Sample>> {};

TEST_P(SameObjects, AreWrittenAsByLibostree) {
  const auto& [mode, sample] = GetParam();
  const TemporaryDirectory ours;
  const TemporaryDirectory theirs;
  Checksum our_name;
  Checksum their_name;
  const auto our_object = written(ours, mode, ObjectAuthor::own, sample, our_name);
  const auto their_object = written(theirs, mode, ObjectAuthor::libostree, sample, their_name);
  EXPECT_EQ(our_name, their_name);
  EXPECT_EQ(our_object, their_object);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SameObjects,
                         ::testing::Combine(::testing::Values(RepositoryMode::bare, RepositoryMode::bare_user),
                                            ::testing::ValuesIn(samples())),
                         [](const auto& test) {
                           return std::string(std::get<1>(test.param).name) +
                                  (std::get<0>(test.param) == RepositoryMode::bare ? "_bare" : "_bare_user");
                         });

}  // namespace
}  // namespace berth::store
