// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/exec.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/systemd/systemd_journal.hpp"
#include "ops/rootless.hpp"
#include "ops/runtime/start_failure.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// An anonymous file that the runtime can read while this process runs.
class PassedFile {
 public:
  explicit PassedFile(const std::string& text)
      : file_(base::check_errno(::memfd_create("process.json", MFD_CLOEXEC), "create a file in memory")) {
    base::write_all(file_.get(), text, "a file in memory");
  }
  [[nodiscard]] std::string path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), file_.get()); }

 private:
  base::Fd file_;
};

}  // namespace

host::Deployment runnable_deployment(const Context& context, const std::string& name) {
  auto deployment = host::installed_deployment(context.layout, name);
  if (context.layout.offline()) {
    throw Error(ErrorKind::not_permitted,
                fmt::format("nothing can run in {}: the system in {} is not running", name, context.layout.root()),
                "boot it, or leave out --root");
  }
  return deployment;
}

CommandOutcome exec_in(const Context& context, const host::Deployment& deployment, const std::string& runtime,
                       const ExecRequest& request) {
  const auto config = config_of(context, deployment);
  base::Json process = config.at("process");
  set_command(process, request.command, request.attachment);
  const PassedFile file(process.dump());
  std::vector<std::string> arguments = {"exec", "--process", file.path()};
  Attachment attachment = request.attachment;
  base::Fd nothing;
  base::Fd journal;
  if (request.detach) {
    arguments.emplace_back("--detach");
    nothing = base::open_at(AT_FDCWD, "/dev/null", O_RDWR);
    journal = host::open_log_stream(deployment.name);
    const int output = journal ? journal.get() : nothing.get();
    attachment.standard = {nothing.get(), output, output};
  }
  arguments.push_back(deployment.name);
  enter_user_cgroup(context);
  return run_runtime(runtime, arguments, attachment,
                     fmt::format("run {} in {}", request.command.front(), deployment.name),
                     [&] { return start_failure_code(deployment.path, config, process); });
}

CommandOutcome exec(Context& context, const ExecRequest& request) {
  const auto deployment = runnable_deployment(context, request.name);
  const auto runtime = runtime_of(context, deployment);
  if (!container_runs(context, runtime, request.name)) {
    throw Error(ErrorKind::failed, fmt::format("the container {} does not run", request.name),
                fmt::format("start it with berth start {}; or berth run {} runs a command beside it", request.name,
                            request.name));
  }
  return exec_in(context, deployment, runtime, request);
}

}  // namespace berth::ops
