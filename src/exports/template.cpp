#include "exports/template.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "exports/template_json.hpp"

namespace berth::exports {
namespace {

/// More would be a wall of text, and an image could make it as long as it likes.
constexpr std::size_t problem_limit = 100;

/// Counts lines while going forward through a template.
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

/// Why a value cannot go into a line of a unit; empty when it can.
/// @param ends_line whether the line ends right behind the value
std::string_view unit_value_problem(std::string_view value, bool ends_line) {
  if (value.find_first_of(std::string_view("\n\r")) != std::string_view::npos) {
    return "holds a line break, which would add lines to the file";
  }
  if (value.find('\0') != std::string_view::npos) {
    return "holds a NUL byte";
  }
  if (ends_line && value.ends_with('\\')) {
    return "ends with a backslash, which would swallow the next line";
  }
  return {};
}

bool ends_line(const std::vector<Piece>& pieces, std::size_t index) {
  return index + 1 == pieces.size() ||
         (pieces[index + 1].kind == PieceKind::text && pieces[index + 1].text.starts_with('\n'));
}

}  // namespace

std::string TemplateProblem::text() const {
  return line == 0 ? fmt::format("{}: {}", file, sentence) : fmt::format("{}:{}: {}", file, line, sentence);
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
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& piece = pieces[i];
    const std::size_t line = lines.line_at(piece.offset);
    if (piece.kind == PieceKind::lone_dollar) {
      add_problem({std::string(file), line, "a lone `$`; write `$$`", {}});
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
    } else if (kind == TemplateKind::unit) {
      const auto problem = unit_value_problem(value->second, ends_line(pieces, i));
      if (!problem.empty()) {
        add_problem({std::string(file), line, fmt::format("the value of ${} {}", piece.text, problem), {}});
      }
    }
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
  if (kind == TemplateKind::json && problems_.size() + unlisted_ == before) {
    if (auto problem = json_problem(text, pieces, *values_, result)) {
      add_problem({std::move(file), problem->line, std::move(problem->sentence), {}});
    }
  }
  return result;
}

void Renderer::check() const {
  if (problems_.empty()) {
    return;
  }
  std::string sentence;
  for (const auto& problem : problems_) {
    sentence.append(sentence.empty() ? "" : "\n").append(problem.text());
  }
  if (unlisted_ > 0) {
    sentence += fmt::format("\nand {} more", unlisted_);
  }
  std::string hint;
  for (const auto& name : missing_) {
    hint += fmt::format("{}--set {}=…", hint.empty() ? "give what is missing: " : " ", name);
  }
  if (!missing_.empty()) {
    throw UnsetVariables(missing_, std::move(sentence), std::move(hint));
  }
  throw base::Error(base::ErrorKind::failed, std::move(sentence), std::move(hint));
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

}  // namespace berth::exports
