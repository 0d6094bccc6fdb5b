#include "exports/config_json.hpp"
#include "exports/values.hpp"
#include "sentences.hpp"
#include "support.hpp"

namespace berth::exports {
namespace {

using base::Json;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

Json parse(const std::string& text) {
  return base::parse_json(text, "c");
}

std::vector<std::string> requests(const Json& config) {
  return test::sentences(powerful_requests(config));
}

const std::string own_namespaces =
    R"("namespaces": [{"type": "network"}, {"type": "pid"}, {"type": "ipc"}, {"type": "mount"}])";

TEST(ConfigPowers, NothingPowerful) {
  EXPECT_THAT(requests(parse(R"({"process": {"capabilities": {"bounding": ["CAP_KILL"]}}, "linux": {)" +
                             own_namespaces + R"(, "resources": {"devices": [{"allow": false, "access": "rwm"}]}}})")),
              IsEmpty());
}

TEST(ConfigPowers, Capabilities) {
  Json all = parse("{\"linux\": {" + own_namespaces + "}}");
  all["process"]["capabilities"]["bounding"] = capability_names(40);
  EXPECT_THAT(requests(all), ElementsAre("runs with all capabilities (41)"));
  all["process"]["capabilities"]["bounding"] = {"CAP_SYS_ADMIN", "CAP_KILL", "CAP_NET_ADMIN"};
  EXPECT_THAT(requests(all), ElementsAre("has powerful capabilities: CAP_NET_ADMIN, CAP_SYS_ADMIN"));
}

TEST(ConfigPowers, HostNamespaces) {
  EXPECT_THAT(requests(parse(R"({"linux": {"namespaces": [{"type": "mount"}]}})")),
              ElementsAre("shares the host's network", "shares the host's processes (pid namespace)",
                          "shares the host's IPC namespace"));
  EXPECT_THAT(requests(Json::object()), Contains("shares the host's mounts"));
  EXPECT_THAT(
      requests(parse(
          R"({"linux": {"namespaces": [{"type": "network", "path": "/run/netns/a"}, {"type": "pid"}, {"type": "ipc"}, {"type": "mount"}]}})")),
      ElementsAre("joins the network namespace /run/netns/a"));
}

TEST(ConfigPowers, Binds) {
  const Json config = parse(R"({"mounts": [
      {"destination": "/host", "type": "bind", "source": "/", "options": ["rbind", "rw"]},
      {"destination": "/etc/hosts", "type": "none", "source": "/etc/hosts", "options": ["bind", "ro"]},
      {"destination": "/proc", "type": "proc", "source": "proc"}], "linux": {)" +
                            own_namespaces + "}}");
  EXPECT_THAT(requests(config), ElementsAre("binds the host's / read-write at /host",
                                            "binds the host's /etc/hosts read-only at /etc/hosts"));
  EXPECT_THAT(bind_sources(config), ElementsAre("/", "/etc/hosts"));
}

TEST(ConfigPowers, DevicesHooksSysctlAndPropagation) {
  const Json config = parse(R"({"hooks": {"prestart": [{"path": "/x"}], "startContainer": [{"path": "/y"}]},
      "linux": {"rootfsPropagation": "rshared", "sysctl": {"net.ipv4.ip_forward": "1"},
      "devices": [{"path": "/dev/kvm", "type": "c"}],
      "resources": {"devices": [{"allow": true, "access": "rwm"}, {"allow": true, "type": "c", "major": 10, "minor": 232, "access": "rw"}]}, )" +
                            own_namespaces + "}}");
  EXPECT_THAT(requests(config),
              ElementsAre("gets the device /dev/kvm", "may use devices: all", "may use devices: c 10:232 (rw)",
                          "hooks run on the host: /x (prestart)", "hooks run in the container: /y (startContainer)",
                          "shares its mounts with the host (rootfsPropagation)",
                          "sets the kernel parameter net.ipv4.ip_forward"));
}

TEST(ConfigPowers, OddTypesDoNoHarm) {
  EXPECT_NO_THROW(requests(parse(R"({"process": 1, "linux": [], "mounts": {}, "hooks": [1]})")));
  EXPECT_NO_THROW(requests(
      parse(R"({"mounts": [1, {"options": [1]}], "linux": {"devices": [1], "resources": {"devices": [1]}}})")));
  EXPECT_NO_THROW(requests(Json::array()));
}

}  // namespace
}  // namespace berth::exports
