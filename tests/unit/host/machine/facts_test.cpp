// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/facts.hpp"

#include <gmock/gmock.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <regex>
#include <set>

#include "host/scratch.hpp"

namespace berth::host::testing {
namespace {

TEST(Facts, OfThisMachine) {
  const Facts facts = read_facts();
  EXPECT_GE(facts.last_capability, 37U);  // CAP_AUDIT_READ, Linux 3.16
  EXPECT_LT(facts.last_capability, 64U);
  EXPECT_EQ(::getuid(), facts.uid);
  EXPECT_EQ(::getgid(), facts.gid);
  EXPECT_EQ(::sd_booted() > 0, facts.booted_with_systemd);
  EXPECT_EQ(std::filesystem::exists("/sys/fs/cgroup/cgroup.controllers"), facts.cgroup_unified);
  EXPECT_EQ(std::filesystem::exists("/sys/fs/selinux/enforce"), facts.selinux);
  EXPECT_TRUE(facts.executable.ends_with("/unit_host")) << facts.executable;
}

TEST(Uuid, RandomVersionFour) {
  const std::regex form("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  std::set<std::string> seen;
  for (int round = 0; round < 100; ++round) {
    const std::string uuid = random_uuid();
    EXPECT_TRUE(std::regex_match(uuid, form)) << uuid;
    seen.insert(uuid);
  }
  EXPECT_EQ(100U, seen.size());
}

}  // namespace
}  // namespace berth::host::testing
