// SPDX-License-Identifier: LGPL-2.1-or-later
// berth render.
#include "ops/author/render.hpp"

#include <fmt/format.h>

#include "base/json.hpp"
#include "cli/options/shared_options.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"

namespace berth::cli {

namespace {

struct RenderOptions {
  ops::PreviewRequest preview;
  std::string name;
  std::string runtime;
  std::string output;
  bool json = false;
};

void print_files(const std::vector<ops::RenderedFile>& files) {
  for (const auto& file : files) {
    emit("{}# {}\n{}{}", &file == &files.front() ? "" : "\n", file.path, file.content,
         file.content.ends_with('\n') ? "" : "\n");
  }
}

int run(const RenderOptions& options, const CommandLine& line, ops::Context& context) {
  const auto files = ops::render(context, {options.preview, options.name, line.values, options.runtime});
  if (!options.output.empty()) {
    ops::write_rendered(files, options.output);
  }
  if (options.json) {
    emit_json(ops::to_json(files));
  } else if (options.output.empty()) {
    print_files(files);
  } else {
    context.reporter.step(fmt::format("wrote {} files below {}", files.size(), options.output));
  }
  return exit_ok;
}

void declare(const Subcommand& verb, RenderOptions& options, CommandLine& line) {
  verb.add_option("DIR|IMAGE", options.preview.target, "An exports directory, its parent, or [SOURCE:]IMAGE")
      .required();
  verb.add_option("-n,--name", options.name, "Name of the container").type_name("NAME");
  add_set(verb, line.set, "Set a template variable; may be given several times");
  verb.add_option("--runtime", options.runtime, "OCI runtime to render for").type_name("PATH");
  verb.add_option("-o,--output", options.output, "Write the files below this directory instead").type_name("DIRECTORY");
  verb.add_flag("--json", options.json, "Print the files as JSON");
  add_authfile(verb, options.preview.authfile);
  add_platform(verb, options.preview.platform);
}

}  // namespace

Verb render_verb() {
  return make_verb<RenderOptions>(
      {.name = "render", .order = 200, .summary = "Show the files generated from the templates in /exports"}, declare,
      run);
}

}  // namespace berth::cli
