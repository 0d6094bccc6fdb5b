// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/fakes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "store/tar_builder.hpp"

namespace berth::store::testing {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = (fs::temp_directory_path() / "berth-store-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    base::throw_errno("make " + pattern);
  }
  path_ = pattern;
  fd_ = base::open_host_directory(path_);
}

TemporaryDirectory::~TemporaryDirectory() {
  try {
    base::remove_tree_at(AT_FDCWD, path_);
  } catch (const base::Error& error) {
    ADD_FAILURE() << error.what();
  }
}

void RecordingReporter::step(std::string_view message) {
  {
    const std::scoped_lock guard(lock_);
    steps.emplace_back(message);
  }
  if (on_step) {
    on_step();
  }
}

void RecordingReporter::progress(const base::Progress& progress) {
  const std::scoped_lock guard(lock_);
  progresses.push_back(progress);
  if (on_progress) {
    on_progress();
  }
}

void RecordingReporter::warning(std::string_view message) {
  const std::scoped_lock guard(lock_);
  warnings.emplace_back(message);
}

std::size_t MemoryStream::read(std::span<std::byte> buffer) {
  const auto count = std::min({buffer.size(), piece_, bytes_.size() - position_});
  std::copy_n(reinterpret_cast<const std::byte*>(bytes_.data()) + position_, count, buffer.begin());
  position_ += count;
  return count;
}

FakeSource::FakeSource(const std::string& name) : name_(image::parse_image_name(name)) {}

FakeSource& FakeSource::layer(const std::string& tar, image::Compression compression) {
  const std::string type = "application/vnd.oci.image.layer.v1.tar";
  const char* suffix = compression == image::Compression::gzip   ? "+gzip"
                       : compression == image::Compression::zstd ? "+zstd"
                                                                 : "";
  return raw_layer(pack(tar, compression), base::digest_of(tar).text(), type + suffix);
}

FakeSource& FakeSource::raw_layer(const std::string& packed, const std::string& diff_id,
                                  const std::string& media_type) {
  layers_.push_back({packed, diff_id, media_type});
  return *this;
}

std::string FakeSource::layer_hex(std::size_t index) const {
  return base::digest_of(layers_.at(index).packed).hex();
}

std::string FakeSource::config_text() const {
  std::string ids;
  for (const auto& layer : layers_) {
    ids += fmt::format("{}\"{}\"", ids.empty() ? "" : ",", layer.diff_id);
  }
  return fmt::format(R"({{"created":"{}","architecture":"amd64","os":"linux","config":{{"Cmd":["/bin/true"]}},)"
                     R"("rootfs":{{"type":"layers","diff_ids":[{}]}}}})",
                     created_, ids);
}

std::string FakeSource::manifest_text() const {
  const auto config = config_text();
  std::string layers;
  for (const auto& layer : layers_) {
    layers += fmt::format(R"({}{{"mediaType":"{}","digest":"{}","size":{}}})", layers.empty() ? "" : ",",
                          layer.media_type, base::digest_of(layer.packed).text(), layer.packed.size());
  }
  return fmt::format(R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
                     R"({{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},)"
                     R"("layers":[{}]}})",
                     base::digest_of(config).text(), config.size(), layers);
}

image::ResolvedManifest FakeSource::resolve(const image::Platform& /*platform*/) {
  const auto text = manifest_text();
  return {text, base::digest_of(text), std::get<image::Manifest>(image::parse_manifest(text, "", "test manifest"))};
}

std::unique_ptr<base::ByteStream> FakeSource::open_blob(const image::Descriptor& descriptor) {
  ++blobs_opened;
  std::string bytes = config_text();
  for (const auto& layer : layers_) {
    if (base::digest_of(layer.packed) == descriptor.digest) {
      bytes = layer.packed;
    }
  }
  std::unique_ptr<base::ByteStream> stream = std::make_unique<base::VerifyingStream>(
      std::make_unique<MemoryStream>(bytes), descriptor.digest, descriptor.size, "blob " + descriptor.digest.text());
  return wrap ? wrap(descriptor.digest.hex(), std::move(stream)) : std::move(stream);
}

std::string describe(const std::string& root, const std::string& path) {
  const auto full = root + "/" + path;
  struct stat status {};
  if (::lstat(full.c_str(), &status) != 0) {
    return "absent";
  }
  const auto owner = fmt::format("{:04o} {}:{}", status.st_mode & 07777U, status.st_uid, status.st_gid);
  if (S_ISLNK(status.st_mode)) {
    return "link " + fs::read_symlink(full).string();
  }
  if (S_ISDIR(status.st_mode)) {
    return "directory " + owner;
  }
  if (!S_ISREG(status.st_mode)) {
    return "special " + owner;
  }
  const auto content = base::read_file_at(AT_FDCWD, full, std::uint64_t{1} << 30U).value_or("");
  return fmt::format("file {} {}", owner, content);
}

std::vector<std::string> listing(const std::string& root) {
  std::vector<std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const auto path = entry.path().lexically_relative(root).string();
    result.push_back(path + ": " + describe(root, path));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::string ostree(const std::string& repository, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{"ostree"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back("--repo=" + repository);
  const auto result = base::run_process(command);
  EXPECT_EQ(result.exit_code, 0) << result.output << result.error_output;
  return result.output;
}

StoreOptions options_for(const TemporaryDirectory& directory, base::Reporter& reporter, RepositoryMode mode) {
  StoreOptions options;
  options.repository = directory.path() + "/repo";
  options.mode = mode;
  options.reporter = &reporter;
  return options;
}

}  // namespace berth::store::testing
