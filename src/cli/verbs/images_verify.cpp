// berth images verify, repair.
#include "ops/images/verify.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "cli/terminal/exit_code.hpp"
#include "cli/terminal/output.hpp"
#include "cli/terminal/table.hpp"
#include "cli/verbs/command_line.hpp"
#include "ops/images/repair.hpp"

namespace berth::cli {

namespace {

std::string remote_word(const ops::VerifiedImage& image) {
  switch (image.remote) {
    case ops::RemoteState::latest:
      return "latest";
    case ops::RemoteState::newer:
      return "newer";
    case ops::RemoteState::unknown:
      return "unknown";
    case ops::RemoteState::none:
      return "none";
    case ops::RemoteState::not_asked:
      break;
  }
  return "not asked";
}

base::Json to_json(const ops::VerifiedImage& image) {
  auto damaged = base::Json::array();
  for (const auto& file : image.damaged) {
    damaged.push_back({{"object", file.object},
                       {"kind", file.kind},
                       {"missing", file.missing},
                       {"paths", file.paths},
                       {"containers", file.containers}});
  }
  auto deployments = base::Json::array();
  for (const auto& deployment : image.deployments) {
    deployments.push_back({{"container", deployment.container},
                           {"directory", deployment.path},
                           {"live", deployment.live},
                           {"changed", deployment.changed},
                           {"missing", deployment.missing}});
    if (!deployment.reason.empty()) {
      deployments.back()["reason"] = deployment.reason;
    }
  }
  return {{"image", image.name},
          {"imageId", image.id},
          {"objects", image.objects},
          {"damaged", std::move(damaged)},
          {"deployments", std::move(deployments)},
          {"registry", remote_word(image)},
          {"registryImageId", image.remote_id.empty() ? base::Json(nullptr) : base::Json(image.remote_id)},
          {"registryReason", image.remote_reason.empty() ? base::Json(nullptr) : base::Json(image.remote_reason)}};
}

void print_files(const ops::DamagedDeployment& deployment, const std::vector<std::string>& files, const char* state) {
  if (!files.empty()) {
    const auto text =
        fmt::format("{}: {} is {} in {}", deployment.container, fmt::join(files, ", "), state, deployment.path);
    emit("{}\n", base::shown_line(text));
  }
}

void print_damage(const ops::VerifiedImage& image) {
  for (const auto& file : image.damaged) {
    const auto users =
        file.containers.empty() ? std::string() : fmt::format(", used by {}", fmt::join(file.containers, ", "));
    const auto what = fmt::format("{}{}", file.kind == "file" ? "" : file.kind + " of ", fmt::join(file.paths, ", "));
    const auto text = fmt::format("{}: {} is {}{}", image.name, file.kind == "commit" ? "its commit" : what,
                                  file.missing ? "missing" : "damaged", users);
    emit("{}\n", base::shown_line(text));
  }
  for (const auto& deployment : image.deployments) {
    print_files(deployment, deployment.changed, "damaged");
    print_files(deployment, deployment.missing, "missing");
    if (!deployment.reason.empty()) {
      emit("{}\n", base::shown_line(fmt::format("{}: {} is not known: {}", deployment.container, deployment.path,
                                                deployment.reason)));
    }
  }
}

/// Objects, and files of deployments that are none.
std::size_t damage_of(const ops::VerifiedImage& image) {
  auto count = image.damaged.size();
  for (const auto& deployment : image.deployments) {
    count += deployment.changed.size() + deployment.missing.size() + (deployment.reason.empty() ? 0 : 1);
  }
  return count;
}

std::string remedy_for(const ops::VerifiedImage& image) {
  if (image.damaged.empty() && !image.deployments.empty() && !image.deployments.front().reason.empty()) {
    const auto& deployment = image.deployments.front();
    if (!deployment.live) {
      return fmt::format("the next update of {} replaces it", image.name);
    }
    return deployment.unreadable ? fmt::format("uninstall and install {} again", image.name)
                                 : fmt::format(
                                       "make a new deployment with berth update {0}, or uninstall and install "
                                       "{0} again",
                                       image.name);
  }
  if (image.name.starts_with("layer ")) {
    return "berth images repair of an image that has it makes it good again; berth images delete forgets it";
  }
  return fmt::format("make it good again with: berth images repair {}", image.name);
}

void print_text(const std::vector<ops::VerifiedImage>& images) {
  std::vector<std::vector<std::string>> rows;
  rows.reserve(images.size());
  for (const auto& image : images) {
    rows.push_back({image.name, image.id.substr(0, id_digits), fmt::format("{}", image.objects),
                    damage_of(image) == 0 ? "ok" : fmt::format("{} damaged", damage_of(image)), remote_word(image)});
  }
  print_table({{"IMAGE", 64}, {"IMAGE ID"}, {"OBJECTS"}, {"STATE"}, {"REGISTRY"}}, rows, true, true);
  for (const auto& image : images) {
    print_damage(image);
  }
}

int run_verify(const CommandLine& line, ops::Context& context) {
  const auto images = ops::verify_images(context, {line.names, !line.no_remote, line.pull.authfile});
  if (line.json) {
    auto list = base::Json::array();
    for (const auto& image : images) {
      list.push_back(to_json(image));
    }
    emit_json(base::Json{{"images", std::move(list)}});
  } else {
    print_text(images);
  }
  for (const auto& image : images) {
    if (image.remote == ops::RemoteState::unknown) {
      context.reporter.warning(fmt::format("{}: the registry did not tell: {}", image.name, image.remote_reason));
    }
  }
  const auto damaged =
      std::find_if(images.begin(), images.end(), [](const auto& image) { return damage_of(image) != 0; });
  if (damaged != images.end()) {
    std::fflush(stdout);
    throw base::Error(base::ErrorKind::verification,
                      fmt::format("{} is damaged in {}", damaged->name,
                                  damaged->damaged.empty() ? damaged->deployments.front().path : "the store"),
                      remedy_for(*damaged));
  }
  return exit_ok;
}

int run_repair(const CommandLine& line, ops::Context& context) {
  const auto outcome = ops::repair_image(context, line.image, line.pull.authfile);
  if (line.json) {
    auto mended = base::Json::array();
    for (const auto& container : outcome.mended) {
      mended.push_back({{"container", container.container}, {"directory", container.path}, {"files", container.files}});
    }
    const base::Json json = {{"image", outcome.name},
                             {"damaged", outcome.damaged},
                             {"layersFetched", outcome.layers},
                             {"mended", std::move(mended)}};
    emit_json(json);
    return exit_ok;
  }
  emit("{}: {} damaged objects replaced, {} layers fetched\n", outcome.name, outcome.damaged, outcome.layers);
  for (const auto& container : outcome.mended) {
    const auto text = fmt::format("{}: {} replaced", container.container.empty() ? container.path : container.container,
                                  fmt::join(container.files, ", "));
    emit("{}\n", base::shown_line(text));
    if (container.live) {
      context.reporter.step(
          fmt::format("restart {0} if it runs: berth stop {0}; berth start {0}", container.container));
    }
  }
  return exit_ok;
}

}  // namespace

void add_images_repair(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "repair", "Fetch what is damaged again, and mend the containers that share it",
                        true, [&line](ops::Context& context) { return run_repair(line, context); });
  verb->add_option("IMAGE|NAME", line.image, "An image, a container, or SOURCE:IMAGE to fetch from")->required();
  add_authfile(*verb, line.pull.authfile);
  verb->add_flag("--json", line.json, "Print the result as JSON");
}

void add_images_verify(CLI::App& group, CommandLine& line) {
  auto* verb = add_verb(group, line, "verify", "Compare what is stored with its checksums and with the registries",
                        true, [&line](ops::Context& context) { return run_verify(line, context); });
  verb->add_option("IMAGE|NAME", line.names, "Images, or containers; everything without any");
  verb->add_flag("--no-remote", line.no_remote, "Do not ask the registries for something newer");
  add_authfile(*verb, line.pull.authfile);
  verb->add_flag("--json", line.json, "Print JSON");
}

}  // namespace berth::cli
