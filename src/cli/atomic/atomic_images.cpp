// What `berth atomic` does with stored images.
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
#include "ops/containers/query.hpp"
#include "ops/images/image_change.hpp"
#include "ops/images/image_lookup.hpp"
#include "ops/images/image_query.hpp"
#include "ops/images/verify.hpp"

namespace berth::cli {

namespace {

using base::Error;
using base::ErrorKind;

constexpr int exit_declined = 2;

/// @throws Error in the older tool's words
std::vector<store::StoredImage> stored(const CommandLine& line, const ops::Context& context, const std::string& text) {
  const auto store = store::Store::open_existing(ops::store_options(context));
  try {
    if (store) {
      return ops::choose_branches(*store, without_source(text));
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) {
      throw;
    }
  }
  throw Error(ErrorKind::not_found,
              line.older.storage.empty()
                  ? fmt::format("Unable to find '{}' in the following backends: ostree", base::printable(text))
                  : fmt::format("Unable to find {} in the ostree backend", base::printable(text)));
}

std::vector<store::StoredImage> every_image(const ops::Context& context) {
  const auto store = store::Store::open_existing(ops::store_options(context));
  return store ? store->images(false) : std::vector<store::StoredImage>();
}

/// The names of all images but of those that do not say which registry has them: the older tool left them alone.
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

std::vector<store::StoredImage> doomed(const CommandLine& line, ops::Context& context) {
  if (line.every) {
    return every_image(context);
  }
  std::vector<store::StoredImage> images;
  for (const auto& text : line.names) {
    for (auto& image : stored(line, context, text)) {
      images.push_back(std::move(image));
    }
  }
  return images;
}

int run_delete(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  if (line.every == !line.names.empty()) {
    throw Error(ErrorKind::failed, "You must select --all or provide a list of images to delete.");
  }
  const auto images = doomed(line, context);
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
       line.older.assume_yes ? "The following images will be deleted." : "Do you wish to delete the following images?",
       "IMAGE", width);
  for (const auto& name : names) {
    emit("   {:{}} ostree\n", base::shown_line(name), width);
  }
  if (!confirmed(line, line.every ? "all images" : fmt::format("['{}']", fmt::join(line.names, "', '")))) {
    return exit_declined;
  }
  ops::delete_images(context, names, true);  // containers keep what they need
  return exit_ok;
}

int run_prune(ops::Context& context) {
  for (const auto& branch : ops::prune(context, false).store.removed) {
    emit("Deleting {}\n", branch);
  }
  return exit_ok;
}

int run_tag(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  const auto source = stored(line, context, line.image).front();
  ops::tag_image(context, source.name, without_source(line.target));
  return exit_ok;
}

const char* status_of(const ops::ImageUpdate& update) {
  if (update.error) {
    return "Could not pull";
  }
  return update.id_before == update.id_after ? "Updated" : "Updated now";
}

/// One that cannot be pulled is told, and does not count.
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

void check_update(const CommandLine& line) {
  if (line.every && !line.image.empty()) {
    throw Error(ErrorKind::failed, "Cannot specify both --all and an image name");
  }
  if (line.every && line.force) {
    throw Error(ErrorKind::failed, "Cannot specify both --all and --force");
  }
  if (line.every && line.older.storage.empty()) {
    throw Error(ErrorKind::failed, "Please specify --storage");
  }
  if (!line.every && line.image.empty()) {
    throw Error(ErrorKind::failed, "Too few arguments: the name of an image, or --all, is missing");
  }
}

int run_update(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  check_update(line);
  if (line.every) {
    return update_all(line, context);
  }
  if (line.force) {
    throw Error(ErrorKind::failed, "--force is not supported by ostree images");
  }
  const auto image = stored(line, context, line.image).front();
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

int run_info(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  if (line.no_remote) {
    throw Error(ErrorKind::failed, "The --remote option cannot be used with the 'ostree' storage option.");
  }
  const auto description = ops::describe_image(context, stored(line, context, line.image).front().name);
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

int run_version(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  const auto image = stored(line, context, line.image).front();
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

int run_verify(const CommandLine& line, ops::Context& context) {
  check_storage(line);
  if (line.every && !line.names.empty()) {
    throw Error(ErrorKind::failed, "Incompatible options specified.  --all doesn't support an image name");
  }
  if (!line.every && line.names.empty()) {
    throw Error(ErrorKind::failed, "Please specify the image name");
  }
  if (line.every && line.older.storage.empty()) {
    throw Error(ErrorKind::failed, "Please specify --storage");
  }
  auto names = line.every ? qualified_names(context) : std::vector<std::string>();
  for (const auto& text : line.names) {
    names.push_back(stored(line, context, text).front().name);
  }
  if (names.empty()) {
    return exit_ok;  // none would mean all
  }
  for (const auto& image : ops::verify_images(context, {names, true, ""})) {
    if (image.remote == ops::RemoteState::newer || line.older.verbose) {
      print_verified(image, ops::image_versions(context, {image.name}).front().version);
    }
    if (image.remote == ops::RemoteState::unknown) {
      context.reporter.warning(fmt::format("{}: the registry did not tell: {}", image.name, image.remote_reason));
    }
    if (!image.damaged.empty()) {
      throw Error(ErrorKind::verification, fmt::format("{} is damaged in the store", image.name),
                  fmt::format("fetch what is damaged again with: berth images repair {}", image.name));
    }
  }
  return exit_ok;
}

void add_image(CLI::App& verb, CommandLine& line) {
  verb.add_option("IMAGE", line.image, "A stored image")->required();
  add_storage(verb, line);
}

/// Verbs that are there by themselves and in the group of images.
void add_twice(CLI::App& group, CommandLine& line) {
  auto* info = add_atomic_verb(group, line, "info", "Show labels and template variables of an image", false,
                               [&line](ops::Context& context) { return run_info(line, context); });
  info->add_flag("--remote", line.no_remote, "Refused");
  add_image(*info, line);
  auto* version = add_atomic_verb(group, line, "version", "Show the version that an image says it has", false,
                                  [&line](ops::Context& context) { return run_version(line, context); });
  version->add_flag("-r,--recurse", line.older.accepted, "Accepted, and of no effect");
  add_image(*version, line);
  auto* verify = add_atomic_verb(group, line, "verify", "Compare an image with its registry and its checksums", false,
                                 [&line](ops::Context& context) { return run_verify(line, context); });
  verify->add_option("IMAGE", line.names, "A stored image")->expected(0, 1);
  verify->add_flag("-a,--all", line.every, "Every stored image with a registry in its name");
  verify->add_flag("-v,--verbose", line.older.verbose, "Also when nothing differs");
  verify->add_flag("--no-validate", line.older.accepted, "Accepted, and of no effect");
  add_storage(*verify, line);
  auto* update = add_atomic_verb(group, line, "update", "Pull what the registry has now", true,
                                 [&line](ops::Context& context) { return run_update(line, context); });
  update->add_option("IMAGE", line.image, "A stored image");
  update->add_flag("-a,--all", line.every, "Every stored image with a registry in its name");
  update->add_flag("-f,--force", line.force, "Refused");
  add_storage(*update, line);
}

}  // namespace

void add_atomic_images(CLI::App& atomic, CLI::App& images, CommandLine& line) {
  add_twice(atomic, line);
  add_twice(images, line);
  auto* remove = add_atomic_verb(images, line, "delete", "Forget images, after asking", true,
                                 [&line](ops::Context& context) { return run_delete(line, context); });
  remove->add_option("IMAGE", line.names, "Names, or beginnings of ids");
  remove->add_flag("-a,--all", line.every, "Every image");
  remove->add_flag("-f,--force", line.force, "Accepted: containers always keep what they need");
  add_storage(*remove, line);
  add_atomic_verb(images, line, "prune", "Remove what no image and no container needs", true,
                  [](ops::Context& context) { return run_prune(context); });
  auto* tag = add_atomic_verb(images, line, "tag", "Give a stored image another name", true,
                              [&line](ops::Context& context) { return run_tag(line, context); });
  tag->add_option("IMAGE", line.image, "A stored image")->required();
  tag->add_option("NEW-NAME", line.target, "Its other name")->required();
  add_storage(*tag, line);
}

}  // namespace berth::cli
