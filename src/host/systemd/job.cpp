// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/job.hpp"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace berth::host {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::microseconds slice = std::chrono::milliseconds(200);  // delay until a stop request is noticed

}  // namespace

JobWatch::JobWatch(const Bus& bus, std::stop_token stop)
    : stop_(std::move(stop)), stopped_before_(stop_.stop_requested()), bus_(bus) {
  sd_bus_slot* raw = nullptr;
  // Without a daemon messages have no sender, and a match on one would never apply.
  check_bus(sd_bus_match_signal(bus.get(), &raw, bus.has_daemon() ? systemd_name : nullptr, systemd_path,
                                systemd_interface, "JobRemoved", &JobWatch::on_removed, this),
            "watch the jobs of systemd");
  slot_.reset(raw);
}

/// uoss: id, path, unit, result.
int JobWatch::on_removed(sd_bus_message* message, void* watch, sd_bus_error* /*error*/) {
  const char* path = nullptr;
  const char* result = nullptr;
  if (sd_bus_message_read(message, "uoss", nullptr, &path, nullptr, &result) < 0) {
    return 0;  // not the expected signal; the wait continues
  }
  try {
    static_cast<JobWatch*>(watch)->results_.insert_or_assign(path, result);
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
  return 0;
}

void JobWatch::process_pending() {
  int result = 0;
  do {
    result = sd_bus_process(bus_.get(), nullptr);
    if (result < 0) {
      throw LostConnection(
          fmt::format("lost the connection to systemd while waiting for a job: {}", std::strerror(-result)));
    }
  } while (result > 0);
}

std::optional<std::string> JobWatch::wait_for(const std::string& job, std::chrono::seconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  while (true) {
    process_pending();
    if (const auto found = results_.find(job); found != results_.end()) {
      return found->second;
    }
    if (!stopped_before_ && stop_.stop_requested()) {
      base::throw_interrupted();
    }
    if (timeout.count() > 0 && steady_clock::now() >= deadline) {
      return std::nullopt;
    }
    const int result = sd_bus_wait(bus_.get(), static_cast<std::uint64_t>(slice.count()));
    if (result < 0 && result != -EINTR) {
      check_bus(result, "wait for systemd");
    }
  }
}

}  // namespace berth::host
