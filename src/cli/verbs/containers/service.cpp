// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/verbs/containers/service.hpp"

#include <memory>
#include <vector>

namespace berth::cli {

Verb service_verb(const VerbEntry& entry, void (*work)(ops::Context& context, const std::string& container)) {
  return {entry, [work](const Subcommand& verb, CommandLine& line) -> Action {
            const auto names = std::make_shared<std::vector<std::string>>();
            verb.add_option("NAME", *names, "Containers").required();
            return [names, work, &line](ops::Context& context) {
              return for_each_name(line, *names, [&](const std::string& name) { work(context, name); });
            };
          }};
}

}  // namespace berth::cli
