// SPDX-License-Identifier: LGPL-2.1-or-later
#include "image/reference.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "failure.hpp"

namespace berth::image {
namespace {

using test::failure_of;
using testing::HasSubstr;

TEST(Reference, ParsesRegistries) {
  for (const std::string text : {"docker://quay.io/a:1", "quay.io/a:1"}) {
    const auto reference = parse_reference(text);
    EXPECT_EQ(reference.transport, Transport::registry);
    EXPECT_FALSE(reference.plain_http);
    EXPECT_FALSE(reference.https_only);
    EXPECT_EQ(reference.name.text(), "quay.io/a:1");
    EXPECT_EQ(reference.text(), "quay.io/a:1");
    EXPECT_EQ(reference.path, "");
  }
}

TEST(Reference, ParsesSchemes) {
  for (const std::string text : {"http:host:5000/a", "http://host:5000/a"}) {
    EXPECT_TRUE(parse_reference(text).plain_http) << text;
    EXPECT_EQ(parse_reference(text).text(), "http:host:5000/a:latest");
  }
  for (const std::string text : {"https:host:5000/a", "https://host:5000/a"}) {
    EXPECT_TRUE(parse_reference(text).https_only) << text;
    EXPECT_FALSE(parse_reference(text).plain_http) << text;
    EXPECT_EQ(parse_reference(text).text(), "https:host:5000/a:latest");
  }
}

TEST(Reference, ParsesLayouts) {
  const auto reference = parse_reference("oci:/srv/My Image!:1.2");
  EXPECT_EQ(reference.transport, Transport::oci_layout);
  EXPECT_EQ(reference.path, "/srv/My Image!");
  EXPECT_EQ(reference.selector, "1.2");
  EXPECT_EQ(reference.name.text(), "localhost/my-image:1.2");
  EXPECT_EQ(reference.text(), "oci:/srv/My Image!:1.2");
  EXPECT_EQ(parse_reference("oci:/srv/x/").name.text(), "localhost/x:latest");
}

TEST(Reference, RelativePathsBecomeAbsolute) {
  EXPECT_EQ(parse_reference("oci:x/y").path, (std::filesystem::current_path() / "x/y").string());
}

TEST(Reference, NamesOfArchivesComeFromTheFile) {
  EXPECT_EQ(parse_reference("oci-archive:/a/etcd.tar").name.text(), "localhost/etcd:latest");
  EXPECT_EQ(parse_reference("oci-archive:/a/etcd-3.5.tar.gz").name.text(), "localhost/etcd-3.5:latest");
  EXPECT_EQ(parse_reference("oci-archive:/a/__.tar").name.text(), "localhost/image:latest");
  EXPECT_EQ(parse_reference("oci-archive:/a/.tar").name.text(), "localhost/tar:latest");
  EXPECT_EQ(parse_reference("oci-archive:/a/b.tar:some/thing").name.text(), "localhost/b:some-thing");
  EXPECT_EQ(parse_reference("oci-archive:/a/b.tar:///").name.text(), "localhost/b:latest");
}

TEST(Reference, MakesAValidNameForAFile) {
  const auto name = parse_reference("oci:/a/" + std::string(100, 'x') + ":" + std::string(128, '_')).name;
  EXPECT_LE(name.encoded().size(), 255U);
  EXPECT_EQ(parse_image_name(name.text()), name);
}

TEST(Reference, ASelectorThatIsANameNamesTheImage) {
  EXPECT_EQ(parse_reference("oci:/a/b:quay.io/x/y:1").name.text(), "quay.io/x/y:1");
  EXPECT_EQ(parse_reference("docker-archive:/a/b.tar:busybox:1").name.text(), "docker.io/library/busybox:1");
  EXPECT_EQ(parse_reference("docker-archive:/a/b.tar:busybox:1").selector, "busybox:1");
  EXPECT_EQ(parse_reference("dockertar:/a/b.tar").text(), "docker-archive:/a/b.tar");
  EXPECT_EQ(parse_reference("docker-archive:/a/b.tar").name.text(), "localhost/b:latest");
}

// Cut to length, the name must still be one: it may not end with a separator.
TEST(Reference, MakesAValidNameForALongFileName) {
  const auto name = parse_reference("oci:/srv/" + std::string(63, 'a') + "-b.tar").name;
  EXPECT_EQ(name.repository, std::string(63, 'a'));
  EXPECT_EQ(parse_image_name(name.text()), name);
}

TEST(Reference, RefusesWithARemedy) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"oci:", "no path"},
      {"oci:/a:", "last colon"},
      {"docker-archive:/a:UPPER", "lower case"},
      {"docker-daemon:", "empty"},
      {"ostree:busybox", "'ostree:' is not supported"},
      {"busybox", "names no registry"},
      {"http:busybox", "names no registry"},
      {"docker://", "empty"},
      {"", "empty"},
  };
  for (const auto& [text, reason] : cases) {
    const auto error = failure_of([&name = text] { parse_reference(name); });
    EXPECT_EQ(error.kind(), base::ErrorKind::usage) << text;
    EXPECT_THAT(error.message(), HasSubstr(reason)) << text;
    EXPECT_NE(error.hint(), "") << text;
  }
  EXPECT_THAT(failure_of([] { parse_reference("oci:/a\nb"); }).message(), HasSubstr("control characters"));
}

TEST(Reference, ParsesDaemons) {
  for (const std::string text : {"docker-daemon:busybox:1", "docker:busybox:1"}) {
    const auto reference = parse_reference(text);
    EXPECT_EQ(reference.transport, Transport::docker_daemon);
    EXPECT_EQ(reference.selector, "busybox:1");
    EXPECT_EQ(reference.name.text(), "docker.io/library/busybox:1");
    EXPECT_EQ(reference.text(), "docker-daemon:busybox:1");
  }
  EXPECT_EQ(failure_of([] { parse_reference("docker-daemon:"); }).kind(), base::ErrorKind::usage);
}

TEST(Reference, KeepsNamesAsTheyAreWritten) {
  const auto written = [](const std::string& text) { return parse_reference(text, Naming::as_written).name.text(); };
  EXPECT_EQ(written("busybox"), "busybox:latest");
  EXPECT_EQ(written("http:docker.io/busybox:1"), "docker.io/busybox:1");
  EXPECT_EQ(written("docker-daemon:localhost/a:1"), "a:1");
  EXPECT_EQ(written("docker-archive:/srv/a.tar:b:1"), "b:1");
  EXPECT_EQ(written("oci:/srv/a"), "a:latest");
}

}  // namespace
}  // namespace berth::image
