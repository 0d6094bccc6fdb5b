// berth init.
#include "ops/author/init.hpp"

#include <fmt/format.h>

#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

int run_init(const CommandLine& line, ops::Context& context) {
  const auto files = ops::init(context, line.init);
  if (line.json) {
    emit_json(base::Json{{"directory", line.init.directory}, {"files", files}});
    return exit_ok;
  }
  for (const auto& file : files) {
    context.reporter.step(fmt::format("wrote {}/{}", line.init.directory, file));
  }
  return exit_ok;
}

}  // namespace

void add_init(CLI::App& app, CommandLine& line) {
  auto& request = line.init;
  auto* verb = add_verb(app, line, "init", "Write templates to begin with for an image", false,
                        [&line](ops::Context& context) { return run_init(line, context); });
  verb->add_option("DIR", request.directory, "Directory to write into; nothing in it is overwritten")->required();
  verb->add_option("--from", request.from.target, "Take what this image's configuration says")
      ->type_name("[SOURCE:]IMAGE");
  verb->add_flag("--json", line.json, "Print what was written as JSON");
  add_authfile(*verb, request.from.authfile);
  add_platform(*verb, request.from.platform);
}

}  // namespace berth::cli
