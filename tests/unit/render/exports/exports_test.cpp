// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/exports/exports.hpp"

#include <sys/stat.h>

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ExportsDirectory : public testing::Test {
 protected:
  Exports read() { return read_exports(open_exports(root_.fd()).get(), listener_); }
  std::string refusal() {
    const auto error = error_of([&] { read(); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification);
    return error.message();
  }

  test::TemporaryDirectory root_;
  test::Listener listener_;
};

TEST_F(ExportsDirectory, MayBeAbsentOrEmpty) {
  EXPECT_FALSE(read().present);
  root_.directory("exports");
  const auto exports = read();
  EXPECT_TRUE(exports.present);
  EXPECT_FALSE(exports.config || exports.config_template || exports.service_template || exports.tmpfiles_template);
  EXPECT_THAT(exports.host_entries, IsEmpty());
}

TEST_F(ExportsDirectory, ReadsTheFiles) {
  root_.write("exports/config.json.template", "{$A}");
  root_.write("exports/service.template", "[Service]");
  root_.write("exports/tmpfiles.template", "d /x");
  root_.write("exports/manifest.json", R"({"defaultValues": {"A": "1"}, "unknown": 1})");
  const auto exports = read();
  EXPECT_EQ(exports.config_template, "{$A}");
  EXPECT_EQ(exports.service_template, "[Service]");
  EXPECT_EQ(exports.tmpfiles_template, "d /x");
  EXPECT_EQ(exports.manifest.default_values.at("A"), "1");
  EXPECT_EQ(listener_.warnings.size(), 1U);
}

TEST_F(ExportsDirectory, ControlCharactersAreRefused) {
  for (const char* file :
       {"config.json", "config.json.template", "service.template", "tmpfiles.template", "rpm.spec"}) {
    test::TemporaryDirectory root;
    root.write(std::string("exports/") + file, "# comment\rExecStartPre=/bin/touch /x\n");
    const auto error = error_of([&] { read_exports(open_exports(root.fd()).get(), listener_); });
    EXPECT_EQ(error.message(), std::string("exports/") + file + ":1: contains a carriage return");
  }
  root_.write("exports/manifest.json", R"({"defaultValues": {"A": "\u001b[2J"}})");
  EXPECT_THAT(refusal(), HasSubstr("defaultValues.A: "));
}

TEST_F(ExportsDirectory, NamesOfHostFilesAreEscapedInMessages) {
  root_.write("exports/hostfs/etc/a\x1b[2Jb", "");
  EXPECT_THAT(refusal(), HasSubstr("the name etc/a?[2Jb contains the control character U+001B"));
}

TEST_F(ExportsDirectory, NamesInTheManifestThatAreNotInHostfsAreWarnings) {
  root_.write("exports/hostfs/etc/x/one", "1");
  root_.write("exports/manifest.json", R"({"renameFiles": {"/etc/x/one": "/a", "etc/x/": "/b", "/etc": "/c"},
                                           "installedFilesTemplate": ["/etc/x/one", "etc/x/one"]})");
  read();
  EXPECT_THAT(listener_.warnings, IsEmpty());
  root_.write("exports/manifest.json", R"({"renameFiles": {"/etc/one": "/a", "/etc/x": "/b"},
                                           "installedFilesTemplate": ["1", "2", "3", "4", "5", "6", "7", "etc/x"]})");
  read();
  EXPECT_THAT(
      listener_.warnings,
      ElementsAre(
          "exports/manifest.json: renameFiles names paths that are not in exports/hostfs: /etc/one",
          "exports/manifest.json: installedFilesTemplate names paths that are not in exports/hostfs: 1, 2, 3, 4, 5 "
          "and 2 more"));
}

TEST_F(ExportsDirectory, ConfigWinsOverItsTemplate) {
  root_.write("exports/config.json", "{}");
  root_.write("exports/config.json.template", "$");
  const auto exports = read();
  EXPECT_EQ(exports.config, "{}");
  EXPECT_FALSE(exports.config_template);
}

TEST_F(ExportsDirectory, LinksAreRefused) {
  root_.link("exports", "/etc");
  EXPECT_EQ(refusal(), "/exports in the image is a symbolic link, not a directory");
}

TEST_F(ExportsDirectory, LinkedFilesAreRefused) {
  for (const char* name :
       {"config.json", "config.json.template", "service.template", "tmpfiles.template", "manifest.json"}) {
    root_.link(std::string("exports/") + name, "/etc/passwd");
    EXPECT_EQ(refusal(), std::string("exports/") + name + " in the image is a symbolic link, not a file");
    std::filesystem::remove(root_ / (std::string("exports/") + name));
  }
  root_.link("exports/hostfs", "/");
  EXPECT_EQ(refusal(), "/exports/hostfs in the image is a symbolic link, not a directory");
}

TEST_F(ExportsDirectory, OtherKindsAreRefused) {
  root_.directory("exports/service.template");
  EXPECT_THAT(refusal(), HasSubstr("is a directory, not a file"));
  std::filesystem::remove(root_ / "exports/service.template");
  ASSERT_EQ(::mkfifo((root_ / "exports/config.json").c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("is a special file, not a file"));
  std::filesystem::remove(root_ / "exports/config.json");
  root_.directory("exports/hostfs");
  ASSERT_EQ(::mkfifo((root_ / "exports/hostfs/pipe").c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("exports/hostfs/pipe is neither file, directory nor link"));
}

TEST_F(ExportsDirectory, AFileInsteadOfTheDirectoryIsRefused) {
  root_.write("exports", "text");
  EXPECT_EQ(refusal(), "/exports in the image is a file, not a directory");
}

TEST_F(ExportsDirectory, TextMustBeText) {
  root_.write("exports/service.template", std::string("[Service]\0", 10));
  EXPECT_THAT(refusal(), HasSubstr("exports/service.template contains a NUL byte"));
  root_.write("exports/service.template", "\xef\xbb\xbf[Service]");
  EXPECT_THAT(refusal(), HasSubstr("exports/service.template begins with a byte order mark"));
  root_.write("exports/service.template", std::string(template_size_limit + 1, 'x'));
  EXPECT_THAT(refusal(), HasSubstr("exports/service.template"));
  root_.write("exports/service.template", std::string(template_size_limit, 'x'));
  EXPECT_NO_THROW(read());
}

TEST_F(ExportsDirectory, ListsHostEntriesParentsFirst) {
  root_.write("exports/hostfs/usr/bin/x", "x");
  std::filesystem::permissions(root_ / "exports/hostfs/usr/bin/x", std::filesystem::perms(0751));
  root_.directory("exports/hostfs/etc/empty");
  root_.link("exports/hostfs/usr/bin/away", "/etc/shadow");
  const auto entries = read().host_entries;
  std::vector<std::string> paths;
  std::transform(entries.begin(), entries.end(), std::back_inserter(paths), [](const auto& e) { return e.path; });
  ASSERT_THAT(paths, ElementsAre("etc", "etc/empty", "usr", "usr/bin", "usr/bin/away", "usr/bin/x"));
  EXPECT_FALSE(entries[0].empty_directory);
  EXPECT_TRUE(entries[1].empty_directory);
  EXPECT_EQ(entries[4].kind, HostEntryKind::link);
  EXPECT_EQ(entries[4].link_target, "/etc/shadow");
  EXPECT_EQ(entries[5].kind, HostEntryKind::file);
  EXPECT_EQ(entries[5].mode, 0751U);
  EXPECT_EQ(entries[5].uid, ::geteuid());
}

TEST_F(ExportsDirectory, LinkedDirectoriesInsideHostfsAreNotEntered) {
  root_.link("exports/hostfs/etc", "/etc");
  const auto entries = read().host_entries;
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].kind, HostEntryKind::link);
}

TEST_F(ExportsDirectory, DepthIsBounded) {
  std::string path = "exports/hostfs";
  for (int i = 0; i < 64; ++i) {
    path += "/d";
  }
  root_.directory(path);
  EXPECT_EQ(read().host_entries.size(), 64U);
  root_.directory(path + "/d/d");
  EXPECT_THAT(refusal(), HasSubstr("nested more than 64 directories deep"));
}

TEST_F(ExportsDirectory, ReadsHostFiles) {
  root_.write("exports/hostfs/etc/conf", "hello");
  const HostEntry entry = read().host_entries.at(1);
  EXPECT_EQ(read_host_entry(open_exports(root_.fd()).get(), entry, 5), "hello");
  EXPECT_THROW(read_host_entry(open_exports(root_.fd()).get(), entry, 4), base::Error);
  EXPECT_TRUE(open_host_entry(open_exports(root_.fd()).get(), entry));
}

TEST_F(ExportsDirectory, HostFilesAreNotReadThroughLinks) {
  root_.directory("exports/hostfs");
  root_.link("exports/hostfs/etc", "/etc");
  HostEntry entry;
  entry.path = "etc/passwd";
  EXPECT_EQ(error_of([&] { open_host_entry(open_exports(root_.fd()).get(), entry); }).kind(),
            base::ErrorKind::verification);
  entry.path = "../../etc/passwd";
  EXPECT_THROW(open_host_entry(open_exports(root_.fd()).get(), entry), base::Error);
  entry.path = "etc";
  entry.kind = HostEntryKind::link;
  EXPECT_THROW(open_host_entry(open_exports(root_.fd()).get(), entry), base::Error);
}

}  // namespace
}  // namespace berth::render
