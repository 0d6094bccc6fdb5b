// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/docker_archive.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "failure.hpp"
#include "hostile_json.hpp"
#include "packed.hpp"
#include "scratch_directory.hpp"
#include "source/sample_image.hpp"
#include "source/tar_builder.hpp"

namespace berth::source {
namespace {

using base::Json;
using test::compress;
using test::drain;
using test::failure_of;
using test::SampleImage;
using test::TarBuilder;
using testing::HasSubstr;

const image::Platform amd64{"linux", "amd64", ""};

class DockerArchiveTest : public testing::Test {
 protected:
  static Json entry(const std::string& config, const std::vector<std::string>& layers,
                    const std::vector<std::string>& names) {
    return {{"Config", config}, {"RepoTags", names}, {"Layers", layers}};
  }
  std::string write(TarBuilder& builder, const Json& manifest) {
    return directory_.write("image.tar", builder.file("manifest.json", manifest.dump()).finish());
  }
  std::string one_image(int filter = ARCHIVE_FILTER_NONE, const std::string& layer = "") {
    TarBuilder builder(filter);
    builder.file("c.json", image_.config).file("l/layer.tar", layer.empty() ? image_.layer : layer);
    return write(builder, Json::array({entry("c.json", {"l/layer.tar"}, {"busybox:1"})}));
  }
  static DockerArchiveSource open(const std::string& path, const std::string& selector = "") {
    return DockerArchiveSource(image::parse_reference("docker-archive:" + path + selector));
  }

  const test::TempDirectory directory_;
  const SampleImage image_;
  const SampleImage other_{"b", 300};
};

TEST_F(DockerArchiveTest, ReadsAnImage) {
  for (const int filter : {ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP}) {
    auto source = open(one_image(filter));
    EXPECT_EQ(source.name().text(), "localhost/image:1");  // the name in the archive is not trusted
    const auto resolved = source.resolve(amd64);
    EXPECT_EQ(resolved.digest, base::digest_of(resolved.text));
    EXPECT_EQ(resolved.manifest.config.digest, base::digest_of(image_.config));
    ASSERT_EQ(resolved.manifest.layers.size(), 1U);
    EXPECT_EQ(image::layer_compression(resolved.manifest.layers[0]), image::Compression::none);
    EXPECT_EQ(drain(*source.open_blob(resolved.manifest.config)), image_.config);
    EXPECT_EQ(drain(*source.open_blob(resolved.manifest.layers[0])), image_.layer);
  }
}

TEST_F(DockerArchiveTest, UsesTheNameInTheArchiveForAtomicReferencesOnly) {
  const auto path = "docker-archive:" + one_image();
  EXPECT_EQ(DockerArchiveSource(image::parse_reference(path, image::Naming::as_written)).name().text(), "busybox:1");
}

TEST_F(DockerArchiveTest, IgnoresInvalidNames) {
  TarBuilder builder;
  builder.file("c.json", image_.config).file("l/layer.tar", image_.layer);
  const auto path = write(builder, Json::array({entry("c.json", {"l/layer.tar"}, {"No Name", "a:7"})}));
  EXPECT_EQ(open(path).name().text(), "localhost/image:7");
}

TEST_F(DockerArchiveTest, WritesAManifestThatCanBeParsed) {
  auto source = open(one_image());
  const auto resolved = source.resolve(amd64);
  const auto parsed = std::get<image::Manifest>(image::parse_manifest(resolved.text, "", "x"));
  EXPECT_EQ(parsed.layers[0].digest, resolved.manifest.layers[0].digest);
  EXPECT_EQ(parsed.layers[0].size, resolved.manifest.layers[0].size);
}

TEST_F(DockerArchiveTest, CompressedLayersGiveTheSameManifest) {
  const auto plain = open(one_image()).resolve(amd64).text;
  for (const int filter : {ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD}) {
    auto source = open(one_image(ARCHIVE_FILTER_NONE, compress(image_.layer, filter)));
    const auto resolved = source.resolve(amd64);
    EXPECT_EQ(resolved.text, plain);
    EXPECT_EQ(drain(*source.open_blob(resolved.manifest.layers[0])), image_.layer);
  }
}

TEST_F(DockerArchiveTest, FollowsLinksToRepeatedLayers) {
  const auto config =
      Json{{"architecture", "amd64"},
           {"os", "linux"},
           {"rootfs",
            {{"type", "layers"}, {"diff_ids", {SampleImage::digest(image_.layer), SampleImage::digest(image_.layer)}}}}}
          .dump();
  TarBuilder builder;
  builder.file("c.json", config).file("1/layer.tar", image_.layer).symlink("2/layer.tar", "../1/layer.tar");
  auto source = open(write(builder, Json::array({entry("c.json", {"1/layer.tar", "2/layer.tar"}, {})})));
  const auto resolved = source.resolve(amd64);
  ASSERT_EQ(resolved.manifest.layers.size(), 2U);
  EXPECT_EQ(resolved.manifest.layers[1].size, static_cast<std::int64_t>(image_.layer.size()));
  EXPECT_EQ(drain(*source.open_blob(resolved.manifest.layers[1])), image_.layer);
  EXPECT_EQ(source.name().text(), "localhost/image:latest");
}

TEST_F(DockerArchiveTest, SelectsAnImageByName) {
  TarBuilder builder;
  builder.file("a.json", image_.config)
      .file("a.tar", image_.layer)
      .file("b.json", other_.config)
      .file("b.tar", other_.layer);
  const auto path = write(builder, Json::array({entry("a.json", {"a.tar"}, {"busybox:1", "localhost/x:2"}),
                                                entry("b.json", {"b.tar"}, {"quay.io/y:3"})}));
  EXPECT_EQ(open(path, ":localhost/x:2").resolve(amd64).manifest.config.digest, base::digest_of(image_.config));
  EXPECT_EQ(open(path, ":localhost/x:2").name().text(), "localhost/x:2");
  EXPECT_EQ(open(path, ":busybox:1").name().text(), "docker.io/library/busybox:1");
  EXPECT_EQ(open(path, ":quay.io/y:3").resolve(amd64).manifest.config.digest, base::digest_of(other_.config));
  const auto ambiguous = failure_of([&] { open(path); });
  EXPECT_EQ(ambiguous.kind(), base::ErrorKind::usage);
  EXPECT_THAT(ambiguous.hint(), HasSubstr("docker.io/library/busybox:1, localhost/x:2, quay.io/y:3"));
  const auto unknown = failure_of([&] { open(path, ":quay.io/y:4"); });
  EXPECT_EQ(unknown.kind(), base::ErrorKind::not_found);
  EXPECT_THAT(unknown.hint(), HasSubstr("quay.io/y:3"));
}

TEST_F(DockerArchiveTest, RefusesLayersThatDoNotMatchTheConfiguration) {
  auto source = open(one_image(ARCHIVE_FILTER_NONE, other_.layer));
  const auto resolved = source.resolve(amd64);
  EXPECT_EQ(failure_of([&] { drain(*source.open_blob(resolved.manifest.layers[0])); }).kind(),
            base::ErrorKind::verification);
}

TEST_F(DockerArchiveTest, RefusesBlobsOfOtherImages) {
  auto source = open(one_image());
  EXPECT_EQ(failure_of([&] {
              source.open_blob({"x", base::digest_of("?"), 1, std::nullopt, {}, {}});
            }).kind(),
            base::ErrorKind::not_found);
}

TEST_F(DockerArchiveTest, RefusesDamagedArchives) {
  const auto refusal = [&](const Json& manifest) {
    TarBuilder builder;
    builder.file("c.json", image_.config).file("l.tar", image_.layer).file("bad.json", "{}");
    const auto path = write(builder, manifest);
    return failure_of([&] { open(path); });
  };
  const std::vector<std::pair<Json, std::string>> cases{
      {Json::array(), "holds no image"},
      {Json::object(), "expected an array"},
      {Json::array({7}), "[0]"},
      {Json::array({{{"Config", 7}}}), "[0].Config"},
      {Json::array({{{"Config", "c.json"}}}), "Layers"},
      {Json::array({entry("none.json", {"l.tar"}, {})}), "'none.json' is missing"},
      {Json::array({entry("../../etc/passwd", {"l.tar"}, {})}), "is missing"},
      {Json::array({entry("c.json", {"none.tar"}, {})}), "'none.tar' is missing"},
      {Json::array({entry("c.json", {}, {})}), "names 0 layers"},
      {Json::array({entry("c.json", {"l.tar", "l.tar"}, {})}), "names 2 layers"},
      {Json::array({entry("bad.json", {"l.tar"}, {})}), "bad.json"},
      {Json::array({entry("c.json", std::vector<std::string>(501, "l.tar"), {})}), "more than 500 layers"},
  };
  for (const auto& [manifest, words] : cases) {
    const auto error = refusal(manifest);
    EXPECT_THAT(error.what(), HasSubstr(words)) << manifest.dump().substr(0, 200);
    EXPECT_FALSE(error.hint().empty()) << manifest.dump().substr(0, 200);
  }
}

// The limit of a layer depends on its packed size in the archive, not on its declared size.
TEST_F(DockerArchiveTest, ReturnsThePackedSizeOfLayers) {
  const SampleImage image("a", 2'000'000);
  TarBuilder builder(ARCHIVE_FILTER_GZIP);
  builder.file("c.json", image.config).file("l/layer.tar", image.layer);
  const auto path = write(builder, Json::array({entry("c.json", {"l/layer.tar"}, {})}));
  auto source = open(path);
  const auto layer = source.resolve(amd64).manifest.layers.at(0);
  EXPECT_EQ(layer.size, 2'000'000);
  EXPECT_EQ(source.packed_size(layer), static_cast<std::int64_t>(std::filesystem::file_size(path)));
}

TEST_F(DockerArchiveTest, RefusesLayersThatAreCompressedTwice) {
  const auto packed = compress(compress(image_.layer, ARCHIVE_FILTER_GZIP), ARCHIVE_FILTER_GZIP);
  EXPECT_THAT(failure_of([&] { open(one_image(ARCHIVE_FILTER_NONE, packed)); }).message(),
              HasSubstr("compressed more than once"));
}

TEST_F(DockerArchiveTest, RefusesABrokenManifest) {
  for (const auto& broken : test::broken_json(Json::array({entry("c.json", {"l.tar"}, {"busybox:1"})}).dump())) {
    const auto path = directory_.write("image.tar", TarBuilder().file("manifest.json", broken.text).finish());
    const auto error = failure_of([&] { open(path); });
    EXPECT_EQ(error.kind(), base::ErrorKind::verification) << broken.label;
    EXPECT_THAT(error.what(), HasSubstr("manifest.json")) << broken.label;
    EXPECT_THAT(error.what(), HasSubstr(broken.label == "huge" ? "more than 4194304 bytes" : broken.words))
        << broken.label;
    EXPECT_THAT(error.hint(), HasSubstr("saved again")) << broken.label;
  }
}

TEST_F(DockerArchiveTest, RefusesOtherArchives) {
  const auto path = directory_.write("x.tar", TarBuilder().file("oci-layout", "{}").finish());
  const auto error = failure_of([&] { open(path); });
  EXPECT_THAT(error.message(), HasSubstr("no manifest.json"));
  EXPECT_THAT(error.hint(), HasSubstr("oci-archive"));
}

}  // namespace
}  // namespace berth::source
