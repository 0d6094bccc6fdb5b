// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/oci_layout.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "base/digest.hpp"

namespace berth::test {

namespace {

ssize_t append(archive* /*unused*/, void* out, const void* bytes, size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<ssize_t>(size);
}

std::string tar_of(const std::vector<LayerFile>& files) {
  std::string out;
  archive* writer = archive_write_new();
  archive_write_set_format_pax_restricted(writer);
  archive_write_open(writer, &out, nullptr, append, nullptr);
  for (const auto& file : files) {
    archive_entry* entry = archive_entry_new();
    const bool directory = file.name.back() == '/';
    archive_entry_set_pathname(entry, file.name.c_str());
    archive_entry_set_filetype(entry, directory ? AE_IFDIR : file.link_target.empty() ? AE_IFREG : AE_IFLNK);
    archive_entry_set_perm(entry, file.mode);
    archive_entry_set_uid(entry, file.owner);
    if (!file.link_target.empty()) {
      archive_entry_set_symlink(entry, file.link_target.c_str());
    } else if (!directory) {
      archive_entry_set_size(entry, static_cast<la_int64_t>(file.content.size()));
    }
    if (archive_write_header(writer, entry) != ARCHIVE_OK) {
      throw std::runtime_error(archive_error_string(writer));
    }
    archive_write_data(writer, file.content.data(), file.content.size());
    archive_entry_free(entry);
  }
  archive_write_free(writer);
  return out;
}

/// Stores a blob and returns its descriptor.
std::string add_blob(const std::filesystem::path& layout, const std::string& type, const std::string& bytes) {
  const auto digest = base::digest_of(bytes);
  std::filesystem::create_directories(layout / "blobs/sha256");
  std::ofstream(layout / "blobs/sha256" / digest.hex(), std::ios::binary) << bytes;
  return fmt::format(R"({{"mediaType":"application/vnd.oci.image.{}","digest":"{}","size":{}}})", type, digest.text(),
                     bytes.size());
}

}  // namespace

void write_oci_layout(const std::string& path, const ImageSpec& spec) {
  const std::filesystem::path layout(path);
  const auto tar = tar_of(spec.files);
  const auto layer = add_blob(layout, "layer.v1.tar", tar);
  const auto config =
      add_blob(layout, "config.v1+json",
               fmt::format(R"({{"architecture":"{}","os":"linux","created":"2024-05-06T07:08:09Z","config":{},)"
                           R"("rootfs":{{"type":"layers","diff_ids":["{}"]}}}})",
                           spec.architecture, spec.config, base::digest_of(tar).text()));
  const auto manifest = add_blob(
      layout, "manifest.v1+json",
      fmt::format(
          R"({{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}})",
          config, layer));
  std::ofstream(layout / "oci-layout") << R"({"imageLayoutVersion":"1.0.0"})";
  std::ofstream(layout / "index.json") << fmt::format(R"({{"schemaVersion":2,"manifests":[{}]}})", manifest);
}

}  // namespace berth::test
