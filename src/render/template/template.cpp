// SPDX-License-Identifier: LGPL-2.1-or-later
#include "render/template/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/shown_text.hpp"
#include "render/template/template_json.hpp"
#include "render/unit/plain_text.hpp"

namespace berth::render {
namespace {

/// Bounds a message whose length an image controls.
constexpr std::size_t problem_limit = 100;

/// Counts lines while moving forward through a template.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : text_(text) {}
  std::size_t line_at(std::size_t offset) {
    const auto passed = text_.substr(at_, offset - at_);
    line_ += static_cast<std::size_t>(std::count(passed.begin(), passed.end(), '\n'));
    at_ = offset;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

/// Why a value cannot go into a text; empty when it can.
std::string value_problem(TemplateKind kind, std::string_view value) {
  if (kind == TemplateKind::unit && value.find_first_of(std::string_view("\n\r")) != std::string_view::npos) {
    return "holds a line break, which would add lines to the file";
  }
  if (value.find('\0') != std::string_view::npos) {
    return "holds a NUL byte";
  }
  if (const auto at = base::find_control(value); at != std::string_view::npos) {
    return fmt::format("holds {}", base::control_name(value, at));
  }
  return {};
}

/// The number of backslashes at the end of a text.
std::size_t ending_backslashes(std::string_view text) {
  return text.size() - (text.find_last_not_of('\\') + 1);  // npos + 1 is 0
}

/// Follows a template line by line, to find lines that end in another number of backslashes than their author wrote: an
/// odd number continues a line of a unit.
class LineEnds {
 public:
  explicit LineEnds(const Values& values) : values_(values) {}

  /// @param text the part of a text piece that belongs to the line, without its line break
  /// @param ends whether the line ends here
  /// @return the variable whose value changes whether the line is continued; nullptr without one
  const Piece* add(const Piece& piece, std::string_view text, bool ends) {
    const auto content = piece.kind == PieceKind::text ? text : content_of(piece, values_);
    const auto ending = ending_backslashes(content);
    backslashes_ = ending == content.size() ? backslashes_ + ending : ending;
    if (piece.kind == PieceKind::variable) {
      variable_ = &piece;
      own_ = 0;
    } else {
      own_ = ending == content.size() ? own_ + ending : ending;
    }
    const bool after_variable = piece.kind == PieceKind::variable || (text.empty() && last_is_variable_);
    last_is_variable_ = piece.kind == PieceKind::variable;
    const bool changed = after_variable ? backslashes_ > 0 : backslashes_ % 2 != own_ % 2;
    const auto* culprit = ends && variable_ != nullptr && changed ? variable_ : nullptr;
    if (ends) {
      *this = LineEnds(values_.get());
    }
    return culprit;
  }

 private:
  std::reference_wrapper<const Values> values_;
  const Piece* variable_ = nullptr;  ///< the last one of the line
  bool last_is_variable_ = false;
  std::size_t backslashes_ = 0;  ///< at the end of the line so far
  std::size_t own_ = 0;          ///< of them, those that the author wrote after the last variable
};

}  // namespace

std::string TemplateProblem::text() const {
  return line == 0 ? fmt::format("{}: {}", file, message) : fmt::format("{}:{}: {}", file, line, message);
}

Renderer::Renderer(const Values& values) : values_(&values) {}

void Renderer::add_problem(TemplateProblem problem) {
  if (problems_.size() < problem_limit) {
    problems_.push_back(std::move(problem));
  } else {
    ++unlisted_;
  }
}

void Renderer::inspect(TemplateKind kind, std::string_view text, const std::vector<Piece>& pieces,
                       std::string_view file) {
  LineCounter lines(text);
  for (const auto& piece : pieces) {
    const std::size_t line = lines.line_at(piece.offset);
    if (piece.kind == PieceKind::lone_dollar) {
      add_problem({std::string(file), line, "a lone `$`; write `$$`", {}});
    }
    if (piece.kind == PieceKind::text) {
      inspect_text(piece, line, file);
    }
    if (piece.kind != PieceKind::variable) {
      continue;
    }
    const auto value = values_->find(piece.text);
    if (value == values_->end()) {
      add_problem({std::string(file), line, fmt::format("no value for ${}", piece.text), std::string(piece.text)});
      if (missing_.size() < problem_limit &&
          std::find(missing_.begin(), missing_.end(), piece.text) == missing_.end()) {
        missing_.emplace_back(piece.text);
      }
    } else if (const auto problem = value_problem(kind, value->second); !problem.empty()) {
      add_problem({std::string(file), line, fmt::format("the value of ${} {}", piece.text, problem), {}});
    }
  }
  if (kind == TemplateKind::unit) {
    inspect_line_ends(text, pieces, file);
  }
}

/// Also covers files of hostfs, which are read as text only when manifest.json lists them as templates.
void Renderer::inspect_text(const Piece& piece, std::size_t line, std::string_view file) {
  if (const auto at = base::find_control(piece.text); at != std::string_view::npos) {
    const auto before = piece.text.substr(0, at);
    add_problem({std::string(file),
                 line + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')),
                 fmt::format("contains {}", base::control_name(piece.text, at)),
                 {}});
  }
}

void Renderer::inspect_line_ends(std::string_view text, const std::vector<Piece>& pieces, std::string_view file) {
  LineCounter lines(text);
  LineEnds ends(*values_);
  const auto check = [&](const Piece& piece, std::string_view part, bool ended) {
    if (const auto* variable = ends.add(piece, part, ended)) {
      add_problem({std::string(file),
                   lines.line_at(variable->offset),
                   fmt::format("the value of ${} makes a line end in a backslash, which would join it with the next "
                               "line",
                               variable->text),
                   {}});
    }
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool last = i + 1 == pieces.size();
    auto rest = pieces[i].kind == PieceKind::text ? pieces[i].text : std::string_view();
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      check(pieces[i], rest.substr(0, end), true);
      rest.remove_prefix(end + 1);
    }
    check(pieces[i], rest, last);
  }
}

std::string Renderer::render(TemplateKind kind, std::string_view text, std::string file) {
  const std::vector<Piece> pieces = split_template(text);
  const std::size_t before = problems_.size() + unlisted_;
  inspect(kind, text, pieces, file);
  if (substituted_size(pieces, *values_) > rendered_size_limit) {
    add_problem({std::move(file),
                 0,
                 fmt::format("the rendered text would be larger than {} MiB", rendered_size_limit >> 20U),
                 {}});
    return {};
  }
  std::string result = substitute(pieces, *values_);
  if (const auto at = find_byte_order_mark(result); kind == TemplateKind::unit && at != std::string::npos) {
    add_problem({file, position_of(result, at).line, "the line begins with a byte order mark", {}});
  }
  if (kind == TemplateKind::json && problems_.size() + unlisted_ == before) {
    if (auto problem = json_problem(text, pieces, *values_, result)) {
      add_problem({std::move(file), problem->line, std::move(problem->message), {}});
    }
  }
  return result;
}

void Renderer::check() const {
  if (problems_.empty()) {
    return;
  }
  std::string message;
  for (const auto& problem : problems_) {
    message.append(message.empty() ? "" : "\n").append(problem.text());
  }
  if (unlisted_ > 0) {
    message += fmt::format("\nand {} more", unlisted_);
  }
  std::string hint;
  for (const auto& name : missing_) {
    hint += fmt::format("{}--set {}=…", hint.empty() ? "set the missing values: " : " ", name);
  }
  if (!missing_.empty()) {
    throw UnsetVariables(missing_, std::move(message), std::move(hint));
  }
  throw base::Error(base::ErrorKind::failed, std::move(message), std::move(hint));
}

std::vector<std::string> variables_in(std::string_view text) {
  std::vector<std::string> names;
  std::set<std::string_view> seen;
  for (const auto& piece : split_template(text)) {
    if (piece.kind == PieceKind::variable && seen.insert(piece.text).second) {
      names.emplace_back(piece.text);
    }
  }
  return names;
}

bool unit_wants_detached(std::string_view service_template) {
  const auto names = variables_in(service_template);
  const auto uses = [&](std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return uses("EXEC_STOPPOST") && uses("PIDFILE");
}

}  // namespace berth::render
