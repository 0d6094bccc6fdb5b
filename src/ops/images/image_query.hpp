// berth images info, history and version.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

struct ImageDescription {
  store::StoredImage image;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> defaults;  ///< variables with a default value, overridable with --set
  std::vector<std::string> required;            ///< variables without one, which must be set
  std::vector<std::string> provided;            ///< variables used by the image that berth sets
};

/// @param text name of an image or container, or beginning of an id
/// @throws Error(not_found)
ImageDescription describe_image(Context& context, const std::string& text);

/// One step of how an image was made (OCI image-spec 1.1 config.md, `history`).
struct HistoryEntry {
  std::string created;     ///< RFC 3339; may be empty
  std::string created_by;  ///< the command
  std::string comment;
  std::string layer;      ///< hex digest; empty for a step that made none
  std::int64_t size = 0;  ///< bytes of its unpacked files, 0 when unknown
};

/// Newest first. Layers of which the configuration says nothing are there, too.
std::vector<HistoryEntry> image_history(Context& context, const std::string& text);

struct ImageVersion {
  std::string name;
  std::string id;
  std::string version;  ///< label `version`, with `-RELEASE` when there is a label `release`; empty without
};

/// Of the images that `texts` mean; of all without any.
std::vector<ImageVersion> image_versions(Context& context, const std::vector<std::string>& texts);

}  // namespace berth::ops
