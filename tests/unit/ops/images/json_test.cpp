// SPDX-License-Identifier: LGPL-2.1-or-later
// The results of the use cases of images as JSON.
#include <gtest/gtest.h>

#include <string>

#include "base/json.hpp"
#include "golden_json.hpp"
#include "ops/images/describe.hpp"
#include "ops/images/history.hpp"
#include "ops/images/list.hpp"
#include "ops/images/prune.hpp"
#include "ops/images/pull.hpp"
#include "ops/images/repair.hpp"
#include "ops/images/update.hpp"
#include "ops/images/usage.hpp"
#include "ops/images/verify.hpp"
#include "ops/images/versions.hpp"

namespace berth::ops {
namespace {

using test::expect_golden;

constexpr std::int64_t created = 1'762'153'964;  // 2025-11-03T07:12:44Z
const std::string image_id(64, 'a');
const std::string other_id(64, 'b');
const std::string commit(64, 'c');
const std::string layer_id(64, 'd');

TEST(ImageJson, PulledImage) {
  store::PullResult result;
  result.image.name = "registry.example/agent:1";
  result.image.id = image_id;
  result.image.manifest_digest = "sha256:" + std::string(64, 'e');
  result.image.commit = commit;
  result.changed = true;
  result.layers_fetched = 2;
  result.layers_present = 1;
  result.bytes_fetched = 5'000'000'000;
  result.skipped_nodes = 3;
  expect_golden("pull", to_json(result));
}

TEST(ImageJson, ListedImagesAndLayers) {
  ImageRow image;
  image.repository = "registry.example/agent";
  image.tag = "1";
  image.id = image_id;
  image.created = created;
  image.size = 12'345'678;
  image.type = "system";
  image.used = true;
  ImageRow layer;
  layer.id = layer_id;
  layer.type = "layer";
  layer.dangling = true;
  expect_golden("images-list", to_json(std::vector{image, layer}));
  expect_golden("images-list-empty", to_json(std::vector<ImageRow>()));
}

TEST(ImageJson, DescribedImage) {
  ImageDescription description;
  description.image.name = "registry.example/agent:1";
  description.image.id = image_id;
  description.image.created = created;
  expect_golden("images-info-minimal", to_json(description));
  description.labels = {{"version", "1.2"}, {"vendor", "Caf\xc3\xa9"}};
  description.defaults = {{"PORT", "8080"}};
  description.required = {"TOKEN"};
  description.provided = {"NAME", "UUID"};
  expect_golden("images-info", to_json(description));
}

TEST(ImageJson, HistoryOfAnImage) {
  const std::vector<HistoryEntry> entries = {{"2025-11-03T07:12:44Z", "COPY agent /agent", "by hand", layer_id, 4096},
                                             {"", "ENV PORT=8080", "", "", 0}};
  expect_golden("images-history", to_json(entries));
}

TEST(ImageJson, VersionsOfImages) {
  const std::vector<ImageVersion> versions = {{"registry.example/agent:1", image_id, "1.2-3"},
                                              {"registry.example/web:1", other_id, ""}};
  expect_golden("images-version", to_json(versions));
}

TEST(ImageJson, UpdatedImages) {
  const std::vector<ImageUpdate> updates = {
      {"registry.example/agent:1", image_id, other_id, "updated", "", {}},
      {"localhost/web:1", image_id, image_id, "skipped", "it was pulled from no registry", {}}};
  expect_golden("images-update", to_json(updates));
}

TEST(ImageJson, PrunedStore) {
  PruneOutcome outcome;
  outcome.store.layers = 2;
  outcome.store.objects = 17;
  outcome.store.bytes = 5'000'000'000;
  outcome.directories = {"/var/lib/containers/berth/agent.1"};
  expect_golden("images-prune", to_json(outcome));
  outcome = {};
  outcome.dry_run = true;
  expect_golden("images-prune-minimal", to_json(outcome));
}

TEST(ImageJson, VerifiedImages) {
  VerifiedImage damaged;
  damaged.name = "registry.example/agent:1";
  damaged.id = image_id;
  damaged.objects = 120;
  damaged.damaged = {{std::string(64, 'f') + ".file", "file", true, {"/usr/bin/agent"}, {"agent"}}};
  damaged.deployments = {
      {"agent", "/var/lib/containers/berth/agent.0/rootfs", true, {"/usr/bin/agent"}, {"/etc/agent"}, "", false},
      {"agent", "/var/lib/containers/berth/agent.1/rootfs", false, {}, {}, "it has no info file", true}};
  damaged.remote = RemoteState::newer;
  damaged.remote_id = other_id;
  VerifiedImage unknown;
  unknown.name = "registry.example/web:1";
  unknown.id = other_id;
  unknown.objects = 7;
  unknown.remote = RemoteState::unknown;
  unknown.remote_reason = "registry.example cannot be reached";
  VerifiedImage local;
  local.name = "localhost/web:1";
  local.id = other_id;
  local.objects = 7;
  expect_golden("images-verify", to_json(std::vector{damaged, unknown, local}));
}

TEST(ImageJson, NamesOfStatesInTheRegistry) {
  EXPECT_EQ(name_of(RemoteState::not_asked), "not asked");
  EXPECT_EQ(name_of(RemoteState::none), "none");
  EXPECT_EQ(name_of(RemoteState::latest), "latest");
  EXPECT_EQ(name_of(RemoteState::newer), "newer");
  EXPECT_EQ(name_of(RemoteState::unknown), "unknown");
}

TEST(ImageJson, RepairedImage) {
  RepairOutcome outcome;
  outcome.name = "registry.example/agent:1";
  expect_golden("images-repair-minimal", to_json(outcome));
  outcome.damaged = 2;
  outcome.layers = 1;
  outcome.mended = {{"agent", true, "/var/lib/containers/berth/agent.0/rootfs", {"/usr/bin/agent"}},
                    {"", false, "/mnt", {"/usr/bin/agent"}}};
  expect_golden("images-repair", to_json(outcome));
}

TEST(ImageJson, DiskUsage) {
  ops::DiskUsage usage;
  expect_golden("df-empty", to_json(usage));
  usage.rows = {{"image", "registry.example/agent:1", 5'000'000'000, 4096, 4096},
                {"container", "agent", 5'000'000'000, 8192, 8192},
                {"view", "/mnt", 5'000'000'000, 0, 0}};
  usage.total = 5'000'012'288;
  usage.reclaimable = 4096;
  expect_golden("df", to_json(usage));
}

}  // namespace
}  // namespace berth::ops
