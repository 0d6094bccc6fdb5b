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

int run_render(const CommandLine& line, ops::Session& session) {
  const auto files = ops::render(session, line.render);
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
    session.reporter.step(fmt::format("wrote {} files below {}", files.size(), line.output));
  }
  return exit_ok;
}

}  // namespace

void add_render(CLI::App& app, CommandLine& line) {
  auto& request = line.render;
  auto* verb = add_verb(app, line, "render", "Show the files that the templates in /exports make", false,
                        [&line](ops::Session& session) { return run_render(line, session); });
  verb->add_option("DIR|IMAGE", request.draft.target, "An exports folder, one that holds it, or [SOURCE:]IMAGE")
      ->required();
  verb->add_option("-n,--name", request.name, "Name of the container")->type_name("NAME");
  add_set(*verb, line, request.set, "Set a template variable; may be given several times");
  verb->add_option("--runtime", request.runtime, "OCI runtime that would be used")->type_name("PATH");
  verb->add_option("-o,--output", line.output, "Write the files below this folder instead")->type_name("FOLDER");
  verb->add_flag("--json", line.json, "Print the files as JSON");
  add_authfile(*verb, request.draft.authfile);
  add_platform(*verb, request.draft.platform);
}

}  // namespace berth::cli
