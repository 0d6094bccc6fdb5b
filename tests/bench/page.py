# SPDX-License-Identifier: LGPL-2.1-or-later
"""The table, the plot and docs/performance.md from the samples of a run."""

import statistics
import xml.sax.saxutils

from goals import GOALS, MEMORY_LIMIT
from measure import Results

UNITS = {"wall": "s", "durable": "s", "cpu": "s", "memory": "MiB", "bytes": "MB"}


def _results(report):
    results = Results()
    results.samples = report["samples"]
    return results


def _number(value, measure):
    if measure == "bytes":
        return f"{value / 1e6:.1f}"
    return f"{value:.1f}" if measure == "memory" else f"{value:.3f}"


def _rows(report):
    """(work, tool, measure, number of samples, median, minimum, maximum)"""
    for work, tools in report["samples"].items():
        for tool, samples in tools.items():
            measures = [key for key in samples[0] if all(key in sample for sample in samples)]
            for key in measures:
                values = [sample[key] for sample in samples]
                yield work, tool, key, len(values), statistics.median(values), min(values), max(values)


def _verdicts(report):
    results = _results(report)
    for goal in GOALS:
        judged = goal.judge(results)
        if judged:
            ours, theirs, ratio = judged
            beside = goal.peer if not goal.peer_work else goal.peer_work
            yield goal.work, goal.measure, _number(ours, goal.measure), beside, _number(theirs, goal.measure), ratio, goal.most
    peaks = [sample["memory"] for work, tools in report["samples"].items() if work.startswith("pull")
             for sample in tools.get("berth", [])]  # fmt: skip
    if peaks:
        yield "peak of all pulls", "memory", f"{max(peaks):.1f}", "limit", f"{MEMORY_LIMIT}", max(peaks) / MEMORY_LIMIT, 1.0


def _multiple_of_limit(report):
    """(seconds of each part, seconds of the limit on two cores, duration of berth as a multiple of it); None if it was not measured"""
    results = _results(report)
    parts = {key: results.median("limit, large", "limit", key) for key in ("inflate", "hash", "write", "sync")}
    ours = results.median("pull, large", "berth", "durable")
    if ours is None or None in parts.values():
        return None
    seconds = (parts["inflate"] + parts["hash"] + parts["write"]) / min(2, report["machine"]["cores"]) + parts["sync"]
    return parts, seconds, ours / seconds


def table(report):
    """The results as a table of text."""
    lines = [", ".join(f"{key} {value}" for key, value in report["machine"].items()), ""]
    lines.append(f"{'work':34} {'tool':22} {'measure':10} {'runs':>4} {'median':>11} {'min':>11} {'max':>11}")
    for work, tool, key, runs, *values in _rows(report):
        shown = " ".join(f"{_number(value, key):>11}" for value in values)
        lines.append(f"{work:34} {tool:22} {key:10} {runs:4} {shown}")
    lines += ["", f"{'goal':34} {'measure':8} {'berth':>10} {'beside':24} {'theirs':>10} {'ratio':>6} {'goal':>5}"]
    for work, key, ours, peer, theirs, ratio, most in _verdicts(report):
        met = "met" if ratio <= most else "NOT MET"
        lines.append(f"{work:34} {key:8} {ours:>10} {peer:24} {theirs:>10} {ratio:6.2f} {most:5.2f} {met}")
    limit = _multiple_of_limit(report)
    if limit:
        lines += ["", f"physical limit of the large pull {limit[1]:.2f} s; berth takes {limit[2]:.2f} times as long"]
    return "\n".join(lines)


# -- the page ----------------------------------------------------------------------------------------------------

BAR, GAP, LEFT, WIDTH = 18, 6, 300, 860
COLOURS = {"berth": "#1f6f8b", "podman": "#b35c44"}
PLOTTED = ["pull, small", "pull, medium", "pull, large", "pull, large in zstd", "pull a present image, large",
           "pull an update, large", "install, large", "start", "list containers", "list images", "delete, large"]  # fmt: skip


def _text(x, y, text, anchor="start"):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{xml.sax.saxutils.escape(text)}</text>'


def plot(report):
    """An SVG with a bar for each median, relative to the slowest tool of each work."""
    results, parts, y = _results(report), [], GAP
    for work in PLOTTED:
        values = {tool: results.median(work, tool, "durable") or results.median(work, tool, "wall") for tool in report["samples"].get(work, {})}
        if not values:
            continue
        slowest = max(values.values())
        for tool, value in values.items():
            length = round((WIDTH - LEFT - 90) * value / slowest, 1)
            colour = COLOURS.get(tool, "#8a8a8a")
            parts.append(_text(LEFT - 8, y + BAR - 5, f"{work}: {tool}", "end"))
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{length}" height="{BAR}" fill="{colour}"/>')
            parts.append(_text(LEFT + length + 6, y + BAR - 5, f"{value:.2f} s"))
            y += BAR + 2
        y += GAP
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" font-family="sans-serif" font-size="12">\n'
            f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>\n{body}\n</svg>\n')  # fmt: skip


def _markdown_table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def _facts(report):
    machine = "; ".join(f"{key} {value}" for key, value in report["machine"].items())
    shown = "; ".join(f"{name}: {facts['bytes'] / 1e6:.0f} MB in {facts['files']} files and {facts['layers']} layers"
                      for name, facts in report["images"].items())  # fmt: skip
    return f"![Medians of one run](performance.svg)\n\nMachine: {machine}.\n\nImages: {shown}. Medians of {report['runs']} interleaved runs and more."


def _limit_text(report):
    limit = _multiple_of_limit(report)
    if not limit:
        return "Not measured in this run."
    parts, seconds, multiple = limit
    each = ", ".join(f"{key} {value:.2f} s" for key, value in parts.items())
    return (f"One after the other on one core: {each}. With the work on two cores and the sync behind it that is {seconds:.2f} s; "
            f"berth's pull takes {multiple:.2f} times as long.")  # fmt: skip


def write(report, directory):
    """Fills the marked parts of performance.md and keeps the text between them."""
    directory.mkdir(exist_ok=True)
    (directory / "performance.svg").write_text(plot(report))
    goals = _markdown_table(
        ["work", "measure", "berth", "beside", "theirs", "ratio", "goal", ""],
        [(work, f"{key}, {UNITS[key]}", ours, peer, theirs, f"{ratio:.2f}", f"≤ {most}", "met" if ratio <= most else "**not met**")
         for work, key, ours, peer, theirs, ratio, most in _verdicts(report)],
    )  # fmt: skip
    samples = _markdown_table(
        ["work", "tool", "measure", "runs", "median", "min", "max"],
        [(work, tool, key, runs, *(_number(value, key) for value in values)) for work, tool, key, runs, *values in _rows(report)],
    )
    path = directory / "performance.md"
    text = path.read_text()
    for name, content in {"facts": _facts(report), "goals": goals, "limit": _limit_text(report), "samples": samples}.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}{content}\n{end}{after}"
    path.write_text(text)
