// SPDX-License-Identifier: LGPL-2.1-or-later
// Hostile images: special files, owners, modes, times and extended attributes; links to paths of the host.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "store/fakes.hpp"
#include "store/hostile_image.hpp"
#include "store/raw_tar.hpp"
#include "store/tar_builder.hpp"

namespace berth::store {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): test helpers of the store

class HostileMetadata : public ::testing::TestWithParam<HostileImage> {};

TEST_P(HostileMetadata, IsRefusedOrNeutralised) {
  expect_outcome(GetParam());
}

class HostPaths : public ::testing::TestWithParam<HostileImage> {};

TEST_P(HostPaths, AreNotReachedThroughLinksOfAnImage) {
  expect_outcome(GetParam());
}

std::string file_with(RawEntry entry) {
  entry.name = "a";
  return raw(entry) + tar_end();
}

std::string file_with_pax(const PaxRecords& records) {
  return pax(records) + raw({.name = "a"}) + tar_end();
}

TarBuilder with_xattr(const std::string& key, const std::string& value) {
  return TarBuilder().file("a", "", {0, 0, 0644, {{key, value}}}).directory("d", {0, 0, 0755, {{key, value}}});
}

const std::vector<std::string> plain_file{"a: file 0644 0:0 "};  // NOLINT(cert-err58-cpp)
const std::vector<std::string> file_and_directory{"a: file 0644 0:0 ",
                                                  "d: directory 0755 0:0"};  // NOLINT(cert-err58-cpp)

const std::vector<HostileImage> special_files{
    // NOLINT(cert-err58-cpp): a table of a test
    {"CharacterDevice", stack(raw({.name = "a", .type = '3'}) + tar_end()), "", {}},
    {"BlockDevice", stack(raw({.name = "dev/sda", .type = '4'}) + tar_end()), "", {"dev: directory 0755 0:0"}},
    {"Fifo", stack(raw({.name = "a", .type = '6'}) + tar_end()), "", {}},
    {"SocketOrUnknownTypeIsAFile",
     stack(raw({.name = "a", .type = 's', .content = "x"}) + tar_end()),
     "",
     {"a: file 0644 0:0 x"}},
    {"ContiguousFileIsAFile",
     stack(raw({.name = "a", .type = '7', .content = "x"}) + tar_end()),
     "",
     {"a: file 0644 0:0 x"}},
    {"DeviceWithData",
     stack(raw({.name = "a", .type = '3', .size = "00000001000"}) + raw({.name = "b"}) + tar_end()),
     "",
     {"b: file 0644 0:0 "}},
    {"TypeInTheModeBits", stack(file_with({.mode = "0020666"})), "", {"a: file 0666 0:0 "}},
    {"LinkInTheModeBits", stack(file_with({.link = "/etc/passwd", .mode = "0120777"})), "", {"a: file 0777 0:0 "}},
};

const std::vector<HostileImage> owners_and_times{
    // NOLINT(cert-err58-cpp)
    {"LargestIds",
     stack(file_with({.uid = base256(4'294'967'294, 8), .gid = base256(4'294'967'294, 8)})),
     "",
     {"a: file 0644 4294967294:4294967294 "}},
    {"LargestIdsInPax",
     stack(file_with_pax({{"uid", "4294967294"}, {"gid", "70000"}})),
     "",
     {"a: file 0644 4294967294:70000 "}},
    {"IdThatMeansNobodyToChown", stack(file_with({.uid = base256(4'294'967'295, 8)})), "user 4294967295"},
    {"IdOf33Bits", stack(file_with({.uid = base256(4'294'967'296, 8)})), "user 4294967296"},
    {"GroupOf33Bits", stack(file_with_pax({{"gid", "4294967296"}})), "group 4294967296"},
    {"IdBeyond64Bits", stack(file_with_pax({{"uid", "99999999999999999999999"}})), "'a' belongs to user"},
    {"NegativeId", stack(file_with({.uid = base256(-1, 8)})), "'a' belongs to user -1"},
    {"NegativeIdInPax", stack(file_with_pax({{"uid", "-1"}})), "'a' belongs to user -1"},
    {"NegativeGroup", stack(file_with({.gid = base256(-2, 8)})), "'a' belongs to group -2"},
    {"IdOfALink", stack(raw({.name = "a", .type = '2', .link = "x", .uid = base256(-1, 8)}) + tar_end()),
     "'a' belongs to user -1"},
    {"AllModeBits", stack(file_with({.mode = "0177777"})), "", {"a: file 7777 0:0 "}},
    {"HugeMode", stack(file_with({.mode = base256(-1, 8)})), "", {"a: file 7777 0:0 "}},
    {"NegativeTime", stack(file_with({.mtime = base256(-5'000'000'000)})), "", plain_file},
    {"HugeTime", stack(file_with({.mtime = base256(0x7fff'ffff'ffff'ffff)})), "", plain_file},
    {"TimesInPax",
     stack(file_with_pax({{"mtime", "-99999999999999999999.5"}, {"atime", "99999999999999999999"}, {"ctime", "x"}})),
     "", plain_file},
    {"NamesOfOwnersMeanNothing", stack(file_with_pax({{"uname", "daemon"}, {"gname", "shadow"}})), "", plain_file},
};

const std::string capability("\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);  // NOLINT(cert-err58-cpp)

const std::vector<HostileImage> attributes{
    // NOLINT(cert-err58-cpp)
    {"OverlayRedirect", stack(with_xattr("trusted.overlay.redirect", "/etc")), "", file_and_directory},
    {"OverlayOpaque", stack(with_xattr("trusted.overlay.opaque", "y")), "", file_and_directory},
    {"UserOverlay", stack(with_xattr("user.overlay.redirect", "/etc")), "", file_and_directory},
    {"Selinux", stack(with_xattr("security.selinux", "system_u:object_r:shadow_t:s0")), "", file_and_directory},
    {"Ima", stack(with_xattr("security.ima", "x")), "", file_and_directory},
    {"Ostree", stack(with_xattr("user.ostreemeta", std::string(12, '\0'))), "", file_and_directory},
    {"Implied", stack(with_xattr("user.berth.implied", "1")), "", file_and_directory},
    {"NoNamespace", stack(with_xattr("nonamespace", "x")), "", file_and_directory},
    {"OnlyANamespace", stack(with_xattr("user.", "x")), "", file_and_directory},
    {"UnknownNamespace", stack(with_xattr("btrfs.compression", "x")), "", file_and_directory},
    {"System", stack(with_xattr("system.nfs4_acl", "x")), "", file_and_directory},
    {"BrokenAcl", stack(with_xattr("system.posix_acl_access", "not an ACL")), "", file_and_directory},
    {"BrokenCapability", stack(with_xattr("security.capability", "not a capability")), "", file_and_directory},
    {"CapabilityOfALink",
     stack(pax({{"SCHILY.xattr.security.capability", capability}}) +
           raw({.name = "a", .type = '2', .link = "/bin/sh"}) + tar_end()),
     "",
     {"a: link /bin/sh"}},
    {"LongName", stack(with_xattr("user." + std::string(251, 'n'), "x")), "", file_and_directory},
    {"LargeValue", stack(with_xattr("user.large", std::string(100'000, 'v'))), "", file_and_directory},
    {"NotUtf8", stack(file_with_pax({{"SCHILY.xattr.user.caf\xe9", "x"}})), "", plain_file},
};

const std::vector<HostileImage> host_paths{
    // NOLINT(cert-err58-cpp)
    {"Dev",
     stack(TarBuilder().link("dev", "/dev").link("proc", "/proc").link("sys", "/sys")),
     "",
     {"dev: link /dev", "proc: link /proc", "sys: link /sys"}},
    {"FilesBelowDev", stack(TarBuilder().link("dev", "/dev").file("dev/null", "x")), "goes through 'dev'"},
    {"FilesBelowDevInTheNextLayer",
     stack(TarBuilder().link("dev", "/dev"), TarBuilder().file("dev/shm/x", "1")),
     "",
     {"dev: directory 0755 0:0", "dev/shm: directory 0755 0:0", "dev/shm/x: file 0644 0:0 1"}},
    {"FilesBelowProc", stack(TarBuilder().link("proc", "/proc").file("proc/sys/kernel/core_pattern", "|/x")),
     "goes through 'proc'"},
    {"ProcSelfRoot",
     stack(TarBuilder().link("r", "/proc/self/root"), TarBuilder().file("r/tmp/x", "1")),
     "",
     {"r: directory 0755 0:0", "r/tmp: directory 0755 0:0", "r/tmp/x: file 0644 0:0 1"}},
    {"ProcSelfFd", stack(TarBuilder().link("fd", "/proc/self/fd/3").file("fd/x", "1")), "goes through 'fd'"},
    {"Exports", stack(TarBuilder().link("exports", "/etc")), "", {"exports: link /etc"}},
    {"HostFile",
     stack(TarBuilder().directory("exports").directory("exports/hostfs").link("exports/hostfs/x", "/etc/shadow")),
     "",
     {"exports: directory 0755 0:0", "exports/hostfs: directory 0755 0:0", "exports/hostfs/x: link /etc/shadow"}},
    {"HostFileThrough",
     stack(TarBuilder().link("exports/hostfs", "/"), TarBuilder().file("exports/hostfs/etc/passwd", "mine")),
     "",
     {"exports: directory 0755 0:0", "exports/hostfs: directory 0755 0:0", "exports/hostfs/etc: directory 0755 0:0",
      "exports/hostfs/etc/passwd: file 0644 0:0 mine"}},
    {"HostFileHardLink", stack(TarBuilder().hard_link("exports/hostfs/x", "/etc/shadow")),
     "which is not a file of this layer or of a lower one"},
    {"Passwd",
     stack(TarBuilder().link("etc/passwd", "/etc/passwd"), TarBuilder().file("etc/passwd", "mine")),
     "",
     {"etc: directory 0755 0:0", "etc/passwd: file 0644 0:0 mine"}},
    {"PasswdRemoved",
     stack(TarBuilder().link("etc", "/etc"), TarBuilder().file("etc/.wh.passwd", "")),
     "",
     {"etc: directory 0755 0:0"}},
    {"PasswdAsALink",
     stack(TarBuilder().link("etc/passwd", "/etc/passwd")),
     "",
     {"etc: directory 0755 0:0", "etc/passwd: link /etc/passwd"}},
};

INSTANTIATE_TEST_SUITE_P(SpecialFiles, HostileMetadata, ::testing::ValuesIn(special_files), test_name);
INSTANTIATE_TEST_SUITE_P(OwnersAndTimes, HostileMetadata, ::testing::ValuesIn(owners_and_times), test_name);
INSTANTIATE_TEST_SUITE_P(Attributes, HostileMetadata, ::testing::ValuesIn(attributes), test_name);
INSTANTIATE_TEST_SUITE_P(Links, HostPaths, ::testing::ValuesIn(host_paths), test_name);

// Files in a checkout are opened below its root, so such links are refused or stay inside.
TEST(CheckoutWithHostileLinks, IsOpenedWithinItsRoot) {
  const TemporaryDirectory directory;
  RecordingReporter reporter;
  auto store = Store::open(options_for(directory, reporter));
  FakeSource source;
  source.layer(TarBuilder().link("exports", "/etc").link("d/up", "../../../../etc"));
  store.checkout(store.pull(source, {}).image.commit, directory.fd(), "rootfs");
  const auto root = base::open_directory_at(directory.fd(), "rootfs");
  EXPECT_THROW(base::open_beneath(root.get(), "exports/passwd", O_RDONLY), base::Error);
  EXPECT_THROW(base::open_beneath(root.get(), "d/up/passwd", O_RDONLY), base::Error);
  EXPECT_THROW(base::open_in_root(root.get(), "exports/passwd", O_RDONLY), base::Error);
  EXPECT_THROW(base::open_in_root(root.get(), "d/up/passwd", O_RDONLY), base::Error);
}

/// The modes in a repository and a checkout that were created with the umask `mask`.
std::vector<std::string> modes_under(mode_t mask, RepositoryMode mode, std::vector<std::string>& writable) {
  const TemporaryDirectory directory;
  RecordingReporter reporter;
  const mode_t before = ::umask(mask);
  auto store = Store::open(options_for(directory, reporter, mode));
  FakeSource source;
  source.layer(TarBuilder().directory("tmp", {0, 0, 01777, {}}).file("su", "x", {0, 0, 04755, {}}).file("d/x", "y"));
  store.checkout(store.pull(source, {}).image.commit, directory.fd(), "rootfs");
  ::umask(before);
  EXPECT_EQ(describe(directory.path(), "repo"), "directory 0700 0:0");
  for (const auto& line : listing(directory.path() + "/repo")) {
    const auto kind = line.substr(line.find(": ") + 2);
    if (kind.starts_with("directory") && (kind[10] & 2) != 0) {
      writable.push_back(line);
    }
  }
  return listing(directory.path() + "/rootfs");
}

TEST(Umask, DoesNotChangeModesOfARepositoryOrCheckout) {
  for (const auto mode : {RepositoryMode::bare, RepositoryMode::bare_user}) {
    std::vector<std::string> writable;
    const auto usual = modes_under(0022, mode, writable);
    EXPECT_EQ(modes_under(0077, mode, writable), usual);
    EXPECT_THAT(writable, ::testing::IsEmpty());
    EXPECT_EQ(modes_under(0, mode, writable), usual);  // berth sets 0022; the repository is 0700 in any case
  }
}

}  // namespace
}  // namespace berth::store
