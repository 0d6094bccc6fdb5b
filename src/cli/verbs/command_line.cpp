#include "cli/verbs/command_line.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

namespace {

/// What an option excludes or needs, its description says where it helps.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    auto text = CLI::Formatter::make_option_opts(option);
    for (const char* label : {" Needs:", " Excludes:"}) {
      text.resize(std::min(text.find(label), text.size()));
    }
    return text;
  }
};

struct Verb {
  std::string_view name;
  void (*add)(CLI::App& app, CommandLine& line);
};

/// In the order in which `berth --help` has them.
constexpr std::array<Verb, 23> verbs{{{"pull", add_pull},
                                      {"install", add_install},
                                      {"update", add_update},
                                      {"rollback", add_rollback},
                                      {"uninstall", add_uninstall},
                                      {"start", add_start},
                                      {"stop", add_stop},
                                      {"restart", add_restart},
                                      {"run", add_run},
                                      {"exec", add_exec},
                                      {"logs", add_logs},
                                      {"containers", add_containers},
                                      {"images", add_images},
                                      {"inspect", add_inspect},
                                      {"recover", add_recover},
                                      {"df", add_df},
                                      {"mount", add_mount},
                                      {"umount", add_umount},
                                      {"init", add_init},
                                      {"lint", add_lint},
                                      {"render", add_render},
                                      {"adopt", add_adopt},
                                      {"atomic", add_atomic}}};

}  // namespace

std::string full_name(const CLI::App* app) {
  const auto* parent = app->get_parent();
  return parent == nullptr || parent->get_parent() == nullptr ? app->get_name()
                                                              : full_name(parent) + " " + app->get_name();
}

CLI::App* add_verb(CLI::App& parent, CommandLine& line, const std::string& name, const std::string& description,
                   bool needs_root, std::function<int(ops::Context&)> action) {
  auto* verb = parent.add_subcommand(name, description);
  verb->fallthrough();
  verb->callback([&line, verb, needs_root, action = std::move(action)] {
    line.verb = full_name(verb);
    line.needs_root = needs_root;
    line.action = action;
  });
  return verb;
}

void add_authfile(CLI::App& verb, std::string& file) {
  verb.add_option("--authfile", file, "Credentials in the format of containers-auth.json(5)")->type_name("FILE");
}

void add_platform(CLI::App& verb, std::string& platform) {
  verb.add_option("--platform", platform, "Choose from an index, e.g. linux/arm64")->type_name("OS/ARCH[/VARIANT]");
}

int for_each_name(const CommandLine& line, const std::vector<std::string>& names,
                  const std::function<void(const std::string&)>& work) {
  int worst = exit_ok;
  for (const auto& name : names) {
    try {
      work(name);
    } catch (const base::Error& error) {
      if (error.kind() == base::ErrorKind::interrupted) {
        throw;
      }
      line.complain(error);
      worst = std::max(worst, exit_code(error.kind()));
    }
  }
  return worst;
}

void build(CLI::App& app, CommandLine& line, std::string_view verb) {
  app.name("berth");
  app.description(
      "Install system containers: services that run from images under systemd, without a container engine.");
  app.set_version_flag("--version", "berth " BERTH_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.require_subcommand(0, 1);
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  app.add_option("--root", line.globals.root, "Work on the system installed in this directory")->type_name("DIR");
  app.add_option("--config", line.globals.config, "Read this file instead of /etc/berth/berth.conf")->type_name("FILE");
  app.add_flag("--no-color", line.globals.no_color, "Never use colours");
  app.add_option("--progress", line.globals.progress, "How to show progress: auto, tty, plain, json or none")
      ->type_name("HOW");
  app.add_flag("-q,--quiet", line.globals.quiet, "Say nothing but warnings and errors");
  auto* system =
      app.add_flag("--system", line.globals.system, "Work on the system's containers (as root, the default)");
  app.add_flag("--user", line.globals.user, "Work on your own containers (unless root, the default)")->excludes(system);
  app.footer(
      "Every verb accepts these options. Manual pages: berth(8), berth-VERB(8), berth.conf(5), berth-exports(5).");
  const bool known = std::any_of(verbs.begin(), verbs.end(), [verb](const Verb& each) { return each.name == verb; });
  for (const auto& each : verbs) {
    if (!known || each.name == verb) {
      each.add(app, line);
    }
  }
}

std::string_view leading_verb(int argc, const char* const* argv) {
  constexpr std::array<std::string_view, 5> flags{"-q", "--quiet", "--no-color", "--user", "--system"};
  constexpr std::array<std::string_view, 3> options{"--root", "--config", "--progress"};
  const auto among = [](const auto& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (among(options, word)) {
      ++i;  // behind it is its value
    } else if (!among(flags, word)) {
      return word.starts_with('-') ? std::string_view() : word;
    }
  }
  return {};
}

}  // namespace berth::cli
