#include "ops/containers/query.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <future>
#include <set>
#include <span>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "ops/images/image_lookup.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr std::uint64_t config_size_limit = 4U << 20U;  // bytes

/// @param wanted of its members; none: all
std::optional<base::Json> config_of(const host::Deployment& deployment, std::span<const std::string_view> wanted = {}) {
  const auto path = deployment.path + "/config.json";
  if (const auto text = base::read_file_at(AT_FDCWD, path, config_size_limit)) {
    return base::parse_json_members(*text, path, wanted);
  }
  return std::nullopt;
}

std::string command_of(Context& context, const host::Deployment& deployment) {
  try {
    if (const auto config = config_of(deployment, std::array{std::string_view("process")})) {
      const base::JsonView view(*config, "config.json");
      return fmt::format("{}", fmt::join(view.at("process").strings_or_empty("args"), " "));
    }
  } catch (const Error& error) {
    context.reporter.warning(fmt::format("{}: {}", deployment.name, error.what()));
  }
  return {};
}

std::string state_word(const host::Deployment& deployment, const std::map<std::string, host::UnitState>& states) {
  if (!deployment.info.has_container_service) {
    return "no service";
  }
  const auto found = states.find(host::unit_name(deployment.name));
  if (found == states.end()) {
    return "inactive";
  }
  const auto& active = found->second.active_state;
  if (active == "active" || active == "activating" || active == "reloading" || active == "deactivating") {
    return "running";
  }
  return active == "failed" ? "failed" : "inactive";
}

std::map<std::string, host::UnitState> states_of(Context& context, const std::vector<host::Deployment>& deployments) {
  std::vector<std::string> units;
  for (const auto& deployment : deployments) {
    if (deployment.info.has_container_service) {
      units.push_back(host::unit_name(deployment.name));
    }
  }
  return units.empty() ? std::map<std::string, host::UnitState>{} : context.systemd.states(units);
}

std::string filter_field(const ImageRow& row, const std::string& key) {
  if (key == "repo") {
    return row.repository;
  }
  if (key == "tag") {
    return row.tag;
  }
  if (key == "id") {
    return row.id;
  }
  return key == "type" ? row.type : rfc3339(row.created);
}

/// The old tool's rule: a filter matches when the field contains the value.
template <typename Row>
bool matches(const Row& row, const std::vector<Filter>& filters) {
  return std::all_of(filters.begin(), filters.end(), [&row](const Filter& filter) {
    return filter_field(row, filter.key).find(filter.value) != std::string::npos;
  });
}

/// What installed containers say about their images; the older tools wrote no id.
struct UsedImages {
  std::set<std::string> ids;
  std::set<std::string> names;

  void add(const host::DeploymentInfo& info) {
    if (info.revision.empty()) {
      names.insert(info.image);
    } else {
      ids.insert(info.revision);
    }
  }
  [[nodiscard]] bool hold(const store::StoredImage& image) const {
    constexpr std::string_view sha256 = "sha256:";  // older tools took the manifest's digest for the id
    const auto& digest = image.manifest_digest;
    return ids.contains(image.id) || names.contains(image.name) ||
           (digest.starts_with(sha256) && ids.contains(digest.substr(sha256.size())));
  }
};

ImageRow image_row(const store::StoredImage& image, const UsedImages& used) {
  ImageRow row;
  row.id = image.id;
  row.created = image.created;
  row.size = image.size;
  row.type = image.name.empty() ? "layer" : "system";
  row.used = !image.name.empty() && used.hold(image);
  if (!image.name.empty()) {
    const auto colon = image.name.rfind(':');
    const auto at = image.name.find('@');
    const auto split = at != std::string::npos ? at : colon;
    row.repository = image.name.substr(0, split);
    row.tag = split == std::string::npos ? "" : image.name.substr(split + 1);
  }
  return row;
}

base::Json unit_json(const host::UnitState& state) {
  return {{"loadState", state.load_state},
          {"activeState", state.active_state},
          {"subState", state.sub_state},
          {"result", state.result},
          {"unitFileState", state.unit_file_state},
          {"mainPid", state.main_pid},
          {"controlGroup", state.control_group},
          {"execMainStatus", state.exec_main_status}};
}

base::Json inspect_container(Context& context, const host::Deployment& deployment) {
  const auto unit = host::unit_name(deployment.name);
  std::map<std::string, host::UnitState> states;
  if (deployment.info.has_container_service) {
    states.emplace(unit, context.systemd.state(unit));
  }
  base::Json result = {
      {"type", "container"},
      {"name", deployment.name},
      {"state", state_word(deployment, states)},
      {"image", deployment.info.image},
      {"imageId", deployment.info.revision},
      {"commit", deployment.info.ostree_commit},
      {"created", rfc3339(deployment.info.created)},
      {"runtime", deployment.info.runtime},
      {"deployment", deployment.path},
      {"slot", deployment.slot},
      {"rootfs", deployment.info.remote.empty() ? base::Json(nullptr) : base::Json(deployment.info.remote)},
      {"preinstalled", deployment.preinstalled},
      {"values", deployment.info.values},
      {"installedFiles", deployment.info.installed_files}};
  const auto found = states.find(unit);
  result["unit"] = found == states.end() ? base::Json(nullptr) : unit_json(found->second);
  const auto config = config_of(deployment);
  result["config"] = config ? *config : base::Json(nullptr);
  return result;
}

base::Json inspect_image(const store::StoredImage& image) {
  return {
      {"type", "image"},
      {"name", image.name},
      {"imageId", image.id},
      {"commit", image.commit},
      {"manifestDigest", image.manifest_digest},
      {"created", rfc3339(image.created)},
      {"size", image.size},
      {"layers", image.layers},
      {"manifest", image.manifest.empty() ? base::Json(nullptr) : base::parse_json(image.manifest, "manifest")},
      {"config", image.config.empty() ? base::Json(nullptr) : base::parse_json(image.config, "image configuration")}};
}

std::optional<store::StoredImage> find_image(Context& context, const std::string& name) {
  auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return std::nullopt;
  }
  return find_by_name(*store, name);
}

}  // namespace

const std::vector<std::string> container_filter_keys = {"container", "image",   "command", "created",
                                                        "state",     "backend", "runtime"};
const std::vector<std::string> image_filter_keys = {"repo", "tag", "id", "type", "created"};

Filter parse_filter(const std::string& text, const std::vector<std::string>& keys) {
  const auto equals = text.find('=');
  const auto key = text.substr(0, equals);
  if (equals == std::string::npos || std::find(keys.begin(), keys.end(), key) == keys.end()) {
    throw Error(ErrorKind::usage,
                equals == std::string::npos ? fmt::format("the filter '{}' is not of the form KEY=VALUE", text)
                                            : fmt::format("unknown filter '{}'", key),
                fmt::format("the keys are: {}", fmt::join(keys, " ")));
  }
  return {key, text.substr(equals + 1)};
}

std::string backend_of(const ContainerRow& row) {
  return row.preinstalled ? "preinstalled" : "ostree";
}

std::string rfc3339(std::int64_t epoch_seconds) {
  const auto time = static_cast<std::time_t>(epoch_seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

std::string filter_field(const ContainerRow& row, const std::string& key) {
  if (key == "container") {
    return row.name;
  }
  if (key == "image") {
    return row.image;
  }
  if (key == "command") {
    return row.command;
  }
  if (key == "created") {
    return rfc3339(row.created);
  }
  if (key == "state") {
    return row.state;
  }
  return key == "backend" ? backend_of(row) : row.runtime;
}

std::vector<ContainerRow> list_containers(Context& context, const ContainerQuery& query) {
  constexpr std::array<std::string_view, 5> shown{"image", "revision", "created", "has-container-service", "runtime"};
  const auto list = host::list_briefly(context.layout, shown);
  for (const auto& broken : list.broken) {
    context.reporter.warning(fmt::format("{} cannot be read: {}", broken.name, broken.reason));
  }
  const auto states = states_of(context, list.deployments);
  std::vector<ContainerRow> rows;
  for (const auto& deployment : list.deployments) {
    ContainerRow row;
    row.state = state_word(deployment, states);
    if (!query.all && row.state != "running") {
      continue;
    }
    row.name = deployment.name;
    row.image = deployment.info.image;
    row.image_id = deployment.info.revision;
    row.command = command_of(context, deployment);
    row.created = deployment.info.created;
    row.runtime = deployment.info.runtime;
    row.preinstalled = deployment.preinstalled;
    if (matches(row, query.filters)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<ImageRow> list_images(Context& context, const ImageQuery& query) {
  auto store = store::Store::open_existing(store_options(context));
  if (!store) {
    return {};
  }
  static constexpr std::array<std::string_view, 2> named{"image", "revision"};
  auto deployments = std::async(std::launch::async, [&context] { return host::list_briefly(context.layout, named); });
  const auto images = store->images(query.all);
  UsedImages used;
  for (const auto& deployment : deployments.get().deployments) {
    if (!deployment.preinstalled) {  // whose files never were in the store
      used.add(deployment.info);
    }
  }
  std::set<std::string> needed_layers;
  for (const auto& image : images) {
    needed_layers.insert(image.layers.begin(), image.layers.end());
  }
  std::vector<ImageRow> rows;
  for (const auto& image : images) {
    auto row = image_row(image, used);
    row.dangling = image.name.empty() && !needed_layers.contains(image.id);
    if (matches(row, query.filters)) {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

base::Json inspect(Context& context, const std::string& name) {
  const bool may_be_container = name.find_first_of("/:@") == std::string::npos;
  if (const auto deployment = may_be_container ? host::find_deployment(context.layout, name) : std::nullopt) {
    return inspect_container(context, *deployment);
  }
  if (const auto image = find_image(context, name)) {
    return inspect_image(*image);
  }
  throw Error(ErrorKind::not_found, fmt::format("there is no container and no image {}", name),
              "berth containers list --all and berth images list show what there is");
}

}  // namespace berth::ops
