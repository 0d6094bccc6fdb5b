// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images verify.
#include "ops/images/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/shown_text.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"

namespace berth::cli {

namespace {

struct VerifyOptions {
  std::vector<std::string> images;
  std::string authfile;
  bool no_remote = false;
  bool json = false;
};

void print_files(const ops::DamagedDeployment& deployment, const std::vector<std::string>& files, const char* state) {
  if (!files.empty()) {
    const auto text =
        fmt::format("{}: {} is {} in {}", deployment.container, fmt::join(files, ", "), state, deployment.path);
    emit("{}\n", base::shown_line(text));
  }
}

void print_damage(const ops::VerifiedImage& image) {
  for (const auto& file : image.damaged) {
    const auto users =
        file.containers.empty() ? std::string() : fmt::format(", used by {}", fmt::join(file.containers, ", "));
    const auto what = fmt::format("{}{}", file.kind == "file" ? "" : file.kind + " of ", fmt::join(file.paths, ", "));
    const auto text = fmt::format("{}: {} is {}{}", image.name, file.kind == "commit" ? "its commit" : what,
                                  file.missing ? "missing" : "damaged", users);
    emit("{}\n", base::shown_line(text));
  }
  for (const auto& deployment : image.deployments) {
    print_files(deployment, deployment.changed, "damaged");
    print_files(deployment, deployment.missing, "missing");
    if (!deployment.reason.empty()) {
      emit("{}\n", base::shown_line(fmt::format("{}: cannot check {}: {}", deployment.container, deployment.path,
                                                deployment.reason)));
    }
  }
}

/// The number of damaged objects, and of files of deployments that are not objects of the store.
std::size_t damage_of(const ops::VerifiedImage& image) {
  auto count = image.damaged.size();
  for (const auto& deployment : image.deployments) {
    count += deployment.changed.size() + deployment.missing.size() + (deployment.reason.empty() ? 0 : 1);
  }
  return count;
}

std::string remedy_for(const ops::VerifiedImage& image) {
  if (image.damaged.empty() && !image.deployments.empty() && !image.deployments.front().reason.empty()) {
    const auto& deployment = image.deployments.front();
    if (!deployment.live) {
      return fmt::format("the next update of {} replaces it", image.name);
    }
    return deployment.unreadable ? fmt::format("uninstall and install {} again", image.name)
                                 : fmt::format(
                                       "create a new deployment with berth update {0}, or uninstall and install "
                                       "{0} again",
                                       image.name);
  }
  if (image.name.starts_with("layer ")) {
    return "repair an image that contains it with berth images repair, or remove it with berth images delete";
  }
  return fmt::format("repair it with: berth images repair {}", image.name);
}

void print_text(const std::vector<ops::VerifiedImage>& images) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(images.size());
  for (const auto& image : images) {
    rows.push_back({image.name, image.id.substr(0, id_digits), fmt::format("{}", image.objects),
                    damage_of(image) == 0 ? "ok" : fmt::format("{} damaged", damage_of(image)),
                    std::string(ops::name_of(image.remote))});
  }
  print_table({{"IMAGE", 64}, {"IMAGE ID"}, {"OBJECTS"}, {"STATE"}, {"REGISTRY"}}, rows, true, true);
  for (const auto& image : images) {
    print_damage(image);
  }
}

void warn_of_unknown(const std::vector<ops::VerifiedImage>& images, base::Reporter& reporter) {
  for (const auto& image : images) {
    if (image.remote == ops::RemoteState::unknown) {
      reporter.warning(fmt::format("{}: could not query the registry: {}", image.name, image.remote_reason));
    }
  }
}

int run(const VerifyOptions& options, const CommandLine& /*line*/, ops::Context& context) {
  const auto images = ops::verify_images(context, {options.images, !options.no_remote, options.authfile});
  if (options.json) {
    emit_json(ops::to_json(images));
  } else {
    print_text(images);
  }
  warn_of_unknown(images, context.reporter);
  const auto damaged =
      std::find_if(images.begin(), images.end(), [](const auto& image) { return damage_of(image) != 0; });
  if (damaged != images.end()) {
    std::fflush(stdout);
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} is damaged in {}", damaged->name,
                                  damaged->damaged.empty() ? damaged->deployments.front().path : "the store"),
                      remedy_for(*damaged));
  }
  return exit_ok;
}

void declare(const Subcommand& verb, VerifyOptions& options, CommandLine& /*line*/) {
  verb.add_option("IMAGE|NAME", options.images, "Images, or containers; default: everything");
  verb.add_flag("--no-remote", options.no_remote, "Do not query the registries for newer images");
  add_authfile(verb, options.authfile);
  verb.add_flag("--json", options.json, "Print JSON");
}

}  // namespace

Verb images_verify_verb() {
  return make_verb<VerifyOptions>({.name = "images verify",
                                   .order = 50,
                                   .summary = "Check stored images against their checksums and the registries",
                                   .needs_root = true},
                                  declare, run);
}

}  // namespace berth::cli
