// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <future>
#include <string_view>
#include <thread>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

extern char** environ;  // NOLINT: environ(7) is declared by nobody else

namespace berth::base {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t output_limit = 1U << 20U;
constexpr std::size_t error_output_limit = 64U << 10U;
constexpr std::chrono::milliseconds grace_after_stop{5'000};
constexpr std::size_t quoted_lines = 3;
constexpr const char* system_directories = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A descriptor above the three of the child, so that setting those up overwrites none of this process.
Fd above_standard(Fd fd, std::string_view what) {
  if (fd.get() > STDERR_FILENO) {
    return fd;
  }
  return Fd(check_errno(::fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1), what));
}

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  check_errno(::pipe2(ends.data(), O_CLOEXEC), "create a pipe");
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  Pipe pipe{above_standard(std::move(read_end), "create a pipe"),
            above_standard(std::move(write_end), "create a pipe")};
  // Only the end of this process: the child does not expect EAGAIN.
  check_errno(::fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK), "create a pipe");
  return pipe;
}

/// Standard input of the child. A file in memory needs no writer, and a child that does not read it causes no SIGPIPE.
Fd make_input(const std::string& input) {
  if (input.empty()) {
    return above_standard(open_at(AT_FDCWD, "/dev/null", O_RDONLY), "open /dev/null");
  }
  Fd file = above_standard(Fd(check_errno(::memfd_create("input", MFD_CLOEXEC), "create a file in memory")),
                           "create a file in memory");
  write_all(file.get(), input, "a file in memory");
  check_errno(static_cast<int>(::lseek(file.get(), 0, SEEK_SET)), "rewind a file in memory");
  return file;
}

bool is_program(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

/// The path of a program that is named without one; empty when it is not found. The directories of the system come
/// before those of PATH, whose relative and empty entries are skipped: they depend on the working directory.
std::string find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) {
    return name;
  }
  const char* path = std::getenv("PATH");
  std::string directories = system_directories;
  directories += path == nullptr ? "" : std::string(":") + path;
  for (std::size_t start = 0; start < directories.size();) {
    const std::size_t end = std::min(directories.find(':', start), directories.size());
    std::string program = directories.substr(start, end - start) + "/" + name;
    if (program.starts_with('/') && end != start && is_program(program)) {
      return program;
    }
    start = end + 1;
  }
  return {};  // not the bare name, which execve(2) would look up in the working directory
}

std::vector<char*> pointers_to(std::vector<std::string>&&) = delete;  // the pointers would dangle
std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& text : strings) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // NOLINT: posix_spawn(3) takes char* and writes nothing
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// posix_spawn(3) and its companions return the error instead of setting errno.
void check_spawn(int code, const std::string& program) {
  if (code == ENOENT) {
    throw Error(ErrorKind::not_found, fmt::format("cannot run {}: it does not exist", program), "install it");
  }
  if (code != 0) {
    throw_errno("run " + program, code);
  }
}

class SpawnActions {
 public:
  SpawnActions() { check_spawn(::posix_spawn_file_actions_init(&actions_), "a program"); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  void give(const Fd& fd, int as) { give(fd.get(), as); }
  void give(int fd, int as) { check_spawn(::posix_spawn_file_actions_adddup2(&actions_, fd, as), "a program"); }
  /// The child inherits no other descriptor, not even one that a library opened without O_CLOEXEC.
  void close_others() { check_spawn(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3), "a program"); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

/// Default signal mask and dispositions, and as a rule a process group of its own: Ctrl-C reaches berth only, which
/// decides when to end the child.
class SpawnAttributes {
 public:
  explicit SpawnAttributes(bool own_group = true) {
    check_spawn(::posix_spawnattr_init(&attributes_), "a program");
    sigset_t signals;
    sigemptyset(&signals);
    check_spawn(::posix_spawnattr_setsigmask(&attributes_, &signals), "a program");
    sigfillset(&signals);
    check_spawn(::posix_spawnattr_setsigdefault(&attributes_, &signals), "a program");
    check_spawn(::posix_spawnattr_setpgroup(&attributes_, 0), "a program");
    const int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (own_group ? POSIX_SPAWN_SETPGROUP : 0);
    check_spawn(::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags)), "a program");
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// A child that runs or waits to be reaped; leaving the scope kills it.
class Child {
 public:
  explicit Child(pid_t pid, bool own_group = true) : pid_(pid), own_group_(own_group) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      signal(SIGKILL);
      int status = 0;
      while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
      }
    }
  }

  [[nodiscard]] Fd open_pidfd() const {
    return Fd(check_errno(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)), "watch a process"));
  }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void signal(int number) const noexcept { ::kill(own_group_ ? -pid_ : pid_, number); }

  /// Waits for its end without reaping it.
  void wait() const {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0) {
      if (errno != EINTR) {
        throw_errno("wait for a process");
      }
    }
  }

  /// Waits for its end. @return as ProcessResult::exit_code
  int reap() {
    int status = 0;
    pid_t ended = -1;
    do {
      ended = ::waitpid(pid_, &status, 0);
    } while (ended < 0 && errno == EINTR);
    check_errno(ended, "wait for a process");
    pid_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
  bool own_group_;
};

/// Reads the available bytes. @return false at the end of the stream
bool drain(const Fd& pipe, const std::function<void(std::string_view)>& take) {
  std::array<char, 65536> buffer{};
  // Bounded, so that a child that writes without end cannot delay the timeout.
  for (int round = 0; round < 16; ++round) {
    const ssize_t count = ::read(pipe.get(), buffer.data(), buffer.size());
    if (count > 0) {
      take({buffer.data(), static_cast<std::size_t>(count)});
    } else if (count == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
  return true;
}

void keep_first(std::string& kept, std::string_view more) {
  kept.append(more.substr(0, output_limit - std::min(kept.size(), output_limit)));
}

/// The last lines of an error output are the most useful.
void keep_last(std::string& kept, std::string_view more) {
  kept.append(more);
  if (kept.size() > error_output_limit) {
    kept.erase(0, kept.size() - error_output_limit);
  }
}

/// One program from its start to its end.
class Run {
 public:
  Run(const std::vector<std::string>& argv, const ProcessOptions& options)
      : argv_(argv), options_(options), output_(make_pipe()), error_output_(make_pipe()), child_(spawn()) {}

  ProcessResult finish() {
    const Fd pidfd = child_.open_pidfd();
    const Fd stopped(check_errno(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create an eventfd"));
    const std::stop_callback wake(options_.stop, [&stopped]() noexcept { ::eventfd_write(stopped.get(), 1); });
    deadline_ = Clock::now() + options_.timeout;
    std::array<pollfd, 4> watched{{{pidfd.get(), POLLIN, 0},
                                   {output_.read_end.get(), POLLIN, 0},
                                   {error_output_.read_end.get(), POLLIN, 0},
                                   {stopped.get(), POLLIN, 0}}};
    while (watched[0].revents == 0) {
      wait_for_events(watched);
      read_pipes(watched);
      if (watched[3].revents != 0) {
        watched[3].fd = -1;  // one request is enough
        child_.signal(SIGTERM);
        deadline_ = Clock::now() + grace_after_stop;
        stopping_ = true;
      }
    }
    return conclude();
  }

 private:
  pid_t spawn() {
    const Fd input = make_input(options_.input);
    SpawnActions actions;
    actions.give(input, STDIN_FILENO);
    actions.give(output_.write_end, STDOUT_FILENO);
    actions.give(error_output_.write_end, STDERR_FILENO);
    actions.close_others();
    const SpawnAttributes attributes;
    const std::vector<char*> arguments = pointers_to(argv_);
    const std::vector<char*> variables =
        options_.environment ? pointers_to(*options_.environment) : std::vector<char*>{};
    pid_t pid = -1;
    check_spawn(::posix_spawn(&pid, find_program(argv_.front()).c_str(), actions.get(), attributes.get(),
                              arguments.data(), options_.environment ? variables.data() : environ),
                argv_.front());
    output_.write_end.reset();
    error_output_.write_end.reset();
    return pid;
  }

  void wait_for_events(std::array<pollfd, 4>& watched) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now());
    const int patience = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
    for (pollfd& entry : watched) {
      entry.revents = 0;
    }
    if (::poll(watched.data(), watched.size(), patience) < 0 && errno != EINTR) {
      throw_errno("wait for a process");
    }
    if (watched[0].revents == 0 && Clock::now() >= deadline_) {
      if (stopping_) {
        throw_interrupted();  // ~Child ends what ignored SIGTERM
      }
      throw Error(ErrorKind::failed, fmt::format("{} timed out after {} s and was killed", argv_.front(),
                                                 static_cast<double>(options_.timeout.count()) / 1000));
    }
  }

  void read_pipes(std::array<pollfd, 4>& watched) {
    if (watched[1].revents != 0 &&
        !drain(output_.read_end, [this](std::string_view more) { keep_first(result_.output, more); })) {
      watched[1].fd = -1;
    }
    if (watched[2].revents != 0 &&
        !drain(error_output_.read_end, [this](std::string_view more) { keep_last(result_.error_output, more); })) {
      watched[2].fd = -1;
    }
  }

  /// The child has ended and its output is in the pipes. Their end may never come: a detached container that the child
  /// started may hold them open.
  ProcessResult conclude() {
    result_.exit_code = child_.reap();
    drain(output_.read_end, [this](std::string_view more) { keep_first(result_.output, more); });
    drain(error_output_.read_end, [this](std::string_view more) { keep_last(result_.error_output, more); });
    if (stopping_) {
      throw_interrupted();
    }
    return std::move(result_);
  }

  const std::vector<std::string>& argv_;
  const ProcessOptions& options_;
  Pipe output_;
  Pipe error_output_;
  Child child_;
  ProcessResult result_;
  Clock::time_point deadline_;
  bool stopping_ = false;
};

pid_t spawn_attached(const std::vector<std::string>& argv, const AttachedOptions& options) {
  SpawnActions actions;
  for (int number = 0; number < 3; ++number) {
    actions.give(options.standard.at(static_cast<std::size_t>(number)), number);
  }
  actions.close_others();
  const SpawnAttributes attributes(false);
  const std::vector<char*> arguments = pointers_to(argv);
  pid_t pid = -1;
  check_spawn(::posix_spawnp(&pid, arguments[0], actions.get(), attributes.get(), arguments.data(), environ),
              argv.front());
  return pid;
}

/// Spawns from a thread that `before_start` has prepared.
pid_t spawn_prepared(const std::vector<std::string>& argv, const AttachedOptions& options) {
  std::promise<pid_t> promise;
  std::jthread([&] {
    try {
      options.before_start();
      promise.set_value(spawn_attached(argv, options));
    } catch (...) {
      promise.set_exception(std::current_exception());
    }
  }).join();
  return promise.get_future().get();
}

/// The last lines that are not empty, made printable and joined to one line.
std::string last_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < quoted_lines) {
    const std::size_t start = text.rfind('\n') == std::string_view::npos ? 0 : text.rfind('\n') + 1;
    if (start < text.size()) {
      lines.push_back(printable(text.substr(start), 500));
    }
    text = text.substr(0, start == 0 ? 0 : start - 1);
  }
  std::reverse(lines.begin(), lines.end());
  return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& argv, const ProcessOptions& options) {
  if (argv.empty() || argv.front().empty()) {
    throw Error(ErrorKind::failed, "cannot run a program without a name");
  }
  if (options.stop.stop_requested()) {
    throw_interrupted();
  }
  return Run(argv, options).finish();
}

ProcessResult run_checked(const std::vector<std::string>& argv, const ProcessOptions& options) {
  ProcessResult result = run_process(argv, options);
  if (result.exit_code != 0) {
    const std::string reason = last_lines(result.error_output);
    throw Error(ErrorKind::failed, fmt::format("{} exited with status {}{}{}", argv.front(), result.exit_code,
                                               reason.empty() ? "" : ": ", reason));
  }
  return result;
}

int run_attached(const std::vector<std::string>& argv, const AttachedOptions& options) {
  Child child(options.before_start ? spawn_prepared(argv, options) : spawn_attached(argv, options), false);
  if (options.running) {
    options.running(child.pid());
  }
  child.wait();
  if (options.running) {
    options.running(0);
  }
  return child.reap();
}

}  // namespace berth::base
