// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/author/init.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "ops/temp_directory.hpp"
#include "render/spec/config_generate.hpp"
#include "render/template/template_pieces.hpp"
#include "render/unit/stop_signal.hpp"
#include "render/unit/unit.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* program_text = R"(#!/bin/sh
# The service. It is process 1 of its container, so it must handle SIGTERM itself.
trap 'exit 0' TERM INT
echo "$GREETING"
date >> /data/started
while :; do
  sleep 3600 &
  wait "$!"
done
)";

struct NewFile {
  std::string path;
  std::string content;
  mode_t mode = 0644;
};

/// The image that the templates are made for.
struct Start {
  std::string name;
  std::string base;  ///< of the Containerfile
  image::ImageConfig config;
  render::Values defaults;
};

image::ImageConfig small_service() {
  image::ImageConfig config;
  config.command = {"/usr/bin/run.sh"};
  config.environment = {"GREETING=the service runs"};
  config.volumes = {"/data"};
  return config;
}

void escape(std::string& text) {
  for (auto at = text.find('$'); at != std::string::npos; at = text.find('$', at + 2)) {
    text.insert(at, 1, '$');
  }
}

/// Escapes dollar signs for templates.
void escape(image::ImageConfig& config) {
  for (auto* list : {&config.entrypoint, &config.command, &config.environment, &config.volumes}) {
    for (auto& text : *list) {
      escape(text);
    }
  }
  escape(config.working_dir);
}

/// Whether a value needs no escapes in a JSON string.
bool is_plain(const std::string& value) {
  return base::Json(value).dump(-1, ' ', false, base::Json::error_handler_t::replace) == '"' + value + '"';
}

/// Makes the environment of the image configurable: `PORT=80` becomes `PORT=${PORT}` with the default value 80.
void make_settable(Start& start) {
  const auto provided = render::merge_values({}, {}, {});
  for (auto& entry : start.config.environment) {
    const auto equals = std::min(entry.find('='), entry.size());
    auto name = entry.substr(0, equals);
    auto value = entry.substr(std::min(equals + 1, entry.size()));
    if (equals == entry.size() || !render::is_variable_name(name) || provided.contains(name) || name == "PATH" ||
        name == "HOME" || name == "TERM" || !is_plain(value)) {
      escape(entry);
      continue;
    }
    entry = fmt::format("{}=${{{}}}", name, name);
    start.defaults.insert_or_assign(std::move(name), std::move(value));
  }
}

/// The health check of the image configuration applies without the manifest. The example has one of its own.
std::string manifest_of(const Start& start, bool own_program) {
  auto manifest = base::Json{{"version", "1.0"}, {"defaultValues", base::Json::object()}};
  for (const auto& [name, value] : start.defaults) {
    manifest["defaultValues"][name] = value;
  }
  if (own_program) {
    manifest["healthCheck"] = {{"command", "kill -0 1"}, {"interval", 1}};
  }
  return manifest.dump(2) + "\n";
}

/// The default unit, with the stop signal of the image. berth adds the signal only to units that it generates itself.
std::string unit_of(const Context& context, const Start& start) {
  auto unit = default_service_template(context, {});
  const auto& signal = start.config.stop_signal;
  constexpr std::string_view stop = "$EXEC_STOP\n";
  const auto position = unit.find(stop);
  if (signal.empty() || position == std::string::npos) {
    return unit;
  }
  const auto parsed = render::parse_stop_signal(signal);
  unit.insert(position + stop.size() - 1, " " + parsed.for_runtime);
  for (const auto& line : render::unit_lines(parsed)) {
    unit = render::with_service_line(unit, line);
  }
  return unit;
}

std::string containerfile_of(const Start& start, bool own_program) {
  return fmt::format(
      "# Build it with buildah, podman or docker. Check the templates with\n"
      "#   berth lint exports\n"
      "#   berth render --set NAME=VALUE exports\n"
      "FROM {}\n"
      "{}"
      "COPY help.md /help.md\n"
      "COPY exports /exports\n"
      "LABEL atomic.type=\"system\" \\\n"
      "      summary=\"{} as a system container\" \\\n"
      "      version=\"0.1\"\n",
      start.base, own_program ? "COPY run.sh /usr/bin/run.sh\n" : "", start.name);
}

std::string help_of(const Start& start) {
  std::string variables;
  for (const auto& [name, value] : start.defaults) {
    variables += fmt::format("- `{}`, by default `{}`\n", name, value);
  }
  return fmt::format(
      "# {0}\n\n"
      "A system container, installed and started with\n\n"
      "    berth install --name={0} --now IMAGE\n\n"
      "{1}{2}",
      start.name, variables.empty() ? "" : "These settings can be given with `--set NAME=VALUE`:\n\n", variables);
}

/// The templates for an image.
std::vector<NewFile> files_for(const Context& context, Start start, int rootfs, bool own_program) {
  make_settable(start);
  auto config = start.config;
  std::vector<std::string> environment = std::move(config.environment);  // these are templates already
  config.environment.clear();
  escape(config);
  config.environment = std::move(environment);
  const render::Values variables = {{"NAME", "${NAME}"}, {"STATE_DIRECTORY", "${STATE_DIRECTORY}"}};
  std::vector<NewFile> files = {{"exports/manifest.json", manifest_of(start, own_program)},
                                {"exports/config.json.template", render::generate_config(config, rootfs, variables)},
                                {"exports/service.template", unit_of(context, start)}};
  const auto directory = render::volume_directory(variables);
  if (const auto volumes = render::volumes_of(config, rootfs, directory); !volumes.empty()) {
    files.push_back(
        {"exports/tmpfiles.template", render::closed_tmpfiles(directory) + render::volume_tmpfiles(volumes)});
  }
  files.push_back({"Containerfile", containerfile_of(start, own_program)});
  files.push_back({"help.md", help_of(start)});
  if (own_program) {
    files.push_back({"run.sh", program_text, 0755});
  }
  return files;
}

std::vector<NewFile> files_for_image(const Context& context, const PreviewRequest& request) {
  const ImagePreview preview(context, request, context.reporter);
  if (!preview.is_image()) {
    throw Error(ErrorKind::usage, fmt::format("{} is a directory, and --from needs an image", request.target),
                "give an image as [SOURCE:]IMAGE");
  }
  if (preview.files().exports.present) {
    context.reporter.warning(
        fmt::format("{} already has an /exports, which the new one replaces", preview.files().image.name));
  }
  const auto& image = preview.files().image;
  Start start{
      image::default_container_name(image::parse_image_name(image.name)), image.name, preview.files().config, {}};
  return files_for(context, std::move(start), preview.files().rootfs.get(), false);
}

std::vector<NewFile> files_for_small_service(const Context& context, const std::string& directory) {
  auto name = base::split_path(directory).second;
  image::ImageName image;
  image.repository = name.empty() || name == "." ? "service" : name;
  const TempDirectory nothing(temporary_files(), context.reporter);  // the files of the image are not known
  return files_for(context,
                   {image::default_container_name(image), "docker.io/library/busybox:latest", small_service(), {}},
                   nothing.directory(), true);
}

}  // namespace

InitOutcome init(const Context& context, const InitRequest& request) {
  auto directory = request.directory;
  while (directory.size() > 1 && directory.ends_with('/')) {
    directory.pop_back();
  }
  const auto files = request.from.target.empty() ? files_for_small_service(context, directory)
                                                 : files_for_image(context, request.from);
  base::make_directories_at(AT_FDCWD, directory, 0755);
  const auto fd = base::open_host_directory(directory);
  for (const auto& file : files) {
    if (base::stat_at(fd.get(), file.path)) {
      throw Error(ErrorKind::conflict, fmt::format("{}/{} exists already", directory, file.path),
                  "choose another directory; existing files are not overwritten");
    }
  }
  base::make_directories_at(fd.get(), "exports/hostfs", 0755);
  InitOutcome outcome{request.directory, {}};
  outcome.files.reserve(files.size());
  for (const auto& file : files) {
    base::create_file_at(fd.get(), file.path, file.content, file.mode);
    outcome.files.push_back(file.path);
  }
  return outcome;
}

base::Json to_json(const InitOutcome& outcome) {
  return {{"directory", outcome.directory}, {"files", outcome.files}};
}

}  // namespace berth::ops
