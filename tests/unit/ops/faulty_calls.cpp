// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/faulty_calls.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <vector>

#include "base/fd.hpp"

namespace berth::test {

namespace {

constexpr std::size_t error_limit = 4096;
constexpr unsigned tmpfile_bit = 020000000;  // O_TMPFILE without O_DIRECTORY

std::vector<long> counted_calls(Calls which) {
  if (which == Calls::resolving) {
    return {SYS_openat2};
  }
  std::vector<long> calls = {SYS_mkdirat,   SYS_symlinkat,       SYS_linkat,   SYS_write,    SYS_pwrite64,
                             SYS_fsetxattr, SYS_copy_file_range, SYS_sendfile, SYS_fallocate};
  if (which == Calls::changing) {
    calls.insert(calls.end(), {SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_fchmod, SYS_fchown, SYS_fchownat,
                               SYS_fsync, SYS_syncfs, SYS_ftruncate});
  }
  return calls;
}

/// seccomp(2): the counted calls are passed to the supervisor; openat(2) only when it creates a file.
std::vector<sock_filter> filter_of(Calls which) {
  std::vector<sock_filter> filter = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  if (which != Calls::resolving) {
    filter.insert(filter.end(),
                  {
                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
                      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 2 * sizeof(__u64)),
                      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | tmpfile_bit, 0, 1),
                      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                  });
  }
  for (const long call : counted_calls(which)) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

/// Sends a descriptor to another process (unix(7), SCM_RIGHTS).
union RightsBuffer {
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
  cmsghdr header;
};

void send_descriptor(int socket, int fd) {
  char byte = 0;
  iovec part{&byte, 1};
  RightsBuffer buffer{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = buffer.bytes.data();
  message.msg_controllen = buffer.bytes.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  ::sendmsg(socket, &message, 0);
}

base::Fd receive_descriptor(int socket) {
  char byte = 0;
  iovec part{&byte, 1};
  RightsBuffer buffer{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = buffer.bytes.data();
  message.msg_controllen = buffer.bytes.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0 || CMSG_FIRSTHDR(&message) == nullptr) {
    throw std::runtime_error("the kernel does not let system calls be watched (seccomp_unotify(2))");
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return base::Fd(fd);
}

/// Runs in the child process. Does not return.
[[noreturn]] void work_watched(Calls which, int socket, const std::function<void()>& work) {
  auto filter = filter_of(which);
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener >= 0) {
    send_descriptor(socket, static_cast<int>(listener));
    ::close(static_cast<int>(listener));
  }
  if (listener < 0) {
    ::_exit(2);
  }
  try {
    work();
    ::_exit(0);
  } catch (const std::exception& error) {
    ::send(socket, error.what(), std::strlen(error.what()), 0);  // write(2) may be a call that fails
    ::_exit(1);
  }
}

/// Answers calls until the process exits. Calls of its threads and children are allowed.
void answer_calls(int listener, pid_t child, const Faults& faults, FaultyRun& run) {
  pollfd waiting{listener, POLLIN, 0};
  while (::poll(&waiting, 1, -1) > 0 && (waiting.revents & POLLIN) != 0) {
    seccomp_notif asked{};
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) {
      continue;  // the process was killed in the meantime
    }
    seccomp_notif_resp answer{};
    answer.id = asked.id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    const bool counts = static_cast<pid_t>(asked.pid) == child;
    run.calls += counts ? 1 : 0;
    if (counts && faults.from > 0 && run.calls >= faults.from && run.calls - faults.from < faults.count) {
      if (faults.error == 0) {
        ::kill(child, SIGKILL);
        continue;
      }
      answer.flags = 0;
      answer.error = -faults.error;
    }
    ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

}  // namespace

FaultyRun run_with_faults(const Faults& faults, const std::function<void()>& work) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    throw std::runtime_error("no socket");
  }
  base::Fd ours(sockets[0]);
  base::Fd theirs(sockets[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    work_watched(faults.which, theirs.get(), work);
  }
  theirs.reset();
  FaultyRun run;
  answer_calls(receive_descriptor(ours.get()).get(), child, faults, run);
  int status = 0;
  ::waitpid(child, &status, 0);
  run.killed = WIFSIGNALED(status);
  run.failed = !run.killed && WEXITSTATUS(status) != 0;
  run.error.resize(error_limit);
  const ssize_t size = ::recv(ours.get(), run.error.data(), run.error.size(), 0);
  run.error.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return run;
}

}  // namespace berth::test
