// SPDX-License-Identifier: LGPL-2.1-or-later
// Waiting for a systemd job.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "host/systemd/bus.hpp"
#include "host/systemd/job_failure.hpp"

namespace berth::host {

/// Collects the results of jobs (the JobRemoved signal) from its construction on. Construct it before queuing the job.
class JobWatch {
 public:
  /// @param bus must outlive the watch
  JobWatch(const Bus& bus, std::stop_token stop);
  JobWatch(const JobWatch&) = delete;
  JobWatch& operator=(const JobWatch&) = delete;

  /// Waits for the end of the job with that object path.
  /// @param timeout 0 for none
  /// @return the result as in JobRemoved; nullopt after `timeout`
  /// @throws Interrupted when a stop was requested after the construction, LostConnection
  std::optional<std::string> wait_for(const std::string& job, std::chrono::seconds timeout);

 private:
  static int on_removed(sd_bus_message* message, void* watch, sd_bus_error* error);
  void process_pending();

  std::stop_token stop_;
  bool stopped_before_;
  const Bus& bus_;
  std::map<std::string, std::string> results_;  ///< job path → result
  SlotPtr slot_;
};

}  // namespace berth::host
