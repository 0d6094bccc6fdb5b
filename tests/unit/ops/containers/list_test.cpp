// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/temp_directory.hpp"
#include "ops/containers/install.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using test::Machine;
using ::testing::Contains;
using ::testing::HasSubstr;

class ContainerList : public ::testing::Test {
 protected:
  void SetUp() override {
    InstallRequest request;
    request.image = machine.image("web", test::full_image());
    request.name = "web";
    install(context, request);
    request.name = "api";
    request.start = true;
    std::filesystem::remove_all(machine.on_disk("etc/web"));
    install(context, request);
  }

  Machine machine;
  Context context = machine.context();
};

TEST_F(ContainerList, ListsRunningContainersOnly) {
  const auto rows = list_containers(context, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "api");
  EXPECT_EQ(rows[0].state, "running");
  EXPECT_EQ(rows[0].command, "/bin/server 80");
  EXPECT_EQ(rows[0].image, "localhost/web:latest");
  EXPECT_EQ(rows[0].runtime, "/usr/bin/runc");
}

TEST_F(ContainerList, ListsStoppedAndFailedContainersOnRequest) {
  machine.systemd.failed.insert("web.service");
  const auto rows = list_containers(context, {true, {}});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].name, "web");
  EXPECT_EQ(rows[1].state, "failed");
}

TEST_F(ContainerList, FiltersMustAllMatch) {
  const auto filter = [](const std::string& text) { return parse_filter(text, container_filter_keys); };
  EXPECT_EQ(list_containers(context, {true, {filter("container=we")}}).size(), 1U);
  EXPECT_EQ(list_containers(context, {true, {filter("state=inactive")}}).size(), 1U);
  EXPECT_EQ(list_containers(context, {true, {filter("backend=ostree"), filter("runtime=runc")}}).size(), 2U);
  EXPECT_TRUE(list_containers(context, {true, {filter("image=web"), filter("container=nobody")}}).empty());
}

TEST_F(ContainerList, ADamagedContainerDoesNotHideTheOthers) {
  std::filesystem::create_symlink("gone.0", machine.on_disk("var/lib/containers/berth/gone"));
  EXPECT_EQ(list_containers(context, {true, {}}).size(), 2U);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("gone")));
}

/// Counts how often files called `info` and `config.json` are opened in the directories it watches.
class OpenCount {
 public:
  void watch(const std::string& directory) {
    ASSERT_GE(::inotify_add_watch(queue_.get(), directory.c_str(), IN_OPEN), 0) << directory;
  }
  std::map<std::string, std::size_t> take() {
    std::map<std::string, std::size_t> counts;
    alignas(inotify_event) std::array<char, 65536> buffer{};
    for (ssize_t size = 0; (size = ::read(queue_.get(), buffer.data(), buffer.size())) > 0;) {
      for (ssize_t at = 0; at < size;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        if (event->len > 0) {
          ++counts[event->name];
        }
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
    return counts;
  }

 private:
  base::Fd queue_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)};
};

TEST_F(ContainerList, NeedsOneQueryOfSystemdAndReadsEachFileOnce) {
  constexpr std::size_t count = 40;
  const std::string directory = "var/lib/containers/berth/";
  OpenCount opens;
  for (std::size_t i = 0; i < count; ++i) {
    const auto name = "copy" + std::to_string(i);
    machine.write(directory + name + ".0/info", machine.read(directory + "web.0/info"));
    machine.write(directory + name + ".0/config.json", machine.read(directory + "web.0/config.json"));
    std::filesystem::create_symlink(name + ".0", machine.on_disk(directory + name));
    opens.watch(machine.on_disk(directory + name + ".0"));
  }
  machine.systemd.queries.clear();
  opens.take();
  EXPECT_EQ(list_containers(context, {true, {}}).size(), count + 2);
  EXPECT_THAT(machine.systemd.queries, ::testing::ElementsAre("states"));
  const auto counts = opens.take();
  EXPECT_EQ(counts.at("info"), count);
  EXPECT_EQ(counts.at("config.json"), count);

  list_containers(context, {});
  EXPECT_FALSE(opens.take().contains("config.json")) << "containers that are not listed";
}

}  // namespace
}  // namespace berth::ops
