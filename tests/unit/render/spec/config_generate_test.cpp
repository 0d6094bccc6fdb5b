// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/spec/config_generate.hpp"

#include "base/json.hpp"
#include "render/messages.hpp"
#include "render/spec/config_json.hpp"
#include "render/spec/config_privileges.hpp"
#include "render/support.hpp"
#include "render/unit/unit.hpp"

namespace berth::render {
namespace {

using base::Json;
using test::error_of;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class GenerateConfig : public testing::Test {
 protected:
  GenerateConfig() {
    image_.entrypoint = {"/bin/server"};
    image_.command = {"--flag"};
    root_.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:101:102::/srv/web:/bin/sh\n");
    root_.write("etc/group", "web:x:102:\nextra:x:200:web\n");
  }

  Json generate(const HostFeatures& features = {}) {
    text_ = generate_config(image_, root_.fd(), values_, features);
    return base::parse_json(text_, "generated");
  }
  static std::vector<std::string> destinations(const Json& document) {
    std::vector<std::string> result;
    for (const auto& mount : document["mounts"]) {
      result.push_back(mount["destination"].get<std::string>());
    }
    return result;
  }
  static Json mount_at(const Json& document, const std::string& destination) {
    for (const auto& mount : document["mounts"]) {
      if (mount["destination"] == destination) {
        return mount;
      }
    }
    ADD_FAILURE() << "no mount at " << destination;
    return {};
  }

  test::TemporaryDirectory root_;
  image::ImageConfig image_;
  Values values_ = {{"NAME", "web1"}, {"STATE_DIRECTORY", "/var/lib"}};
  std::string text_;
};

TEST_F(GenerateConfig, NeedsNoConversion) {
  const Json document = generate();
  const auto finished = finish_config(text_, "generated", {}, "/system.slice/web1.service/payload");
  EXPECT_THAT(finished.conversions, testing::IsEmpty());
  EXPECT_EQ(document["ociVersion"], "1.0.2");
  EXPECT_EQ(document["root"]["readonly"], true);
  EXPECT_EQ(document["process"]["noNewPrivileges"], true);
}

TEST_F(GenerateConfig, ArgumentsAreEntrypointAndCommand) {
  EXPECT_EQ(generate()["process"]["args"], Json::array({"/bin/server", "--flag"}));
  image_.entrypoint.clear();
  EXPECT_EQ(generate()["process"]["args"], Json::array({"--flag"}));
  image_.command.clear();
  const auto error = error_of([&] { generate(); });
  EXPECT_EQ(error.kind(), base::ErrorKind::failed);
  EXPECT_THAT(error.message(), HasSubstr("no command specified"));
}

TEST_F(GenerateConfig, EnvironmentIsReplacedInPlace) {
  image_.user = "web";
  image_.environment = {"A=1", "TERM=dumb", "B=", "broken", "=x", "A=2=3", "LC=x"};
  EXPECT_EQ(generate()["process"]["env"],
            Json::array({"TERM=dumb", "HOME=/srv/web",
                         "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=2=3", "B=", "LC=x"}));
  EXPECT_THAT(ignored_environment(image_),
              testing::ElementsAre(HasSubstr("the entry 'broken' of the image's environment is not a variable"),
                                   HasSubstr("the entry '=x'")));
  image_.environment = {std::string("A=1\0", 4)};
  EXPECT_THAT(error_of([&] { generate(); }).message(), HasSubstr("variable A holds a NUL byte"));
}

TEST_F(GenerateConfig, UsersComeFromTheImage) {
  image_.user = "web";
  const Json user = generate()["process"]["user"];
  EXPECT_EQ(user, (Json{{"uid", 101}, {"gid", 102}, {"additionalGids", {200}}}));
  image_.user = "nobody-here";
  EXPECT_THAT(error_of([&] { generate(); }).message(), HasSubstr("no user `nobody-here`"));
}

TEST_F(GenerateConfig, TheHomeOfAUserWithoutAnAccountIsTheRoot) {
  std::filesystem::remove(root_ / "etc/passwd");
  image_.user = "0";
  EXPECT_EQ(generate()["process"]["env"][1], "HOME=/");
}

TEST_F(GenerateConfig, UsesTheWorkingDirectoryOfTheImage) {
  EXPECT_EQ(generate()["process"]["cwd"], "/");
  image_.working_dir = "srv//www/";
  EXPECT_EQ(generate()["process"]["cwd"], "/srv/www");
  image_.working_dir = "~/x";
  image_.user = "web";
  EXPECT_EQ(generate()["process"]["cwd"], "/srv/web/x");
  image_.working_dir = "/etc/passwd";
  EXPECT_THAT(error_of([&] { generate(); }).message(), HasSubstr("/etc/passwd is not a directory"));
  image_.working_dir = "/a/../b";
  EXPECT_THROW(generate(), base::Error);
}

TEST_F(GenerateConfig, TemporaryDirectoriesBelongToAnUnprivilegedUser) {
  root_.directory("var/tmp");
  const auto has = [](const Json& options, const char* option) {
    return std::find(options.begin(), options.end(), option) != options.end();
  };
  for (const char* directory : {"/tmp", "/var/tmp"}) {
    EXPECT_FALSE(has(mount_at(generate(), directory)["options"], "uid=0")) << directory;
  }
  image_.user = "1000:100";
  for (const char* directory : {"/tmp", "/var/tmp"}) {
    const auto options = mount_at(generate(), directory)["options"];
    EXPECT_TRUE(has(options, "mode=1777") && has(options, "uid=1000") && has(options, "gid=100")) << options;
  }
  EXPECT_FALSE(has(mount_at(generate(), "/dev/shm")["options"], "uid=1000"));
}

TEST_F(GenerateConfig, VolumesAreKeptBelowTheStateDirectory) {
  image_.volumes = {"/var/lib/my_sql/", "/var", "/var/lib/my_sql", "data"};
  const Json document = generate();
  EXPECT_EQ(mount_at(document, "/var/lib/my_sql")["source"], "/var/lib/berth/web1/var_2Flib_2Fmy_5Fsql");
  EXPECT_EQ(mount_at(document, "/var")["source"], "/var/lib/berth/web1/var");
  EXPECT_EQ(mount_at(document, "/data")["options"], Json::array({"rbind", "rw", "nosuid", "nodev"}));
  const auto all = destinations(document);
  EXPECT_LT(std::find(all.begin(), all.end(), "/var"), std::find(all.begin(), all.end(), "/var/lib/my_sql"));
  EXPECT_EQ(std::count(all.begin(), all.end(), "/var/lib/my_sql"), 1);
  image_.volumes = {"/"};
  EXPECT_THROW(generate(), base::Error);
}

TEST_F(GenerateConfig, MountsWritableDirectories) {
  root_.directory("var/cache/nginx");
  root_.link("var/run", "/run");
  image_.volumes = {"/tmp"};
  const Json document = generate();
  EXPECT_EQ(mount_at(document, "/tmp")["type"], "bind");
  EXPECT_THAT(mount_at(document, "/run")["options"], Contains("tmpcopyup"));
  EXPECT_THAT(mount_at(document, "/var/cache")["options"], Contains("tmpcopyup"));
  EXPECT_THAT(destinations(document), Not(Contains("/var/run")));
  EXPECT_THAT(destinations(document), Not(Contains("/var/tmp")));
}

TEST_F(GenerateConfig, BindsExistingFilesOfTheHost) {
  EXPECT_EQ(mount_at(generate(), "/etc/hosts")["options"], Json::array({"bind", "ro", "nosuid", "nodev", "noexec"}));
  HostFeatures features;
  features.resolv_conf = false;
  features.hosts = false;
  EXPECT_THAT(destinations(generate(features)), Not(Contains("/etc/resolv.conf")));
  EXPECT_THAT(destinations(generate(features)), Not(Contains("/etc/hosts")));
}

TEST_F(GenerateConfig, HasNoPrivilegesButTheNetworkOfTheHost) {
  HostFeatures features;
  features.resolv_conf = false;
  features.hosts = false;
  EXPECT_THAT(test::messages(config_privileges(generate(features), "")), ElementsAre("shares the host's network"));
}

TEST_F(GenerateConfig, NameResolutionIsCopiedAtEachStart) {
  HostFeatures features;
  features.resolv_conf = false;
  features.resolver_directory = "/run/container-web1";
  const Json document = generate(features);
  EXPECT_EQ(mount_at(document, "/etc/resolv.conf")["source"], "/run/container-web1/resolv.conf");
  EXPECT_EQ(mount_at(document, "/etc/hosts")["source"], "/run/container-web1/hosts");
  EXPECT_THAT(with_resolver_copies("[Service]\nType=simple\n[Install]\n", "/run/container-web1"),
              HasSubstr("Type=simple\nRuntimeDirectory=container-web1\n"
                        "ExecStartPre=-touch /run/container-web1/resolv.conf /run/container-web1/hosts\n"
                        "ExecStartPre=-cp /etc/resolv.conf /etc/hosts /run/container-web1\n[Install]"));
}

}  // namespace
}  // namespace berth::render
