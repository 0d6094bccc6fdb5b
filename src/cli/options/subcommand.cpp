// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/options/subcommand.hpp"

#include <CLI/CLI.hpp>
#include <optional>
#include <vector>

namespace berth::cli {

AddedOption& AddedOption::required() {
  option_->required();
  return *this;
}

AddedOption& AddedOption::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

AddedOption& AddedOption::one_value() {
  option_->allow_extra_args(false);
  return *this;
}

AddedOption& AddedOption::optional() {
  option_->expected(0, 1);
  return *this;
}

AddedOption& AddedOption::between(double least, double most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

template <typename Value>
AddedOption Subcommand::add_option(const std::string& names, Value& value, const std::string& description) const {
  return AddedOption(*app_->add_option(names, value, description));
}

template AddedOption Subcommand::add_option(const std::string&, std::string&, const std::string&) const;
template AddedOption Subcommand::add_option(const std::string&, std::vector<std::string>&, const std::string&) const;

AddedOption Subcommand::add_option_function(const std::string& names, const std::function<void(double)>& use,
                                            const std::string& description) const {
  return AddedOption(*app_->add_option_function<double>(names, use, description));
}

void Subcommand::add_flag(const std::string& names, bool& value, const std::string& description) const {
  app_->add_flag(names, value, description);
}

void Subcommand::add_flag_callback(const std::string& names, const std::function<void()>& use,
                                   const std::string& description) const {
  app_->add_flag_callback(names, use, description);
}

void Subcommand::set_version_flag(const std::string& names, const std::string& text,
                                  const std::string& description) const {
  app_->set_version_flag(names, text, description);
}

void Subcommand::add_alias(const std::string& name) const {
  app_->alias(name);
}

Subcommand Subcommand::add_group(const std::string& name, const std::string& summary) const {
  auto* group = app_->add_subcommand(name, summary);
  group->fallthrough();
  group->require_subcommand(1);
  return Subcommand(*group);
}

void Subcommand::require_subcommand() const {
  app_->require_subcommand(1);
}

void Subcommand::when_parsed(const std::function<void()>& done) const {
  app_->parse_complete_callback(done);
}

}  // namespace berth::cli
