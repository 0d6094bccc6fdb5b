// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images history.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// One step of how an image was made (OCI image-spec 1.1 config.md, `history`).
struct HistoryEntry {
  std::string created;     ///< RFC 3339; may be empty
  std::string created_by;  ///< the command
  std::string comment;
  std::string layer;      ///< hex digest; empty for a step that made no layer
  std::int64_t size = 0;  ///< bytes of its unpacked files, 0 when unknown
};

/// @param text name of an image or container, or beginning of an id
/// @return newest step first, with layers that the configuration does not mention
/// @throws Error(not_found)
std::vector<HistoryEntry> image_history(Context& context, const std::string& text);

/// berth-images-history.schema.json
base::Json to_json(const std::vector<HistoryEntry>& entries);

}  // namespace berth::ops
