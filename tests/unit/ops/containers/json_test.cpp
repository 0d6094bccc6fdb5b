// SPDX-License-Identifier: LGPL-2.1-or-later
// The results of the use cases of containers as JSON.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <ctime>
#include <string>

#include "base/error.hpp"
#include "base/json.hpp"
#include "golden_json.hpp"
#include "ops/change/removal.hpp"
#include "ops/containers/adopt.hpp"
#include "ops/containers/atomic_lists.hpp"
#include "ops/containers/container_package.hpp"
#include "ops/containers/inspect.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/list.hpp"
#include "ops/containers/logs.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/update.hpp"
#include "ops/containers/update_check.hpp"
#include "ops/result_json.hpp"

namespace berth::ops {
namespace {

using base::Error;
using base::ErrorKind;
using test::expect_golden;

constexpr std::int64_t created = 1'762'153'964;  // 2025-11-03T07:12:44Z
const std::string image_id(64, 'a');
const std::string other_id(64, 'b');
const std::string commit(64, 'c');
const std::string layer_id(64, 'd');

std::vector<ContainerRow> container_rows() {
  ContainerRow row;
  row.name = "agent";
  row.image = "registry.example/agent:1";
  row.image_id = image_id;
  row.command = "/agent --port 8080";
  row.created = created;
  row.state = "running";
  row.runtime = "/usr/bin/crun";
  ContainerRow preinstalled;
  preinstalled.name = "files";
  preinstalled.image = "registry.example/files:1";
  preinstalled.state = "no service";
  preinstalled.preinstalled = true;
  return {row, preinstalled};
}

/// Local time is UTC for the duration of a test.
class AtomicJson : public testing::Test {
 protected:
  AtomicJson() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }
  ~AtomicJson() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_F(AtomicJson, Containers) {
  expect_golden("atomic-containers-list", to_atomic_json(container_rows()));
  expect_golden("atomic-containers-list-empty", to_atomic_json(std::vector<ContainerRow>()));
}

TEST_F(AtomicJson, Images) {
  ImageRow image;
  image.repository = "registry.example/agent";
  image.tag = "1";
  image.id = image_id;
  image.created = created;
  image.size = 4'270'000;
  image.used = true;
  ImageRow layer;
  layer.id = layer_id;
  layer.dangling = true;
  expect_golden("atomic-images-list", to_atomic_json(std::vector{image, layer}));
}

TEST_F(AtomicJson, SizesHaveUnitsOf1000) {
  EXPECT_EQ(atomic_size(0), "");
  EXPECT_EQ(atomic_size(999), "999.00 B");
  EXPECT_EQ(atomic_size(1000), "1.00 KB");
  EXPECT_EQ(atomic_size(4'270'000), "4.27 MB");
  EXPECT_EQ(atomic_size(5'000'000'000'000'000'000), "5000.00 PB");
}

TEST(ContainerJson, ListedContainers) {
  expect_golden("containers-list", to_json(container_rows()));
  expect_golden("containers-list-empty", to_json(std::vector<ContainerRow>()));
}

TEST(ContainerJson, InspectedContainer) {
  InspectedContainer container;
  auto& deployment = container.deployment;
  deployment.name = "agent";
  deployment.path = "/var/lib/containers/berth/agent.1";
  deployment.slot = 1;
  deployment.info.image = "registry.example/agent:1";
  deployment.info.revision = image_id;
  deployment.info.ostree_commit = commit;
  deployment.info.created = created;
  deployment.info.runtime = "/usr/bin/crun";
  deployment.info.has_container_service = false;
  expect_golden("inspect-container-minimal", to_json(container));
  deployment.info.has_container_service = true;
  deployment.info.values = {{"NAME", "agent"}};
  deployment.info.installed_files = {"/etc/agent", "/etc/agent/agent.conf"};
  deployment.info.remote = "/srv/agent";
  container.config = R"({"ociVersion": "1.0.2"})";
  container.unit.emplace();
  container.unit->load_state = "loaded";
  container.unit->active_state = "active";
  container.unit->sub_state = "running";
  container.unit->unit_file_state = "enabled";
  container.unit->main_pid = 1234;
  container.unit->control_group = "/system.slice/agent.service";
  expect_golden("inspect-container", to_json(container));
}

TEST(ContainerJson, InspectedImage) {
  store::StoredImage image;
  image.name = "registry.example/agent:1";
  image.id = image_id;
  image.commit = commit;
  image.created = created;
  expect_golden("inspect-image-minimal", to_json(image));
  image.manifest_digest = "sha256:" + std::string(64, 'e');
  image.size = 5'000'000'000;
  image.layers = {layer_id};
  image.manifest = R"({"schemaVersion": 2})";
  image.config = R"({"os": "linux"})";
  expect_golden("inspect-image", to_json(image));
}

TEST(ContainerJson, InstalledContainer) {
  InstallOutcome outcome;
  outcome.name = "agent";
  outcome.started = true;
  outcome.plan.emplace();
  outcome.plan->name = "agent";
  outcome.plan->image = "registry.example/agent:1";
  outcome.plan->image_id = image_id;
  outcome.plan->deployment = "/var/lib/containers/berth/agent.0";
  expect_golden("install", to_json(outcome));
  outcome.already_present = true;
  expect_golden("install-present", to_json(outcome));
}

TEST(ContainerJson, PackageOfAContainer) {
  ContainerPackage package{
      "agent", host::Layout(host::LayoutSettings{}), {}, host::PackageKind::deb, "/root/berth-agent.deb"};
  package.plan.image = "registry.example/agent:1";
  package.plan.image_id = image_id;
  package.plan.deployment = "/usr/lib/containers/berth/agent.0";
  expect_golden("install-package", to_json(package));
}

TEST(ContainerJson, AdoptedContainers) {
  AdoptOutcome outcome;
  outcome.from = "/var/lib/containers/atomic";
  outcome.to = "/var/lib/containers/berth";
  expect_golden("adopt-minimal", to_json(outcome));
  outcome.done = true;
  outcome.containers = {{"etcd", "registry.example/etcd:3", image_id, true, {"etcd.0", "etcd.1"}, {"etcd.1"}}};
  outcome.repository = RepositoryFate::moved;
  outcome.repository_path = "/var/lib/containers/atomic/.storage/ostree";
  outcome.images = {"registry.example/etcd:3"};
  expect_golden("adopt", to_json(outcome));
}

TEST(ContainerJson, FatesOfTheRepository) {
  AdoptOutcome outcome;
  const std::vector<std::pair<RepositoryFate, std::string>> fates = {{RepositoryFate::none, "none"},
                                                                     {RepositoryFate::shared, "shared"},
                                                                     {RepositoryFate::moved, "moved"},
                                                                     {RepositoryFate::copied, "copied"},
                                                                     {RepositoryFate::stays, "stays"}};
  for (const auto& [fate, name] : fates) {
    outcome.repository = fate;
    EXPECT_EQ(to_json(outcome).at("repository").at("fate"), name);
  }
}

TEST(ContainerJson, EntriesOfTheJournal) {
  host::LogEntry entry;
  entry.time = created * 1'000'000 + 42;
  entry.program = "agent";
  entry.pid = "1234";
  entry.priority = 4;
  entry.message = "caf\xe9 is closed\n";
  expect_golden("logs", to_json(entry));
  entry.pid.clear();
  entry.message.clear();
  expect_golden("logs-minimal", to_json(entry));
}

TEST(ContainerJson, RolledBackContainer) {
  expect_golden("rollback", to_json(RollbackOutcome{"agent", "registry.example/agent:1", image_id, other_id}));
}

TEST(ContainerJson, UninstalledContainers) {
  expect_golden("uninstall", array_of(std::vector{UninstallOutcome{"agent",
                                                                   {"/etc/agent.conf"},
                                                                   {"/var/lib/agent is kept"},
                                                                   {"/etc/systemd/system/agent.service.saved"},
                                                                   {"web.service"},
                                                                   true}}));
}

TEST(ContainerJson, UpdatedContainers) {
  UpdateRow updated;
  updated.container = "agent";
  updated.status = "updated";
  updated.outcome.image = "registry.example/agent:1";
  updated.outcome.id_before = image_id;
  updated.outcome.id_after = other_id;
  updated.outcome.id_latest = other_id;
  UpdateRow failed;
  failed.container = "web";
  failed.status = "failed";
  failed.error = Error(ErrorKind::failed, "registry.example cannot be reached", "check the network");
  expect_golden("update", to_json(updated));
  expect_golden("update-all", to_json(std::vector{updated, failed}));
  expect_golden("update-all-empty", to_json(std::vector<UpdateRow>()));
}

TEST(ContainerJson, ChecksForUpdates) {
  UpdateCheck check;
  check.container = "agent";
  check.image = "registry.example/agent:1";
  check.id_installed = image_id;
  check.id_available = other_id;
  check.version_installed = "1.2";
  check.version_available = "1.3";
  check.layers_to_fetch = 2;
  check.bytes_to_fetch = 5'000'000'000;
  UpdateCheck failed;
  failed.container = "web";
  failed.error = Error(ErrorKind::failed, "registry.example cannot be reached");
  expect_golden("update-check-all", to_json(std::vector{check, failed}));
  auto& diff = check.diff.emplace();
  diff.capabilities.added = {"CAP_NET_ADMIN"};
  diff.namespaces.removed = {"network"};
  diff.mounts.added = {"/srv/data"};
  diff.environment.added = {"PORT=8081"};
  diff.environment.removed = {"PORT=8080"};
  diff.config = "-  \"ociVersion\": \"1.0.1\"\n+  \"ociVersion\": \"1.0.2\"\n";
  diff.unit = "-Restart=no\n+Restart=always\n";
  diff.tmpfiles = "+d /srv/data\n";
  diff.host_files.added = {"/etc/agent/new.conf"};
  diff.changed_host_files = {"/etc/agent/agent.conf"};
  diff.default_values.added = {"PORT=8081"};
  expect_golden("update-check", to_json(check));
}

}  // namespace
}  // namespace berth::ops
