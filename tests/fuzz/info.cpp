// SPDX-License-Identifier: LGPL-2.1-or-later
// Info files of deployments of berth and `atomic`.
#include "harness.hpp"
#include "host/state/deployment.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  const auto info = fuzz::accepted([&] { return host::parse_info(fuzz::text_of(data, size), "info"); });
  if (!info) {
    return 0;
  }
  const auto written = host::write_info(*info);
  const auto again = host::parse_info(written, "info");
  fuzz::require(host::write_info(again) == written, "an info file is stable", written);
  fuzz::require(again.image == info->image && again.values == info->values && again.created == info->created &&
                    again.installed_files == info->installed_files &&
                    again.installed_files_checksum == info->installed_files_checksum &&
                    again.rename_installed_files == info->rename_installed_files && again.remote == info->remote &&
                    again.rpm_installed == info->rpm_installed && again.use_links == info->use_links,
                "nothing is lost by writing", written);
  for (const auto& [key, value] : info->document.items()) {
    fuzz::require(again.document.contains(key), "unknown keys are kept", key);
  }
  return 0;
}
