// What lists show of deployments, for hosts that have hundreds of them.
#pragma once

#include <span>
#include <string_view>

#include "host/deployment.hpp"

namespace berth::host {

/// As parse_info, but only what the keys `wanted` tell is filled in, and what is behind the last of them in the text is
/// not looked at. It must not be written back.
DeploymentInfo parse_brief_info(std::string_view text, std::string_view document,
                                std::span<const std::string_view> wanted);

/// As list_deployments, with such infos.
DeploymentList list_briefly(const Layout& layout, std::span<const std::string_view> wanted);

}  // namespace berth::host
