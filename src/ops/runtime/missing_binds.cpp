// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/missing_binds.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/spec/rootfs.hpp"

namespace berth::ops {

std::string missing_binds(const Context& context, const std::string& name) {
  std::string message;
  try {
    const auto deployment = host::installed_deployment(context.layout, name);
    const auto text = base::read_file_at(AT_FDCWD, deployment.path + "/config.json", host::deployment_text_limit);
    const auto root = open_root(context);
    const auto copies = fmt::format("{}/container-{}/", context.layout.runtime_in_root(), name);
    for (const auto& source : render::bind_sources(base::parse_json(text.value_or("{}"), "config.json"))) {
      // The unit creates those copies and removes them when it stops.
      if (source.starts_with('/') && !source.starts_with(copies) && !render::stat_in_root(root.get(), source)) {
        message += fmt::format("; {}, which its config.json binds, does not exist", base::printable(source));
      }
    }
  } catch (const base::Error&) {  // NOLINT(bugprone-empty-catch): this only explains another error
  }
  return message;
}

}  // namespace berth::ops
