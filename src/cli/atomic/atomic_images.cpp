// SPDX-License-Identifier: LGPL-2.1-or-later
// The verbs of `berth atomic` that work on stored images.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "cli/atomic/atomic.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "ops/images/delete.hpp"
#include "ops/images/describe.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/tag.hpp"
#include "ops/images/update.hpp"
#include "ops/images/verify.hpp"
#include "ops/images/versions.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

/// The images that `text` names. @throws Error(not_found) with the message of atomic
std::vector<store::StoredImage> stored(const AtomicOptions& options, const ops::Context& context,
                                       const std::string& text) {
  if (const auto store = store::Store::open_existing(ops::store_options(context))) {
    if (auto found = ops::find_branches(*store, without_source(text)); !found.empty()) {
      return found;
    }
  }
  throw Error(ErrorKind::not_found,
              options.storage.empty()
                  ? fmt::format("Unable to find '{}' in the following backends: ostree", base::printable(text))
                  : fmt::format("Unable to find {} in the ostree backend", base::printable(text)));
}

std::vector<store::StoredImage> every_image(const ops::Context& context) {
  const auto store = store::Store::open_existing(ops::store_options(context));
  return store ? store->images(false) : std::vector<store::StoredImage>();
}

/// The names of all images that name a registry. atomic skips the others, too.
std::vector<std::string> qualified_names(const ops::Context& context) {
  std::vector<std::string> names;
  for (const auto& image : every_image(context)) {
    if (image::parse_written_name(image.name).registry.empty()) {
      context.reporter.warning(fmt::format("Image {} not fully qualified: skipping", image.name));
    } else {
      names.push_back(image.name);
    }
  }
  return names;
}

std::vector<store::StoredImage> images_to_delete(const AtomicOptions& options, ops::Context& context) {
  if (options.all) {
    return every_image(context);
  }
  std::vector<store::StoredImage> images;
  for (const auto& text : options.names) {
    for (auto& image : stored(options, context, text)) {
      images.push_back(std::move(image));
    }
  }
  return images;
}

int run_delete(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  if (options.all == !options.names.empty()) {
    throw Error(ErrorKind::failed, "You must select --all or provide a list of images to delete.");
  }
  const auto images = images_to_delete(options, context);
  if (images.empty()) {
    throw Error(ErrorKind::failed, "No images to delete.");
  }
  std::vector<std::string> names;
  names.reserve(images.size());
  std::size_t width = 0;
  for (const auto& image : images) {
    names.push_back(image.name.empty() ? image.id : image.name);
    width = std::max(width, names.back().size() + 2);
  }
  emit("{}\n\n   {:{}} STORAGE\n",
       options.assume_yes ? "The following images will be deleted." : "Do you wish to delete the following images?",
       "IMAGE", width);
  for (const auto& name : names) {
    emit("   {:{}} ostree\n", base::shown_line(name), width);
  }
  if (!confirmed(options, options.all ? "all images" : fmt::format("['{}']", fmt::join(options.names, "', '")))) {
    return exit_declined;
  }
  ops::delete_images(context, names, true);  // containers keep their files
  return exit_ok;
}

int run_prune(const AtomicOptions& /*options*/, const CommandLine& /*line*/, ops::Context& context) {
  for (const auto& branch : ops::prune(context, false).store.removed) {
    emit("Deleting {}\n", branch);
  }
  return exit_ok;
}

int run_tag(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  const auto source = stored(options, context, options.target).front();
  ops::tag_image(context, source.name, without_source(options.destination));
  return exit_ok;
}

const char* status_of(const ops::ImageUpdate& update) {
  if (update.error) {
    return "Could not pull";
  }
  return update.id_before == update.id_after ? "Updated" : "Updated now";
}

/// Failed pulls are printed, and do not affect the exit status.
int update_all(const CommandLine& line, ops::Context& context) {
  constexpr std::size_t digits = 32;
  constexpr const char* columns = "{:50} {:32} {:32} {:15}\n";
  const auto names = qualified_names(context);
  std::vector<ops::ImageUpdate> updates;
  updates.reserve(names.size());
  for (const auto& name : names) {
    emit("Checking image {}...\n", name);
    std::fflush(stdout);
    updates.push_back(ops::update_images(context, {{name}, ""}).front());
    if (const auto& error = updates.back().error) {
      line.complain(*error);
    }
  }
  emit("\nSUMMARY\n\n");
  emit(fmt::runtime(columns), "Image", "Image ID before update", "Image ID after update", "Status");
  for (const auto& update : updates) {
    emit(fmt::runtime(columns), update.name.substr(0, 50), update.id_before.substr(0, digits),
         update.id_after.substr(0, digits), status_of(update));
  }
  return exit_ok;
}

void check_update(const AtomicOptions& options) {
  if (options.all && !options.target.empty()) {
    throw Error(ErrorKind::failed, "Cannot specify both --all and an image name");
  }
  if (options.all && options.force) {
    throw Error(ErrorKind::failed, "Cannot specify both --all and --force");
  }
  if (options.all && options.storage.empty()) {
    throw Error(ErrorKind::failed, "Please specify --storage");
  }
  if (!options.all && options.target.empty()) {
    throw Error(ErrorKind::failed, "Too few arguments: the name of an image, or --all, is missing");
  }
}

int run_update(const AtomicOptions& options, const CommandLine& line, ops::Context& context) {
  check_storage(options);
  check_update(options);
  if (options.all) {
    return update_all(line, context);
  }
  if (options.force) {
    throw Error(ErrorKind::failed, "--force is not supported by ostree images");
  }
  const auto image = stored(options, context, options.target).front();
  for (const auto& update : ops::update_images(context, {{image.name}, ""})) {
    if (update.error) {
      throw Error(*update.error);
    }
  }
  return exit_ok;
}

void print_variables(const char* heading, const std::map<std::string, std::string>& variables) {
  if (!variables.empty()) {
    emit("\n\n{}\n", heading);
    for (const auto& [name, value] : variables) {
      emit("{}: {}\n", name, base::shown_line(value));
    }
  }
}

int run_info(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  if (options.remote) {
    throw Error(ErrorKind::failed, "The --remote option cannot be used with the 'ostree' storage option.");
  }
  const auto description = ops::describe_image(context, stored(options, context, options.target).front().name);
  emit("Image Name: {}\n", description.image.name);
  for (const auto& [name, value] : description.labels) {
    emit("{}: {}\n", base::shown_line(name), base::shown_line(value));
  }
  auto defaults = description.defaults;
  for (const auto* name :
       {"RUN_DIRECTORY", "STATE_DIRECTORY", "CONF_DIRECTORY", "UUID", "PIDFILE", "ALL_PROCESS_CAPABILITIES"}) {
    defaults[name] = "{SET_BY_OS}";
  }
  std::map<std::string, std::string> required;
  for (const auto& name : description.required) {
    required.emplace(name, "{DEF_VALUE}");
  }
  print_variables("Template variables with default value, but overridable with --set:", defaults);
  print_variables("Template variables that has no default value, and must be set with --set:", required);
  return exit_ok;
}

int run_version(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  const auto image = stored(options, context, options.target).front();
  const auto versions = ops::image_versions(context, {image.name});
  const auto width = std::max<std::size_t>(12, image.name.size() + 9);
  emit("{:{}} {:9} {:10}\n", "IMAGE NAME", width, "VERSION", "IMAGE ID");
  for (const auto& version : versions) {
    emit("{:{}} {:9} {:10}\n\n", version.name, width, base::shown_line(version.version),
         version.id.substr(0, id_digits));
  }
  return exit_ok;
}

void print_verified(const ops::VerifiedImage& image, const std::string& version) {
  const bool differs = image.remote == ops::RemoteState::newer;
  constexpr const char* columns = "{:30} {:20} {:20} {:1}\n";
  emit("\n{} contains the following images:\n\n", image.name);
  emit(fmt::runtime(columns), "NAME", "LOCAL VERSION", "REMOTE VERSION", "DIFFERS");
  emit(fmt::runtime(columns), image.name.substr(0, 30), base::shown_line(version).substr(0, 20),
       (differs ? image.remote_id : base::shown_line(version)).substr(0, 20), differs ? "YES" : "NO");
  emit("\n\n");
}

int run_verify(const AtomicOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  check_storage(options);
  if (options.all && !options.names.empty()) {
    throw Error(ErrorKind::failed, "Incompatible options specified.  --all doesn't support an image name");
  }
  if (!options.all && options.names.empty()) {
    throw Error(ErrorKind::failed, "Please specify the image name");
  }
  if (options.all && options.storage.empty()) {
    throw Error(ErrorKind::failed, "Please specify --storage");
  }
  auto names = options.all ? qualified_names(context) : std::vector<std::string>();
  for (const auto& text : options.names) {
    names.push_back(stored(options, context, text).front().name);
  }
  if (names.empty()) {
    return exit_ok;  // verify_images takes an empty list for all images
  }
  for (const auto& image : ops::verify_images(context, {names, true, ""})) {
    if (image.remote == ops::RemoteState::newer || options.verbose) {
      print_verified(image, ops::image_versions(context, {image.name}).front().version);
    }
    if (image.remote == ops::RemoteState::unknown) {
      context.reporter.warning(fmt::format("{}: could not query the registry: {}", image.name, image.remote_reason));
    }
    if (!image.damaged.empty()) {
      throw Error(ErrorKind::verification, fmt::format("{} is damaged in the store", image.name),
                  fmt::format("repair it with: berth images repair {}", image.name));
    }
  }
  return exit_ok;
}

void add_image(const Subcommand& verb, AtomicOptions& options) {
  verb.add_option("IMAGE", options.target, "A stored image").required();
  add_storage(verb, options);
}

/// Verbs that exist both by themselves and in the group of images.
void add_to(const Subcommand& group, const AtomicParser& parser) {
  auto& options = *parser.options;
  auto info = add_atomic_verb(group, parser,
                              {.name = "info", .order = 0, .summary = "Show labels and template variables of an image"},
                              run_info);
  info.add_flag("--remote", options.remote, "Refused");
  add_image(info, options);
  auto version = add_atomic_verb(
      group, parser, {.name = "version", .order = 0, .summary = "Show the version in the labels of an image"},
      run_version);
  version.add_flag("-r,--recurse", options.ignored, "Accepted; has no effect");
  add_image(version, options);
  auto verify = add_atomic_verb(
      group, parser, {.name = "verify", .order = 0, .summary = "Check an image against its registry and its checksums"},
      run_verify);
  verify.add_option("IMAGE", options.names, "A stored image").optional();
  verify.add_flag("-a,--all", options.all, "All stored images with a registry in their names");
  verify.add_flag("-v,--verbose", options.verbose, "Also if nothing differs");
  verify.add_flag("--no-validate", options.ignored, "Accepted; has no effect");
  add_storage(verify, options);
  auto update = add_atomic_verb(group, parser,
                                {.name = "update",
                                 .order = 0,
                                 .summary = "Pull the current version of an image from its registry",
                                 .needs_root = true},
                                run_update);
  update.add_option("IMAGE", options.target, "A stored image");
  update.add_flag("-a,--all", options.all, "All stored images with a registry in their names");
  update.add_flag("-f,--force", options.force, "Refused");
  add_storage(update, options);
}

}  // namespace

void add_atomic_images(const Subcommand& atomic, const Subcommand& images, const AtomicParser& parser) {
  auto& options = *parser.options;
  add_to(atomic, parser);
  add_to(images, parser);
  auto remove = add_atomic_verb(
      images, parser,
      {.name = "delete", .order = 0, .summary = "Delete images, after confirmation", .needs_root = true}, run_delete);
  remove.add_option("IMAGE", options.names, "Names, or prefixes of ids");
  remove.add_flag("-a,--all", options.all, "All images");
  remove.add_flag("-f,--force", options.force, "Accepted: containers always keep their files");
  add_storage(remove, options);
  add_atomic_verb(images, parser,
                  {.name = "prune",
                   .order = 0,
                   .summary = "Remove everything that no image and no container uses",
                   .needs_root = true},
                  run_prune);
  auto tag = add_atomic_verb(
      images, parser, {.name = "tag", .order = 0, .summary = "Give a stored image another name", .needs_root = true},
      run_tag);
  tag.add_option("IMAGE", options.target, "A stored image").required();
  tag.add_option("NEW-NAME", options.destination, "Its other name").required();
  add_storage(tag, options);
}

}  // namespace berth::cli
