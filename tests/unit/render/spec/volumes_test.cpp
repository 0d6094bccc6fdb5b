// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/volumes.hpp"

#include <sys/stat.h>

#include "render/support.hpp"

namespace berth::render {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Volumes : public testing::Test {
 protected:
  std::vector<Volume> volumes() const { return volumes_of(image_, root_.fd(), volume_directory(values_)); }

  test::TemporaryDirectory root_;
  image::ImageConfig image_;
  Values values_ = {{"NAME", "web1"}, {"STATE_DIRECTORY", "/var/lib"}};
};

TEST_F(Volumes, AreInTheContainersDirectoryBelowTheStateDirectory) {
  EXPECT_EQ(volume_directory(values_), "/var/lib/berth/web1");
  EXPECT_EQ(former_volume_directory(values_), "/var/lib/web1");
}

TEST_F(Volumes, EachDestinationHasItsOwnDirectory) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/var", "/s/var"},         {"/var/lib/my_sql", "/s/var_2Flib_2Fmy_5Fsql"},
      {"/a-b.c9Z", "/s/a-b.c9Z"}, {"/my data", "/s/my_20data"},
      {"/é", "/s/_C3_A9"},        {"/%d", "/s/_25d"}};
  for (const auto& [destination, source] : cases) {
    EXPECT_EQ(volume_source("/s", destination), source);
  }
}

TEST_F(Volumes, DestinationsAreNormalizedAndOuterOnesComeFirst) {
  image_.volumes = {"/var/lib/my_sql/", "/var", "/var/lib/./my_sql", "data"};
  EXPECT_THAT(volume_destinations(image_), ElementsAre("/data", "/var", "/var/lib/my_sql"));
}

TEST_F(Volumes, RefusesTheRootAndPathsThatLeadUpwards) {
  for (const auto* volume : {"/", "", "//.//"}) {
    image_.volumes = {"/data", volume};
    const auto error = error_of([this] { volume_destinations(image_); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << volume;
    EXPECT_THAT(error.message(), HasSubstr("the image declares `"));
    EXPECT_THAT(error.hint(), HasSubstr("below /"));
  }
  image_.volumes = {"/a/../.."};
  EXPECT_THAT(error_of([this] { volumes(); }).message(), HasSubstr("the image's volume"));
}

/// The users of an image without volumes are not looked up: they may be invalid.
TEST_F(Volumes, AnImageWithoutVolumesHasNone) {
  image_.user = "nobody-here";
  EXPECT_THAT(volumes(), IsEmpty());
  image_.volumes = {"/data"};
  EXPECT_THAT(error_of([this] { volumes(); }).message(), HasSubstr("no user `nobody-here`"));
}

TEST_F(Volumes, HaveTheOwnerAndModeOfTheImagesDirectoryOrOfItsUser) {
  root_.write("etc/passwd", "web:x:101:102::/srv/web:/bin/sh\n");
  root_.write("file", "x");
  root_.directory("var/lib/db");
  ASSERT_EQ(::chmod((root_ / "var/lib/db").c_str(), 01770), 0);
  image_.volumes = {"/var/lib/db", "/my data", "/file"};
  image_.user = "web";
  EXPECT_EQ(volume_tmpfiles(volumes()),
            "d /var/lib/berth/web1/file 0755 101 102 - -\n"
            "d /var/lib/berth/web1/my_20data 0755 101 102 - -\n"
            "d /var/lib/berth/web1/var_2Flib_2Fdb 1770 " +
                std::to_string(::geteuid()) + " " + std::to_string(::getegid()) + " - -\n");
}

TEST_F(Volumes, AreFilledFromTheDirectoryOfTheImage) {
  root_.write("real/file", "x");
  root_.link("data", "/real");
  root_.directory("empty");
  root_.write("within/sub/file", "x");
  image_.volumes = {"/data", "/empty", "/absent", "/within/sub"};
  const auto found = volumes();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].destination, "/absent");
  EXPECT_EQ(found[0].content, "");
  EXPECT_EQ(found[1].destination, "/data");
  EXPECT_EQ(found[1].content, "/real") << "without the link";
  EXPECT_EQ(found[2].content, "") << "empty";
  EXPECT_EQ(found[3].content, "/within/sub");
}

/// A link of the image leads to the host's directory of that name only outside the image.
TEST_F(Volumes, LinksOfTheImageStayInside) {
  root_.directory("within");
  root_.link("within/etc", "../../../../../../../../etc");
  root_.link("status", "/proc/self");
  image_.volumes = {"/status", "/within/etc"};
  for (const auto& volume : volumes()) {
    EXPECT_EQ(volume.content, "") << volume.destination;
  }
  root_.write("etc/passwd", "");
  EXPECT_EQ(volumes().at(1).content, "/etc");
}

TEST_F(Volumes, OfAPreinstalledContainerAreFilledBySystemd) {
  const std::vector<Volume> found = {{"/data", "/var/lib/berth/web1/data", 0750, 1, 2, "/real"},
                                     {"/empty", "/var/lib/berth/web1/empty", 0755, 0, 0, ""}};
  EXPECT_EQ(volume_tmpfiles(found, "/usr/lib/containers/berth/web1.0/rootfs"),
            "C /var/lib/berth/web1/data 0750 1 2 - /usr/lib/containers/berth/web1.0/rootfs/real\n"
            "d /var/lib/berth/web1/empty 0755 0 0 - -\n");
  EXPECT_THAT(volume_tmpfiles(found), testing::StartsWith("d /var/lib/berth/web1/data 0750 1 2 - -\n"))
      << "berth fills the volumes of other containers";
}

TEST_F(Volumes, OnlyTheOwnerMayEnterTheirDirectories) {
  EXPECT_EQ(closed_tmpfiles("/var/lib/berth/web1"),
            "d /var/lib/berth 0700 0 0 - -\nd /var/lib/berth/web1 0700 0 0 - -\n");
}

}  // namespace
}  // namespace berth::render
