// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/oci_layout.hpp"

#include <gmock/gmock.h>

#include "failure.hpp"
#include "hostile_json.hpp"
#include "packed.hpp"
#include "scratch_directory.hpp"
#include "source/open.hpp"
#include "source/sample_image.hpp"
#include "source/tar_builder.hpp"

namespace berth::source {
namespace {

using base::Json;
using test::drain;
using test::failure_of;
using test::index_of;
using test::SampleImage;
using testing::HasSubstr;

const image::Platform amd64{"linux", "amd64", ""};

Json named(Json entry, const std::string& name) {
  entry["annotations"]["org.opencontainers.image.ref.name"] = name;
  return entry;
}

class OciLayoutTest : public testing::Test {
 protected:
  OciLayoutTest() {
    write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    for (const auto* image : {&image_, &other_}) {
      for (const auto* text : {&image->layer, &image->config, &image->manifest}) {
        write_blob(*text);
      }
    }
    write_index({image_.entry()});
  }
  void write(const std::string& name, const std::string& bytes) { directory_.write("layout/" + name, bytes); }
  void write_blob(const std::string& bytes) { write("blobs/sha256/" + base::digest_of(bytes).hex(), bytes); }
  void write_index(const std::vector<Json>& entries) { write("index.json", index_of(Json(entries))); }
  std::string archive(int filter = ARCHIVE_FILTER_NONE) {
    test::TarBuilder builder(filter);
    const std::filesystem::path root = directory_.path("layout");
    for (const auto& file : std::filesystem::recursive_directory_iterator(root)) {
      if (file.is_regular_file()) {
        builder.file("./" + file.path().lexically_relative(root).string(), test::read_file(file.path().string()));
      }
    }
    return directory_.write("layout.tar", builder.finish());
  }
  std::unique_ptr<image::ImageSource> open(const std::string& selector = "") {
    return source::open(image::parse_reference("oci:" + directory_.path("layout") + selector), {});
  }
  base::Error refusal(const std::string& selector = "") {
    return failure_of([&] { open(selector)->resolve(amd64); });
  }

  const test::TempDirectory directory_;
  const SampleImage image_;
  const SampleImage other_{"b", 500, "arm64"};
};

TEST_F(OciLayoutTest, ReadsTheOnlyImage) {
  const auto source = open();
  EXPECT_EQ(source->name().text(), "localhost/layout:latest");
  const auto resolved = source->resolve(amd64);
  EXPECT_EQ(resolved.text, image_.manifest);
  EXPECT_EQ(drain(*source->open_blob(resolved.manifest.config)), image_.config);
  EXPECT_EQ(drain(*source->open_blob(resolved.manifest.layers.at(0))), image_.layer);
}

TEST_F(OciLayoutTest, ReadsArchives) {
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP}) {
    const auto source = source::open(image::parse_reference("oci-archive:" + archive(filter)), {});
    EXPECT_EQ(source->name().text(), "localhost/layout:latest");
    const auto resolved = source->resolve(amd64);
    EXPECT_EQ(resolved.text, image_.manifest);
    EXPECT_EQ(drain(*source->open_blob(resolved.manifest.layers.at(0))), image_.layer);
  }
}

TEST_F(OciLayoutTest, SelectsAnImageByName) {
  write_index({named(image_.entry(), "one"), named(other_.entry(), "two")});
  EXPECT_EQ(open(":two")->resolve(amd64).text, other_.manifest);
  EXPECT_EQ(open(":two")->name().text(), "localhost/layout:two");
  EXPECT_THAT(refusal().hint(), HasSubstr("one, two"));
  EXPECT_EQ(refusal().kind(), base::ErrorKind::usage);
  EXPECT_EQ(refusal(":three").kind(), base::ErrorKind::not_found);
  EXPECT_THAT(refusal(":three").hint(), HasSubstr("one, two"));
}

TEST_F(OciLayoutTest, UsesTagsButNoNamesOfTheLayout) {
  write_index({named(image_.entry(), "1.36")});
  EXPECT_EQ(open()->name().text(), "localhost/layout:1.36");
  write_index({named(image_.entry(), "quay.io/a/b:1")});
  EXPECT_EQ(open()->name().text(), "localhost/layout:1");
  EXPECT_EQ(open(":quay.io/a/b:1")->name().text(), "quay.io/a/b:1");
  auto saved = named(image_.entry(), "latest");
  saved["annotations"]["io.containerd.image.name"] = "docker.io/library/busybox:latest";
  write_index({saved});
  EXPECT_EQ(open()->name().text(), "localhost/layout:latest");
  saved["annotations"].erase("org.opencontainers.image.ref.name");
  saved["annotations"]["io.containerd.image.name"] = "registry.corp.example/etcd:3";
  write_index({saved});
  EXPECT_EQ(open()->name().text(), "localhost/layout:3");
  saved["annotations"]["io.containerd.image.name"] = "docker.io/library/busybox:latest";
  write_index({saved});
  EXPECT_EQ(open(":docker.io/library/busybox:latest")->name().text(), "docker.io/library/busybox:latest");
}

TEST_F(OciLayoutTest, FollowsANestedIndex) {
  const auto inner = index_of({other_.entry("arm64"), image_.entry("amd64")});
  write_blob(inner);
  write_index({SampleImage::descriptor(SampleImage::index_type, inner)});
  EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
  EXPECT_EQ(open()->resolve({"linux", "arm64", "v8"}).text, other_.manifest);
  EXPECT_EQ(failure_of([&] { open()->resolve({"linux", "s390x", ""}); }).kind(), base::ErrorKind::not_found);
}

TEST_F(OciLayoutTest, ChoosesAmongPlatformsOfOneName) {
  write_index({other_.entry("arm64"), image_.entry("amd64")});
  EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
}

TEST_F(OciLayoutTest, IgnoresEntriesThatAreNotImages) {
  write_index({other_.entry("arm64"), image_.entry("amd64"), SampleImage::descriptor("application/x", "x"), Json(7)});
  EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
  write_index({SampleImage::descriptor("application/x", "x"), named(image_.entry(), "1")});
  EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
  write_index({image_.entry(), other_.entry()});
  EXPECT_THAT(refusal().message(), HasSubstr("holds several images"));
}

TEST_F(OciLayoutTest, FollowsOneIndexInsideTheIndexOfAnImage) {
  auto inner = index_of(Json::array({image_.entry("amd64")}));
  for (const bool allowed : {true, false}) {
    write_blob(inner);
    auto entry = SampleImage::descriptor(SampleImage::index_type, inner);
    entry["platform"] = {{"os", "linux"}, {"architecture", "amd64"}};
    inner = index_of(Json::array({entry}));
    write_blob(inner);
    write_index({SampleImage::descriptor(SampleImage::index_type, inner)});
    if (allowed) {
      EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
    } else {
      EXPECT_THAT(refusal().message(), HasSubstr("an index inside two others"));
    }
  }
}

TEST_F(OciLayoutTest, RefusesOtherDirectories) {
  EXPECT_EQ(failure_of([&] { source::open(image::parse_reference("oci:" + directory_.path("none")), {}); }).kind(),
            base::ErrorKind::not_found);
  write("oci-layout", R"({"imageLayoutVersion":"2.0"})");
  EXPECT_THAT(refusal().message(), HasSubstr("imageLayoutVersion"));
  write("oci-layout", R"({})");
  EXPECT_THAT(refusal().message(), HasSubstr("imageLayoutVersion"));
  std::filesystem::remove(directory_.path("layout/oci-layout"));
  EXPECT_THAT(refusal().message(), HasSubstr("not an OCI image layout"));
}

TEST_F(OciLayoutTest, RefusesDamagedIndexes) {
  write("index.json", "{");
  EXPECT_THAT(refusal().message(), HasSubstr("index.json"));
  write_index({});
  EXPECT_EQ(refusal().kind(), base::ErrorKind::not_found);
  std::filesystem::remove(directory_.path("layout/index.json"));
  EXPECT_THAT(refusal().message(), HasSubstr("index.json does not exist"));
}

TEST_F(OciLayoutTest, RefusesBrokenDocuments) {
  for (const auto& [name, good] : {std::pair("index.json", index_of(Json::array({image_.entry()}))),
                                   std::pair("oci-layout", std::string(R"({"imageLayoutVersion":"1.0.0"})"))}) {
    for (const auto& broken : test::broken_json(good)) {
      SCOPED_TRACE(name + (", " + broken.label));
      write(name, broken.text);
      const auto error = refusal();
      EXPECT_EQ(error.kind(), base::ErrorKind::verification);
      EXPECT_THAT(error.what(), HasSubstr(name));
      EXPECT_THAT(error.what(), HasSubstr(broken.label == "huge" ? "more than 4194304 bytes" : broken.words));
      EXPECT_THAT(error.hint(), HasSubstr("write the layout again"));
    }
    write(name, good);
  }
}

TEST_F(OciLayoutTest, RefusesDamagedBlobs) {
  const auto blob = "blobs/sha256/" + base::digest_of(image_.manifest).hex();
  auto text = image_.manifest;
  text[0] = ' ';
  write(blob, text);
  EXPECT_EQ(refusal().kind(), base::ErrorKind::verification);
  write(blob, image_.manifest + " ");
  EXPECT_EQ(refusal().kind(), base::ErrorKind::verification);
  std::filesystem::remove(directory_.path("layout/" + blob));
  EXPECT_THAT(refusal().message(), HasSubstr("is missing"));
  std::filesystem::create_directory(directory_.path("layout/" + blob));
  EXPECT_THAT(refusal().message(), HasSubstr("not a regular file"));
}

// Blobs behind links must match their digests.
TEST_F(OciLayoutTest, FollowsLinksToBlobsAndTheirDirectory) {
  const auto blob = directory_.path("layout/blobs/sha256/" + base::digest_of(image_.manifest).hex());
  const auto outside = directory_.write("outside", image_.manifest);
  std::filesystem::remove(blob);
  std::filesystem::create_symlink(outside, blob);
  EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
  std::filesystem::rename(directory_.path("layout/blobs/sha256"), directory_.path("elsewhere"));
  std::filesystem::create_directory_symlink(directory_.path("elsewhere"), directory_.path("layout/blobs/sha256"));
  EXPECT_EQ(open()->resolve(amd64).text, image_.manifest);
  std::filesystem::remove(blob);
  std::filesystem::create_symlink("/dev/zero", blob);
  EXPECT_THAT(refusal().message(), HasSubstr("not a regular file"));
  std::filesystem::remove(blob);
  std::filesystem::create_symlink("/etc/passwd", blob);
  EXPECT_EQ(refusal().kind(), base::ErrorKind::verification);
}

TEST_F(OciLayoutTest, RefusesDocumentsThatAreLinks) {
  std::filesystem::rename(directory_.path("layout/index.json"), directory_.path("outside"));
  std::filesystem::create_symlink(directory_.path("outside"), directory_.path("layout/index.json"));
  EXPECT_THROW(open(), base::Error);
}

TEST_F(OciLayoutTest, RefusesHugeManifests) {
  auto entry = image_.entry();
  entry["size"] = 5 << 20;
  write_index({entry});
  EXPECT_THAT(refusal().message(), HasSubstr("more than"));
}

TEST_F(OciLayoutTest, LimitsTheListOfNames) {
  std::vector<Json> entries;
  for (int at = 0; at < 30; ++at) {
    entries.push_back(named(image_.entry(), "n" + std::to_string(at)));
  }
  entries.push_back(image_.entry());
  write_index(entries);
  EXPECT_THAT(refusal().hint(), testing::EndsWith("n9, ..."));
}

}  // namespace
}  // namespace berth::source
