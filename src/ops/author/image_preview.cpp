// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/image_preview.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/layout.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/pull.hpp"
#include "ops/plan/plan.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* no_uuid = "00000000-0000-4000-8000-000000000000";

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  return resolved ? resolved.get() : path;
}

/// @return a container name for a directory: its last component, or NAME for `…/NAME/exports`
std::string name_of_directory(const std::string& path) {
  auto [parent, name] = base::split_path(absolute(path));
  if (name == "exports" || name == "rootfs") {
    name = base::split_path(parent).second;
  }
  image::ImageName image;
  image.repository = name.empty() || name == "." ? "draft" : name;
  return image::default_container_name(image);
}

/// Whether the image comes from a layout, an archive or a daemon. An image that is stored under its name may be another
/// one.
bool is_on_this_machine(const std::string& text) {
  try {
    return image::parse_reference(text).transport != image::Transport::registry;
  } catch (const Error&) {
    return false;  // the name of a container, or an id
  }
}

/// Adds to the message for an invalid reference that there is no such directory either.
void check_reference(const std::string& text) {
  try {
    image::parse_reference(text);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("there is no directory {}, and {}", text, error.message()), error.hint());
  }
}

/// @return nullopt when the store does not exist, or when this user may not read it
std::optional<store::Store> readable_store(const Context& context) {
  try {
    return store::Store::open_existing(store_options(context));
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_permitted) {
      return std::nullopt;
    }
    throw;
  }
}

/// @return `query()`, or `hidden` when the caller may not see the path
template <typename Query, typename Answer>
Answer query_visible(const Query& query, Answer hidden) {
  try {
    return query();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_permitted) {
      throw;
    }
    return hidden;
  }
}

/// @return the runtime, or a default path when none is installed on the author's machine
host::Runtime runtime_of(const Context& context, const std::string& wanted) {
  try {
    return host::find_runtime(context.layout, wanted, context.config.runtimes);
  } catch (const Error&) {
    if (!wanted.empty()) {
      throw;
    }
    return {"/usr/bin/runc", "", true};
  }
}

}  // namespace

bool PreviewProbe::exists(const std::string& path) const {
  return query_visible([&] { return LaidOutImageProbe::exists(path); }, true);
}

std::string PreviewProbe::resolve(const std::string& path) const {
  return query_visible([&] { return LaidOutImageProbe::resolve(path); }, path);
}

std::optional<uid_t> PreviewProbe::directory_owner(const std::string& path) const {
  return query_visible([&] { return LaidOutImageProbe::directory_owner(path); }, std::optional<uid_t>(0));
}

ImagePreview::ImagePreview(const Context& context, const PreviewRequest& request, base::Reporter& reporter,
                           const render::ExportsFault& fault)
    : context_(context), host_(context), root_(open_root(context)) {
  host_.layout = context.layout.of_system();
  host_.facts.uid = host_.facts.gid = 0;
  if (is_directory(request.target)) {
    open_directory(request.target, reporter, fault);
  } else {
    open_image(request, reporter, fault);
  }
}

void ImagePreview::read(base::Reporter& reporter, const render::ExportsFault& fault) {
  files_.exports = render::read_exports(files_.exports_directory.get(), reporter, fault);
}

void ImagePreview::open_directory(const std::string& path, base::Reporter& reporter,
                                  const render::ExportsFault& fault) {
  default_name_ = name_of_directory(path);
  files_.image.name = fmt::format("localhost/{}:latest", default_name_);
  files_.image.id = std::string(64, '0');
  auto directory = base::open_host_directory(path);
  files_.exports_directory = render::open_exports(directory.get());
  shown_directory_ = path;
  while (shown_directory_.size() > 1 && shown_directory_.ends_with('/')) {
    shown_directory_.pop_back();
  }
  if (files_.exports_directory) {
    shown_directory_ += "/exports";
    has_rootfs_ = base::stat_at(directory.get(), "usr") || base::stat_at(directory.get(), "bin");
    if (has_rootfs_) {
      files_.rootfs = std::move(directory);
    }
  } else {
    files_.exports_directory = std::move(directory);
  }
  if (!has_rootfs_) {
    temp_directory_.emplace(temporary_files(), context_.reporter);
    files_.rootfs = base::open_host_directory(temp_directory_->path());  // an empty one
  }
  read(reporter, fault);
}

void ImagePreview::open_image(const PreviewRequest& request, base::Reporter& reporter,
                              const render::ExportsFault& fault) {
  if (request.target.starts_with('/') || request.target.starts_with('.')) {
    throw Error(ErrorKind::not_found, fmt::format("the directory {} does not exist", request.target),
                "give an exports directory, a directory that holds one, or an image as [SOURCE:]IMAGE");
  }
  is_image_ = has_rootfs_ = true;
  if (is_on_this_machine(request.target) || !use_stored(request.target)) {
    fetch(request);
  }
  files_.exports_directory = render::open_exports(files_.rootfs.get());
  read(reporter, fault);
}

/// @return false when it is not stored, or when this user may not read the store
bool ImagePreview::use_stored(const std::string& text) {
  auto store = readable_store(context_);
  if (!store) {
    return false;
  }
  const auto image = find_image(context_, *store, text);
  if (!image || image->name.empty()) {
    return false;
  }
  if (image->elsewhere) {
    temp_directory_.emplace(temporary_files(), context_.reporter);
    auto options = store_options(context_, temp_directory_->path() + "/repository");
    options.read_only = context_.layout.read_only_repository();
    auto copy = store::Store::open(options);
    check_out(copy, copy.find(image::parse_written_name(image->name)).value_or(*image));
    return true;
  }
  // On the file system of the repository, so that files can be hard links.
  temp_directory_.emplace(TempDirectory::InRepository{context_.layout.repository()}, context_.reporter);
  check_out(*store, store->find(image::parse_image_name(image->name)).value_or(*image));
  return true;
}

void ImagePreview::fetch(const PreviewRequest& request) {
  check_reference(request.target);
  ImageFetcher fetcher(context_, {request.target, request.authfile, request.platform});
  temp_directory_.emplace(temporary_files(), context_.reporter);
  auto options = store_options(context_, temp_directory_->path() + "/repository");
  options.mode = ::geteuid() == 0 ? store::RepositoryMode::bare : store::RepositoryMode::bare_user;
  auto store = store::Store::open(options);
  check_out(store, fetcher.ensure(store).image);
}

/// Checks out into the temporary directory, which is on the file system of the repository.
void ImagePreview::check_out(store::Store& store, const store::StoredImage& image) {
  files_.set_image(image);
  default_name_ = image::default_container_name(image::parse_image_name(image.name));
  store.checkout(image.commit, temp_directory_->directory(), "rootfs");
  files_.rootfs = base::open_directory_at(temp_directory_->directory(), "rootfs");
}

PlanInputs ImagePreview::inputs(const PreviewValues& values) const {
  PlanInputs in{{}, image_facts(files_), host_facts(host_, root_.get()), {}, probe_};
  in.target.name = values.name.empty() ? default_name_ : values.name;
  host::check_container_name(in.target.name);
  in.target.created = plan_time();
  in.target.preview = true;
  in.request.set = values.set;
  in.request.uuid = no_uuid;
  in.request.one_off = runs_once(files_.config);
  in.request.runtime = runtime_of(host_, values.runtime);
  in.host.default_service_template = default_service_template(host_, files_.exports);
  return in;
}

}  // namespace berth::ops
