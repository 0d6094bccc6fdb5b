#include "ops/author/image_preview.hpp"

#include <fcntl.h>
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

/// A name for the container of a directory: the directory's own, or for `…/NAME/exports` that of the one above.
std::string name_of_directory(const std::string& path) {
  auto [parent, name] = base::split_path(absolute(path));
  if (name == "exports" || name == "rootfs") {
    name = base::split_path(parent).second;
  }
  image::ImageName image;
  image.repository = name.empty() || name == "." ? "draft" : name;
  return image::default_container_name(image);
}

/// A layout or archive; what is stored under its name may be another image.
bool is_on_this_machine(const std::string& text) {
  try {
    return image::parse_reference(text).transport != image::Transport::registry;
  } catch (const Error&) {
    return false;  // the name of a container, or an id
  }
}

/// Says of a mistyped directory that it is none, too.
void check_reference(const std::string& text) {
  try {
    image::parse_reference(text);
  } catch (const Error& error) {
    throw Error(error.kind(), fmt::format("there is no directory {}, and {}", text, error.message()), error.hint());
  }
}

/// The store of this machine when we may read it.
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

/// Asks the host. @param hidden the answer about what we may not look at
template <typename Answer, typename Hidden>
std::function<Answer(const std::string&)> cautiously(std::function<Answer(const std::string&)> ask, Hidden hidden) {
  return [ask = std::move(ask), hidden](const std::string& path) -> Answer {
    try {
      return ask(path);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_permitted) {
        throw;
      }
      return hidden(path);
    }
  };
}

/// An author's machine need not have a runtime.
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
    files_.rootfs = base::open_host_directory(temp_directory_->path());  // stands for the one that nobody knows
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

/// @return false when it is not stored, or not for us to read
bool ImagePreview::use_stored(const std::string& text) {
  auto store = readable_store(context_);
  if (!store) {
    return false;
  }
  try {
    const auto image = choose_image(context_, *store, text);
    if (image.elsewhere && !image.name.empty()) {
      temp_directory_.emplace(temporary_files(), context_.reporter);
      auto options = store_options(context_, temp_directory_->path() + "/repository");
      options.read_only = context_.layout.read_only_repository();
      auto copy = store::Store::open(options);
      lay_out(copy, copy.find(image::parse_written_name(image.name)).value_or(image));
      return true;
    }
    if (!image.name.empty()) {
      const auto found = store->find(image::parse_image_name(image.name));
      // Links cannot go further.
      temp_directory_.emplace(TempDirectory::InRepository{context_.layout.repository()}, context_.reporter);
      lay_out(*store, found ? *found : image);
      return true;
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) {
      throw;
    }
  }
  return false;
}

void ImagePreview::fetch(const PreviewRequest& request) {
  check_reference(request.target);
  ImageFetcher origin(context_, {request.target, request.authfile, request.platform});
  temp_directory_.emplace(temporary_files(), context_.reporter);
  auto options = store_options(context_, temp_directory_->path() + "/repository");
  options.mode = ::geteuid() == 0 ? store::RepositoryMode::bare : store::RepositoryMode::bare_user;
  auto store = store::Store::open(options);
  lay_out(store, origin.ensure(store).image);
}

/// In the workplace, which is on the file system of the repository.
void ImagePreview::lay_out(store::Store& store, const store::StoredImage& image) {
  files_.set_image(image);
  default_name_ = image::default_container_name(image::parse_image_name(image.name));
  store.checkout(image.commit, temp_directory_->directory(), "rootfs");
  files_.rootfs = base::open_directory_at(temp_directory_->directory(), "rootfs");
}

PlanInputs ImagePreview::inputs(const PreviewValues& values) const {
  auto in = plan_inputs(host_, root_.get(), files_);
  in.name = values.name.empty() ? default_name_ : values.name;
  host::check_container_name(in.name);
  in.set = values.set;
  in.uuid = no_uuid;
  in.one_off = runs_once(files_.config);
  in.preview = true;
  in.runtime = runtime_of(host_, values.runtime);
  in.default_service_template = default_service_template(host_, files_.exports);
  in.host_exists = cautiously(std::move(in.host_exists), [](const std::string&) { return true; });
  in.host_place = cautiously(std::move(in.host_place), [](const std::string& path) { return path; });
  in.directory_owner = cautiously(std::move(in.directory_owner), [](const std::string&) { return uid_t{0}; });
  return in;
}

}  // namespace berth::ops
