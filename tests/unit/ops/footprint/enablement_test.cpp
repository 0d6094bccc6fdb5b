// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/footprint/enablement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "base/temp_directory.hpp"
#include "ops/containers/rollback.hpp"
#include "ops/containers/update.hpp"
#include "ops/machine.hpp"
#include "ops/tree.hpp"
#include "ops/web_test.hpp"

namespace berth::ops {
namespace {

using base::ErrorKind;
using base::test::error_of;
using test::ImageSpec;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr const char* wants = "etc/systemd/system/multi-user.target.wants/web.service";
constexpr const char* multi_user = "[Install]\nWantedBy=multi-user.target\n";
constexpr const char* graphical = "[Install]\nWantedBy=graphical.target\n";
constexpr const char* multi_user_link = "/etc/systemd/system/multi-user.target.wants/web.service";
constexpr const char* graphical_link = "/etc/systemd/system/graphical.target.wants/web.service";

/// The container `web` with a unit on the host, which no link enables.
class Enablement : public ::testing::Test {
 protected:
  Enablement() {
    before.name = "web";
    machine.make_directory("deployment");
    before.path = machine.on_disk("deployment");
    set_unit(multi_user);
  }

  void set_unit(const std::string& section) const { machine.write("etc/systemd/system/web.service", section); }

  /// @param path of the link, without a leading slash
  void link(const std::string& path, const std::string& unit = "web.service") const {
    machine.make_directory(fs::path(path).parent_path());
    fs::create_symlink("/etc/systemd/system/" + unit, machine.on_disk(path));
  }

  /// The record of a change to a unit with that section.
  SwitchRecord recorded(const std::optional<std::string>& section) {
    SwitchRecord record;
    record.masked = masked;
    plan.unit = section;
    record_links(context, before, state, plan, record);
    return record;
  }

  /// Whether a replacement with that section is marked as disabled.
  bool is_marked(const std::optional<std::string>& section) {
    host::DeploymentInfo info;
    info.document["stays-disabled"] = "of the copied document";
    carry_disablement(context, before, section, info);
    const auto found = info.document.find("stays-disabled");
    EXPECT_TRUE(found == info.document.end() || *found == true) << *found;
    return found != info.document.end();
  }

  void mask() {
    fs::remove(machine.on_disk("etc/systemd/system/web.service"));
    fs::create_symlink("/dev/null", machine.on_disk("etc/systemd/system/web.service"));
  }

  test::Machine machine;
  Context context = machine.context();
  host::Deployment before;
  host::UnitState state;
  InstallPlan plan;
  bool masked = false;
};

TEST_F(Enablement, AnUnchangedSectionChangesNoLinks) {
  link(wants);
  const auto record = recorded("[Unit]\nDescription=x\n" + std::string(multi_user));
  EXPECT_TRUE(record.was_enabled && record.enables);
  EXPECT_FALSE(record.relinks || record.links_known);
  EXPECT_THAT(record.made_links, IsEmpty());
  EXPECT_THAT(record.dropped_links, IsEmpty());
}

TEST_F(Enablement, AChangedSectionReplacesTheLinks) {
  link(wants);
  const auto record = recorded(graphical);
  EXPECT_TRUE(record.was_enabled && record.enables && record.relinks && record.links_known);
  EXPECT_THAT(record.made_links, ElementsAre(graphical_link));
  EXPECT_THAT(record.dropped_links, ElementsAre(multi_user_link));
}

TEST_F(Enablement, LinksThatBothSectionsDefineStay) {
  set_unit("[Install]\nWantedBy=multi-user.target special.target\n");
  link(wants);
  link("etc/systemd/system/graphical.target.wants/web.service");
  const auto record = recorded("[Install]\nWantedBy=multi-user.target graphical.target other.target\n");
  EXPECT_THAT(record.dropped_links, IsEmpty());
  EXPECT_THAT(record.made_links, ElementsAre("/etc/systemd/system/other.target.wants/web.service"));
}

/// systemd reports a unit as enabled when any link leads to it.
TEST_F(Enablement, ADisabledUnitStaysDisabled) {
  state.unit_file_state = "enabled";
  link("etc/systemd/system/special.target.wants/web.service");
  const auto record = recorded(graphical);
  EXPECT_FALSE(record.was_enabled || record.enables || record.relinks || record.links_known);
}

TEST_F(Enablement, AUnitThatGainsASectionIsEnabledUnlessItIsMarked) {
  set_unit("[Service]\n");
  const auto record = recorded(multi_user);
  EXPECT_FALSE(record.was_enabled);
  EXPECT_TRUE(record.enables && record.relinks);
  EXPECT_THAT(record.made_links, ElementsAre(multi_user_link));
  before.info.document["stays-disabled"] = "yes";
  EXPECT_TRUE(recorded(multi_user).enables) << "not a boolean";
  before.info.document["stays-disabled"] = false;
  EXPECT_TRUE(recorded(multi_user).enables);
  before.info.document["stays-disabled"] = true;
  EXPECT_FALSE(recorded(multi_user).enables);
}

TEST_F(Enablement, AUnitThatLosesItsSectionIsDisabled) {
  link(wants);
  for (const auto& section : {std::optional<std::string>("[Service]\n"), std::optional<std::string>()}) {
    const auto record = recorded(section);
    EXPECT_TRUE(record.was_enabled && record.relinks && record.links_known);
    EXPECT_FALSE(record.enables);
    EXPECT_THAT(record.dropped_links, ElementsAre(multi_user_link));
    EXPECT_THAT(record.made_links, IsEmpty());
  }
}

TEST_F(Enablement, AMaskedUnitIsTheOneThatWasInstalled) {
  mask();
  link(wants);
  EXPECT_FALSE(recorded(graphical).was_enabled) << "there is no copy of the unit";
  machine.write("deployment/web.service", multi_user);
  masked = true;
  const auto record = recorded(graphical);
  EXPECT_TRUE(record.was_enabled && record.enables);
  EXPECT_FALSE(record.relinks) << "systemctl does not enable a masked unit";
  fs::remove(machine.on_disk("etc/systemd/system/web.service"));
  masked = false;
  EXPECT_TRUE(recorded(graphical).relinks) << "a missing unit";
}

TEST_F(Enablement, OnlySystemdKnowsTheLinksOfSomeSpecifiers) {
  set_unit("[Install]\nWantedBy=%H.target\n");
  link("etc/systemd/system/host.target.wants/web.service");
  state.unit_file_state = "enabled";
  const auto record = recorded(graphical);
  EXPECT_TRUE(record.was_enabled && record.relinks);
  EXPECT_FALSE(record.links_known);
  state.unit_file_state = "disabled";
  EXPECT_FALSE(recorded(graphical).was_enabled);
}

TEST_F(Enablement, RecordsTheUnitsThatAreEnabledAlsoAndTheirLinks) {
  link(wants);
  link("etc/systemd/system/sockets.target.wants/first.socket", "first.socket");
  PlannedFile planned;
  planned.file.destination = "/etc/systemd/system/first.socket";
  planned.file.content = "[Install]\nAlso=second.timer web.service\n";
  plan.files = {planned};
  machine.write("usr/lib/systemd/system/second.timer", "[Install]\nAlso=first.socket third.path\n");
  const auto record = recorded("[Install]\nWantedBy=graphical.target\nAlso=first.socket\n");
  EXPECT_THAT(record.also_units, ElementsAre("first.socket", "second.timer", "third.path"));
  EXPECT_THAT(record.also_links, ElementsAre("/etc/systemd/system/sockets.target.wants/first.socket"));
  EXPECT_THAT(recorded("[Service]\n").also_units, IsEmpty()) << "disabling concerns no other unit";
}

TEST_F(Enablement, AChainOfUnitsThatAreEnabledAlsoIsCutOff) {
  link(wants);
  for (int i = 0; i < 150; ++i) {
    const auto unit = "u" + std::to_string(i) + ".service";
    machine.write("etc/systemd/system/" + unit, "[Install]\nAlso=u" + std::to_string(i + 1) + ".service\n");
  }
  const auto record = recorded("[Install]\nWantedBy=graphical.target\nAlso=u0.service\n");
  EXPECT_EQ(record.also_units.size(), 100U);
}

TEST_F(Enablement, RemovesOnlyNewLinksOfTheOtherUnits) {
  const std::string units = "etc/systemd/system/";
  link(units + "sockets.target.wants/first.socket", "first.socket");
  link(units + "special.target.wants/first.socket", "first.socket");
  link(units + "special.target.wants/second.socket", "second.socket");
  SwitchRecord record;
  record.also_units = {"first.socket"};
  record.also_links = {"/etc/systemd/system/special.target.wants/first.socket"};
  remove_also_links(context, record);
  EXPECT_FALSE(machine.exists(units + "sockets.target.wants"));
  EXPECT_TRUE(machine.exists(units + "special.target.wants/first.socket"));
  EXPECT_TRUE(machine.exists(units + "special.target.wants/second.socket"));
}

TEST_F(Enablement, RemovesKnownLinksThatLeadToTheUnit) {
  link(wants);
  link("etc/systemd/system/graphical.target.wants/web.service", "api.service");
  link("etc/systemd/system/special.target.wants/web.service");
  remove_known_links(context, "web", {multi_user_link, graphical_link});
  EXPECT_FALSE(machine.exists("etc/systemd/system/multi-user.target.wants"));
  EXPECT_TRUE(machine.exists("etc/systemd/system/graphical.target.wants/web.service")) << "leads elsewhere";
  EXPECT_TRUE(machine.exists("etc/systemd/system/special.target.wants/web.service")) << "not among them";
  EXPECT_NO_THROW(make_links_durable(context, {multi_user_link, graphical_link})) << "one directory does not exist";
}

TEST_F(Enablement, ADisabledUnitIsMarkedWhenItsSectionIsLost) {
  EXPECT_TRUE(is_marked("[Service]\n"));
  EXPECT_FALSE(is_marked(multi_user)) << "the links of the new unit show it";
  EXPECT_FALSE(is_marked(std::nullopt)) << "there is no unit to enable";
  link(wants);
  EXPECT_FALSE(is_marked("[Service]\n")) << "enabled";
}

TEST_F(Enablement, TheMarkStaysUntilAUnitHasASection) {
  set_unit("[Service]\n");
  EXPECT_FALSE(is_marked("[Service]\n"));
  before.info.document["stays-disabled"] = true;
  EXPECT_TRUE(is_marked("[Service]\n"));
  EXPECT_FALSE(is_marked(multi_user));
  before.info.has_container_service = false;
  EXPECT_FALSE(is_marked("[Service]\n"));
}

class EnablementOfUpdates : public test::WebTest {
 protected:
  /// The image with another [Install] section. @param file makes it differ from other such images
  static ImageSpec with_install(const std::string& section, const std::string& file = "newer") {
    auto spec = test::full_image();
    spec.files.push_back({"usr/share/" + file, "x\n", 0644, ""});
    auto& unit = spec.files.at(4).content;
    unit.replace(unit.find("[Install]"), std::string::npos, section);
    return spec;
  }
};

/// systemd enables units in Also= together with the service.
TEST_F(EnablementOfUpdates, LinksOfOtherUnitsAreRemovedWhenTheUpdateIsReverted) {
  const std::string units = "etc/systemd/system/";
  const auto link = [&](const std::string& target, const std::string& unit) {
    machine.make_directory(units + target + ".wants");
    std::error_code exists;
    fs::create_symlink("/etc/systemd/system/" + unit, machine.on_disk(units + target + ".wants/" + unit), exists);
  };
  machine.write(units + "second.timer", "[Install]\nWantedBy=timers.target\n");
  machine.write(units + "first.socket", "[Install]\nAlso=second.timer\nWantedBy=sockets.target\n");
  install_web();
  link("special.target", "first.socket");
  const auto before = test::tree_text(machine.on_disk("etc"), "");
  store(with_install("[Install]\nWantedBy=graphical.target\nAlso=first.socket\n"));
  machine.systemd.on_call = [&](const std::string& call) {
    if (call == "enable web.service") {
      link("sockets.target", "first.socket");
      link("timers.target", "second.timer");
    }
  };
  std::size_t steps = 0;
  update(context, web(), [&](std::size_t index) { steps = std::max(steps, index); });
  EXPECT_TRUE(machine.exists(units + "timers.target.wants/second.timer"));
  rollback(context, {"web", {}});
  fs::remove_all(machine.on_disk(units + "sockets.target.wants"));  // a rollback does not change other units
  fs::remove_all(machine.on_disk(units + "timers.target.wants"));
  for (std::size_t fail_at = 0; fail_at <= steps; ++fail_at) {
    error_of([&] {
      update(context, web(), [&](std::size_t index) {
        if (index == fail_at) {
          throw base::Error(ErrorKind::failed, "injected");
        }
      });
    });
    EXPECT_EQ(test::tree_text(machine.on_disk("etc"), ""), before) << fail_at;
  }
}

TEST_F(EnablementOfUpdates, ADisabledUnitStaysDisabledAfterAUnitWithoutInstall) {
  install_web(false);
  machine.systemd.disable("web.service");
  store(with_install(""));
  update(context, web());
  rollback(context, {"web", {}});
  EXPECT_FALSE(machine.exists(wants));
  rollback(context, {"web", {}});
  store(with_install("[Install]\nWantedBy=multi-user.target\n", "third"));
  update(context, web());
  EXPECT_FALSE(machine.exists(wants));
}

TEST_F(EnablementOfUpdates, AUnitThatWasEnabledInBetweenIsEnabled) {
  install_web(false);
  machine.systemd.disable("web.service");
  store(with_install(""));
  update(context, web());
  rollback(context, {"web", {}});
  machine.systemd.enable("web.service");
  rollback(context, {"web", {}});
  EXPECT_FALSE(machine.exists(wants));
  rollback(context, {"web", {}});
  EXPECT_TRUE(machine.exists(wants));
}

TEST_F(EnablementOfUpdates, LinksOfTheAdministratorStay) {
  install_web(false);
  const std::string own = "etc/systemd/system/special.target.wants/web.service";
  machine.make_directory("etc/systemd/system/special.target.wants");
  fs::create_symlink("/etc/systemd/system/web.service", machine.on_disk(own));
  store(with_install("[Install]\nWantedBy=graphical.target\n"));
  update(context, web());
  EXPECT_TRUE(machine.exists(own));
  EXPECT_FALSE(machine.exists(wants));
  EXPECT_TRUE(machine.exists("etc/systemd/system/graphical.target.wants/web.service"));
  rollback(context, {"web", {}});
  EXPECT_TRUE(machine.exists(own));
  EXPECT_TRUE(machine.exists(wants));
  EXPECT_FALSE(machine.exists("etc/systemd/system/graphical.target.wants"));
}

/// systemd reports a unit as enabled when any link leads to it.
TEST_F(EnablementOfUpdates, ALinkOfTheAdministratorDoesNotEnableADisabledUnit) {
  install_web(false);
  machine.systemd.disable("web.service");
  const std::string own = "etc/systemd/system/special.target.wants/web.service";
  machine.make_directory("etc/systemd/system/special.target.wants");
  fs::create_symlink("/etc/systemd/system/web.service", machine.on_disk(own));
  store(with_install("[Install]\nWantedBy=graphical.target\n"));
  update(context, web());
  EXPECT_TRUE(machine.exists(own));
  EXPECT_FALSE(machine.exists("etc/systemd/system/graphical.target.wants"));
}

}  // namespace
}  // namespace berth::ops
