
#include "cli/terminal/output.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/containers/query.hpp"

namespace berth::cli {

void add_inspect(CLI::App& app, CommandLine& line) {
  auto* verb = add_verb(app, line, "inspect", "Show everything about a container or an image as JSON", false,
                        [&line](ops::Context& context) {
                          emit_json(ops::inspect(context, line.names.front()));
                          return 0;
                        });
  verb->add_option("IMAGE|NAME", line.names, "An image, or a container")->required()->expected(1);
  verb->add_flag("--json", line.json, "JSON, which is the only form there is");
}

}  // namespace berth::cli
