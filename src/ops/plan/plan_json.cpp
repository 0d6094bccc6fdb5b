// SPDX-License-Identifier: LGPL-2.1-or-later
// An install plan as `--json` and `render` show it.
#include <fmt/format.h>

#include <utility>

#include "base/json.hpp"
#include "ops/plan/plan.hpp"
#include "ops/plan/plan_findings.hpp"
#include "ops/result_json.hpp"

namespace berth::ops {

base::Json to_json(const InstallPlan& plan) {
  base::Json files = base::Json::array();
  for (const auto& planned : plan.files) {
    static constexpr const char* kinds[] = {"file", "directory", "link"};
    base::Json file = {{"path", planned.file.destination},
                       {"kind", kinds[static_cast<int>(planned.file.kind)]},
                       {"mode", fmt::format("{:04o}", planned.file.mode)},
                       {"uid", planned.file.uid},
                       {"gid", planned.file.gid}};
    if (planned.file.kind == host::HostFile::Kind::link) {
      file["target"] = planned.file.link_target;
    }
    file["sha256"] = or_null(planned.checksum);
    files.push_back(std::move(file));
  }
  base::Json result = {
      {"name", plan.name},
      {"image", plan.image},
      {"imageId", plan.image_id},
      {"commit", plan.commit},
      {"deployment", plan.deployment},
      {"rootfs", or_null(plan.info.remote)},
      {"runtime", plan.runtime},
      {"values", plan.values},
      {"config", plan.config.empty() ? base::Json(nullptr) : base::parse_json(plan.config, "config.json")},
      {"unit", plan.unit ? base::Json(*plan.unit) : base::Json(nullptr)},
      {"tmpfiles", plan.tmpfiles ? base::Json(*plan.tmpfiles) : base::Json(nullptr)},
      {"hostFiles", std::move(files)},
      {"package", plan.package ? base::Json(plan.package->name) : base::Json(nullptr)},
      {"keptHostFiles", plan.kept_files},
      {"conversions", plan.conversions},
      {"privileges", plan.privileges}};
  if (const auto warnings = warnings_of(plan.findings); !warnings.empty()) {
    result["warnings"] = warnings;
  }
  return result;
}

}  // namespace berth::ops
