// berth render.
#include "ops/author/render.hpp"

#include <fmt/format.h>

#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

void print_files(const std::vector<ops::RenderedFile>& files) {
  for (const auto& file : files) {
    emit("{}# {}\n{}{}", &file == &files.front() ? "" : "\n", file.path, file.content,
         file.content.ends_with('\n') ? "" : "\n");
  }
}

int run_render(const CommandLine& line, ops::Context& context) {
  const auto files = ops::render(context, line.render);
  if (!line.output.empty()) {
    ops::write_rendered(files, line.output);
  }
  if (line.json) {
    auto list = base::Json::array();
    for (const auto& file : files) {
      list.push_back({{"path", file.path}, {"mode", fmt::format("{:04o}", file.mode)}, {"content", file.content}});
    }
    emit_json(base::Json{{"files", std::move(list)}});
  } else if (line.output.empty()) {
    print_files(files);
  } else {
    context.reporter.step(fmt::format("wrote {} files below {}", files.size(), line.output));
  }
  return exit_ok;
}

}  // namespace

void add_render(CLI::App& app, CommandLine& line) {
  auto& request = line.render;
  auto* verb = add_verb(app, line, "render", "Show the files that the templates in /exports make", false,
                        [&line](ops::Context& context) { return run_render(line, context); });
  verb->add_option("DIR|IMAGE", request.preview.target, "An exports directory, one that holds it, or [SOURCE:]IMAGE")
      ->required();
  verb->add_option("-n,--name", request.name, "Name of the container")->type_name("NAME");
  add_set(*verb, line, request.set, "Set a template variable; may be given several times");
  verb->add_option("--runtime", request.runtime, "OCI runtime that would be used")->type_name("PATH");
  verb->add_option("-o,--output", line.output, "Write the files below this directory instead")->type_name("DIRECTORY");
  verb->add_flag("--json", line.json, "Print the files as JSON");
  add_authfile(*verb, request.preview.authfile);
  add_platform(*verb, request.preview.platform);
}

}  // namespace berth::cli
