// berth start, berth stop, berth restart.
#include "ops/containers/service.hpp"

#include "cli/verbs/command_line.hpp"

namespace berth::cli {

namespace {

void add_service_verb(CLI::App& app, CommandLine& line, const std::string& name, const std::string& description,
                      void (*work)(ops::Context&, const std::string&)) {
  auto* verb = add_verb(app, line, name, description, false, [&line, work](ops::Context& context) {
    return for_each_name(line, line.names, [&](const std::string& container) { work(context, container); });
  });
  verb->add_option("NAME", line.names, "Containers")->required();
}

}  // namespace

void add_start(CLI::App& app, CommandLine& line) {
  add_service_verb(app, line, "start", "Start the services of containers and wait until they run", ops::start);
}

void add_stop(CLI::App& app, CommandLine& line) {
  add_service_verb(app, line, "stop", "Stop the services of containers and wait until they are down", ops::stop);
}

void add_restart(CLI::App& app, CommandLine& line) {
  add_service_verb(app, line, "restart", "Restart the services of containers and wait until they run", ops::restart);
}

}  // namespace berth::cli
