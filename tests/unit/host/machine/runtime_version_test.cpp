// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/machine/runtime_version.hpp"

#include <gmock/gmock.h>

namespace berth::host::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RuntimeVersion, NamesTheOldestSupportedVersion) {
  for (const char* version : {"runc 0.1.1", "runc 1.0.0-rc93", "runc 1.0.0~rc10+dfsg1", "crun 0.21"}) {
    EXPECT_EQ("1.0.0", newer_runtime_needed(version)) << version;
  }
}

TEST(RuntimeVersion, AcceptsNewAndUnknownVersions) {
  for (const char* version : {"runc 1.0.0", "runc 1.1.5+ds1", "runc 1.4.0-rc.3", "crun 1.0", "crun 1.8.1",
                              "youki 0.3.3", "runx 0.1", "runc unknown", "runc", ""}) {
    EXPECT_EQ("", newer_runtime_needed(version)) << version;
  }
}

TEST(RuntimeVersion, NamesEscapesWithTheReleaseThatFixedThem) {
  EXPECT_THAT(known_escapes("runc 1.1.11"),
              ElementsAre("CVE-2024-21626, closed by runc 1.1.12", HasSubstr("CVE-2025-52881, closed by runc 1.2.8")));
  EXPECT_THAT(known_escapes("runc 1.1.12"), ElementsAre(HasSubstr("CVE-2025-31133")));
  EXPECT_THAT(known_escapes("runc 1.1.12-rc.1"), ElementsAre(HasSubstr("CVE-2024-21626"), HasSubstr("1.2.8")));
  EXPECT_THAT(known_escapes("runc 1.3.2"), ElementsAre(HasSubstr("closed by runc 1.3.3")));
}

TEST(RuntimeVersion, ReportsNoEscapesOfFixedUnknownOrDistributionVersions) {
  for (const char* version : {"runc 1.2.8", "runc 1.3.3", "runc 1.4.0", "runc 1.1.5+ds1",
                              "runc 1.1.12-0ubuntu2~22.04.1", "crun 1.8.1", "youki 0.1", "3.0", ""}) {
    EXPECT_THAT(known_escapes(version), IsEmpty()) << version;
  }
}

TEST(RuntimeVersion, KnowsWhichRuntimesTakeARelativeCgroup) {
  EXPECT_TRUE(takes_relative_cgroup("runc 1.1.5+ds1", "/usr/bin/oci"));
  EXPECT_TRUE(takes_relative_cgroup("", "/usr/sbin/runc"));
  EXPECT_FALSE(takes_relative_cgroup("crun 1.8.1", "/usr/bin/runc"));
  EXPECT_FALSE(takes_relative_cgroup("", "/usr/bin/crun"));
}

}  // namespace
}  // namespace berth::host::testing
