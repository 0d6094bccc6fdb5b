// What is installed and what is stored, as data for tables and JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "ops/context.hpp"

namespace berth::ops {

/// KEY=VALUE of --filter. @throws Error(usage): no `=`, or a key that is not in `keys`
struct Filter {
  std::string key;
  std::string value;
};
Filter parse_filter(const std::string& text, const std::vector<std::string>& keys);

extern const std::vector<std::string> container_filter_keys;  ///< container image command created state backend runtime
extern const std::vector<std::string> image_filter_keys;      ///< repo tag id type created

struct ContainerRow {
  std::string name;
  std::string image;
  std::string image_id;
  std::string command;       ///< process.args joined with blanks
  std::int64_t created = 0;  ///< epoch seconds
  std::string state;         ///< running, failed, inactive, no service
  std::string runtime;       ///< path of the OCI runtime
  bool preinstalled = false;
};

/// What a filter of that key looks at. @param key one of container_filter_keys
std::string filter_field(const ContainerRow& row, const std::string& key);

/// Where the container's files come from: `ostree`, or `preinstalled`.
std::string backend_of(const ContainerRow& row);

struct ContainerQuery {
  bool all = false;             ///< not only running ones
  std::vector<Filter> filters;  ///< all must match
};

/// Sorted by name. Containers that cannot be read are warnings; the others are listed.
std::vector<ContainerRow> list_containers(Context& context, const ContainerQuery& query);

struct ImageRow {
  std::string repository;  ///< REGISTRY/REPOSITORY; empty for a layer
  std::string tag;
  std::string id;            ///< hex
  std::int64_t created = 0;  ///< epoch seconds
  std::int64_t size = 0;     ///< bytes unpacked, 0 when unknown
  std::string type;          ///< system, or layer for intermediate layers
  bool used = false;         ///< by an installed container
  bool dangling = false;     ///< a layer that no image is made of
};

struct ImageQuery {
  bool all = false;  ///< intermediate layers too
  std::vector<Filter> filters;
};

std::vector<ImageRow> list_images(Context& context, const ImageQuery& query);

/// Everything known about a container or, when there is none of that name, an image.
/// @throws Error(not_found)
base::Json inspect(Context& context, const std::string& name);

/// RFC 3339 in UTC, to the second.
std::string rfc3339(std::int64_t epoch_seconds);

}  // namespace berth::ops
