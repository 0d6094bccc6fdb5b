// SPDX-License-Identifier: LGPL-2.1-or-later
// $NAME and ${NAME} substitution, with every missing variable reported at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "render/template/template_pieces.hpp"
#include "render/template/values.hpp"

namespace berth::render {

inline constexpr std::size_t rendered_size_limit = 4U << 20U;  ///< bytes, each rendered template

/// Thrown when templates use variables that have no value.
class UnsetVariables final : public base::Error {
 public:
  UnsetVariables(std::vector<std::string> names, std::string message, std::string hint)
      : base::Error(base::ErrorKind::failed, std::move(message), std::move(hint)), names_(std::move(names)) {}
  /// In order of appearance, without repetition.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;
};

/// The kind of text that a template makes, which decides what a value may contain.
enum class TemplateKind {
  json,   ///< the result must parse; a value that breaks it is named
  unit,   ///< systemd unit or tmpfiles.d lines: a value must not contain a newline, nor make a line end in a backslash
  plain,  ///< any text
};

/// A problem of a template, or of a value that it uses.
struct TemplateProblem {
  std::string file;
  std::size_t line = 0;  ///< from 1; 0: the whole file
  std::string message;
  std::string variable;  ///< the one without a value; empty for any other problem

  [[nodiscard]] std::string text() const;  ///< `FILE:LINE: MESSAGE`
};

/// Renders the templates of one image and collects the problems of all of them.
class Renderer {
 public:
  /// @param values must outlive the renderer
  explicit Renderer(const Values& values);

  /// Substitutes. Problems (missing variable, malformed `$`, newline in a unit value, broken JSON, a control character
  /// other than tab and newline) are kept for check(); the result is then only a placeholder. A result over
  /// rendered_size_limit is a problem, too.
  /// @param file name shown in errors, e.g. `exports/service.template`
  std::string render(TemplateKind kind, std::string_view text, std::string file);

  /// @throws Error(failed) with one line per problem: `FILE:LINE: no value for $NAME`, hint: the --set options to give;
  ///   UnsetVariables when values are missing
  void check() const;

  /// The first hundred problems.
  [[nodiscard]] const std::vector<TemplateProblem>& problems() const noexcept { return problems_; }

 private:
  void add_problem(TemplateProblem problem);
  void inspect(TemplateKind kind, std::string_view text, const std::vector<Piece>& pieces, std::string_view file);
  void inspect_text(const Piece& piece, std::size_t line, std::string_view file);
  void inspect_line_ends(std::string_view text, const std::vector<Piece>& pieces, std::string_view file);

  const Values* values_;
  std::vector<TemplateProblem> problems_;
  std::size_t unlisted_ = 0;          ///< problems beyond those listed
  std::vector<std::string> missing_;  ///< names, in order of appearance, without repetition
};

/// The variables a text uses, in order of appearance, without repetition.
std::vector<std::string> variables_in(std::string_view text);

/// True when a unit template uses both $EXEC_STOPPOST and $PIDFILE (docs/system-containers.md, "Template
/// variables").
bool unit_wants_detached(std::string_view service_template);

}  // namespace berth::render
