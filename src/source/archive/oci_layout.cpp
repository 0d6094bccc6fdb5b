// SPDX-License-Identifier: LGPL-2.1-or-later
#include "source/archive/oci_layout.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"
#include "source/archive/tar_file.hpp"

namespace berth::source {
namespace {

constexpr auto ref_name = "org.opencontainers.image.ref.name";
constexpr auto containerd_name = "io.containerd.image.name";
constexpr std::size_t shown_entries = 10;

// An open file as a stream.
class FileStream final : public base::ByteStream {
 public:
  FileStream(base::Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = TEMP_FAILURE_RETRY(::read(fd_.get(), buffer.data(), buffer.size()));
    if (count < 0) {
      base::throw_errno("read " + name_);
    }
    return static_cast<std::size_t>(count);
  }

 private:
  base::Fd fd_;
  std::string name_;
};

// Tools link blobs, or their directory, into a store that several layouts share; since the digest of a blob is checked,
// it may be anywhere. Nothing but a regular file is opened for reading.
std::optional<base::Fd> find_regular(int directory, const std::string& name, const std::string& whole) {
  const bool blob = name.starts_with("blobs/");
  const auto found =
      blob ? base::find_host_file_at(directory, name, O_PATH) : base::find_beneath(directory, name, O_PATH);
  if (!found) {
    return std::nullopt;
  }
  const auto& place = *found;
  struct stat status {};
  base::check_errno(::fstat(place.get(), &status), "examine " + whole);
  if (!S_ISREG(status.st_mode)) {
    throw base::Error(base::ErrorKind::verification, whole + " is not a regular file", "write the layout again");
  }
  const auto self = fmt::format("/proc/self/fd/{}", place.get());
  return base::Fd(base::check_errno(::open(self.c_str(), O_RDONLY | O_CLOEXEC), "open " + whole));
}

std::unique_ptr<base::ByteStream> open_file(int directory, const std::string& path, const std::string& name) {
  const auto whole = path + "/" + name;
  auto file = find_regular(directory, name, whole);
  return file ? std::make_unique<FileStream>(std::move(*file), whole) : nullptr;
}

std::string annotation(const image::Descriptor& entry, const char* key) {
  const auto found = entry.annotations.find(key);
  return found == entry.annotations.end() ? "" : found->second;
}

bool is_named(const image::Descriptor& entry, const std::string& selector) {
  return annotation(entry, ref_name) == selector || annotation(entry, containerd_name) == selector;
}

std::string names_of(const std::vector<image::Descriptor>& entries) {
  std::string list;
  for (std::size_t at = 0; at < std::min(entries.size(), shown_entries); ++at) {
    const auto own = annotation(entries[at], ref_name);
    list += (at == 0 ? "" : ", ") + (own.empty() ? "(no name)" : base::printable(own, 80));
  }
  return list + (entries.size() > shown_entries ? ", ..." : "");
}

std::string reasons_of(const std::vector<std::string>& unreadable) {
  return unreadable.empty() ? "" : "; its entries cannot be read: " + unreadable.front();
}

// Entries beside images that have neither name nor platform, e.g. signatures, are not images.
void leave_out_companions(std::vector<image::Descriptor>& entries) {
  const auto is_companion = [](const image::Descriptor& entry) {
    return !entry.platform && annotation(entry, ref_name).empty() && annotation(entry, containerd_name).empty();
  };
  if (!std::all_of(entries.begin(), entries.end(), is_companion)) {
    std::erase_if(entries, is_companion);
  }
}

std::optional<image::ImageName> full_name(const std::string& text) {
  try {
    return image::parse_image_name(text);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}

// The names in a layout are arbitrary, and may be those of images that were installed from a registry. So the image is
// named after the file, or by the user, and only its tag comes from the layout.
image::ImageName name_for(const image::Reference& reference, const image::Descriptor& entry) {
  auto name = reference.name;
  if (!reference.selector.empty()) {
    return name;
  }
  for (const auto* key : {ref_name, containerd_name}) {
    const auto text = annotation(entry, key);
    const auto full = full_name(text);
    const auto tag = full ? full->tag : text;
    if (image::is_tag(tag)) {
      name.tag = tag;
      break;
    }
  }
  return name;
}

void check_layout_version(const LayoutFiles& files) {
  const auto stream = files.open("oci-layout");
  if (!stream) {
    throw base::Error(
        base::ErrorKind::verification,
        fmt::format("{} is not an OCI image layout: it has no file 'oci-layout'", files.path),
        "oci: takes a directory and oci-archive: a tar file of such a layout; docker-archive: is for `docker save`");
  }
  const auto document = files.path + "/oci-layout";
  base::with_hint("write the layout again", [&] {
    const auto json = base::parse_json(base::read_text(*stream, base::json_size_limit, document), document);
    const auto version = base::JsonView(json, document).at("imageLayoutVersion");
    if (!version.as_string().starts_with("1.")) {
      version.fail(fmt::format("expected 1.0.0, found '{}'", base::printable(version.as_string())));
    }
  });
}

image::Index read_index(const LayoutFiles& files) {
  const auto document = files.path + "/index.json";
  const auto stream = files.open("index.json");
  if (!stream) {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} does not exist", document),
                      "write the layout again");
  }
  return base::with_hint("write the layout again", [&] {
    return image::parse_layout_index(base::read_text(*stream, base::json_size_limit, document), document);
  });
}

std::string blob_path(const base::Digest& digest) {
  return fmt::format("blobs/{}/{}", digest.algorithm() == base::DigestAlgorithm::sha256 ? "sha256" : "sha512",
                     digest.hex());
}

}  // namespace

LayoutFiles open_layout_directory(const std::string& path) {
  // std::function requires a copyable target: the directory is owned by the function and its copies.
  auto directory = std::make_shared<base::Fd>(base::open_host_directory(path));
  LayoutFiles files;
  files.path = path;
  files.open = [directory, path](const std::string& name) { return open_file(directory->get(), path, name); };
  return files;
}

LayoutFiles open_layout_archive(const std::string& path, const std::stop_token& stop) {
  // As above: owned by the function and its copies.
  auto archive = std::make_shared<TarFile>(path, stop);
  return {path, [archive](const std::string& name) { return archive->open(name); }, archive->packed_size()};
}

OciLayoutSource::OciLayoutSource(const image::Reference& reference, LayoutFiles files) : files_(std::move(files)) {
  check_layout_version(files_);
  pick(read_index(files_), reference.selector);
  name_ = name_for(reference, entries_.front());
}

void OciLayoutSource::pick(const image::Index& index, const std::string& selector) {
  for (const auto& entry : index.manifests) {
    if (selector.empty() || is_named(entry, selector)) {
      entries_.push_back(entry);
    }
  }
  if (entries_.empty()) {
    throw base::Error(base::ErrorKind::not_found,
                      selector.empty()
                          ? fmt::format("{} holds no image", files_.path)
                          : fmt::format("{} holds no image named '{}'", files_.path, base::printable(selector)),
                      index.manifests.empty() ? "write the layout again" + reasons_of(index.unreadable)
                                              : "images there: " + names_of(index.manifests));
  }
  leave_out_companions(entries_);
  const bool one_image = std::all_of(entries_.begin(), entries_.end(), [&](const image::Descriptor& entry) {
    return entry.platform && annotation(entry, ref_name) == annotation(entries_.front(), ref_name);
  });
  if (entries_.size() > 1 && !one_image) {
    throw base::Error(base::ErrorKind::usage, fmt::format("{} holds several images", files_.path),
                      fmt::format("name one of them after a colon: {}", names_of(entries_)));
  }
}

std::string OciLayoutSource::read_document(const image::Descriptor& descriptor, const std::string& what) {
  if (static_cast<std::uint64_t>(descriptor.size) > base::json_size_limit) {
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} has more than {} bytes", what, base::json_size_limit),
                      "check that it is an image");
  }
  return base::read_text(*open_blob(descriptor), base::json_size_limit, what);
}

image::ResolvedManifest OciLayoutSource::read_manifest(const image::Descriptor& descriptor,
                                                       const image::Platform& platform, int indexes_allowed) {
  const auto what = fmt::format("manifest {} in {}", descriptor.digest.short_hex(), files_.path);
  auto text = read_document(descriptor, what);
  auto parsed = image::parse_manifest(text, descriptor.media_type, what);
  if (auto* manifest = std::get_if<image::Manifest>(&parsed)) {
    return {std::move(text), descriptor.digest, std::move(*manifest)};
  }
  if (indexes_allowed == 0) {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} is an index inside two others", what),
                      "write the layout again with one index an image");
  }
  return read_manifest(image::choose_platform(std::get<image::Index>(parsed), platform, what), platform,
                       indexes_allowed - 1);
}

image::ResolvedManifest OciLayoutSource::resolve(const image::Platform& platform) {
  if (entries_.size() == 1) {
    return read_manifest(entries_.front(), platform, 2);  // that of the image, and one inside it
  }
  return read_manifest(image::choose_platform({entries_}, platform, files_.path), platform, 1);
}

std::unique_ptr<base::ByteStream> OciLayoutSource::open_blob(const image::Descriptor& descriptor) {
  const auto what = fmt::format("blob {} in {}", descriptor.digest.short_hex(), files_.path);
  auto stream = files_.open(blob_path(descriptor.digest));
  if (!stream) {
    throw base::Error(base::ErrorKind::verification, fmt::format("{} is missing", what),
                      "the layout is not complete; have it written again");
  }
  return std::make_unique<base::VerifyingStream>(std::move(stream), descriptor.digest, descriptor.size, what);
}

}  // namespace berth::source
