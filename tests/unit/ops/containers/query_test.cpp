#include "ops/containers/query.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <map>

#include "base/temp_directory.hpp"
#include "ops/containers/install.hpp"
#include "ops/containers/service.hpp"
#include "ops/machine.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::Machine;
using ::testing::Contains;
using ::testing::HasSubstr;

class Query : public ::testing::Test {
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

TEST_F(Query, ListsRunningContainersOnly) {
  const auto rows = list_containers(context, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "api");
  EXPECT_EQ(rows[0].state, "running");
  EXPECT_EQ(rows[0].command, "/bin/server 80");
  EXPECT_EQ(rows[0].image, "localhost/web:latest");
  EXPECT_EQ(rows[0].runtime, "/usr/bin/runc");
}

TEST_F(Query, AllAndFailed) {
  machine.systemd.failed.insert("web.service");
  const auto rows = list_containers(context, {true, {}});
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].name, "web");
  EXPECT_EQ(rows[1].state, "failed");
}

TEST_F(Query, FiltersMustAllMatch) {
  const auto filter = [](const std::string& text) { return parse_filter(text, container_filter_keys); };
  EXPECT_EQ(list_containers(context, {true, {filter("container=we")}}).size(), 1U);
  EXPECT_EQ(list_containers(context, {true, {filter("state=inactive")}}).size(), 1U);
  EXPECT_EQ(list_containers(context, {true, {filter("backend=ostree"), filter("runtime=runc")}}).size(), 2U);
  EXPECT_TRUE(list_containers(context, {true, {filter("image=web"), filter("container=nobody")}}).empty());
}

TEST_F(Query, BadFilterNamesTheKeys) {
  const auto unknown = error_of([] { parse_filter("colour=red", container_filter_keys); });
  EXPECT_EQ(unknown.kind(), ErrorKind::usage);
  EXPECT_THAT(unknown.message(), HasSubstr("colour"));
  EXPECT_THAT(unknown.hint(), HasSubstr("container image command"));
  EXPECT_EQ(error_of([] { parse_filter("state", container_filter_keys); }).kind(), ErrorKind::usage);
}

TEST_F(Query, BrokenContainerDoesNotHideTheOthers) {
  std::filesystem::create_symlink("gone.0", machine.on_disk("var/lib/containers/berth/gone"));
  EXPECT_EQ(list_containers(context, {true, {}}).size(), 2U);
  EXPECT_THAT(machine.reporter.warnings, Contains(HasSubstr("gone")));
}

TEST_F(Query, ImagesKnowWhetherTheyAreUsed) {
  const auto rows = list_images(context, {});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].repository, "localhost/web");
  EXPECT_EQ(rows[0].tag, "latest");
  EXPECT_TRUE(rows[0].used);
  EXPECT_EQ(rows[0].type, "system");
  EXPECT_EQ(list_images(context, {true, {}}).size(), 2U);
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

TEST_F(Query, ManyContainersAreOneQuestionToSystemdAndEachFileIsReadOnce) {
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
  EXPECT_FALSE(opens.take().contains("config.json")) << "what is not listed need not be read";
}

TEST_F(Query, InspectTellsContainerAndImage) {
  const auto container = inspect(context, "api");
  EXPECT_EQ(container["type"], "container");
  EXPECT_EQ(container["state"], "running");
  EXPECT_EQ(container["config"]["process"]["args"][1], "80");
  EXPECT_EQ(container["values"]["GREETING"], "hello");
  const auto image = inspect(context, "localhost/web:latest");
  EXPECT_EQ(image["type"], "image");
  EXPECT_EQ(image["config"]["architecture"], image::host_platform().architecture);
  EXPECT_EQ(error_of([&] { inspect(context, "nobody"); }).kind(), ErrorKind::not_found);
}

TEST_F(Query, StartAndStopWaitForTheJob) {
  start(context, "web");
  EXPECT_TRUE(machine.systemd.active.contains("web.service"));
  stop(context, "web");
  EXPECT_FALSE(machine.systemd.active.contains("web.service"));
  machine.systemd.start_results["web.service"] = {false, "timeout", "it did not start in time"};
  machine.systemd.journal["web.service"] = {"waiting for the database"};
  const auto error = error_of([&] { start(context, "web"); });
  EXPECT_THAT(error.message(), HasSubstr("it did not start in time"));
  EXPECT_THAT(error.hint(), HasSubstr("waiting for the database"));
  EXPECT_EQ(error_of([&] { start(context, "nobody"); }).kind(), ErrorKind::not_found);
  machine.systemd.stop_results["web.service"] = {false, "timeout", "it did not stop in time"};
  EXPECT_THAT(error_of([&] { stop(context, "web"); }).message(), HasSubstr("it did not stop in time"));
}

TEST(Rfc3339, IsUtc) {
  EXPECT_EQ(rfc3339(1714979289), "2024-05-06T07:08:09Z");
}

}  // namespace
}  // namespace berth::ops
