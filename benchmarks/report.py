"""What was measured: kept as JSON case by case, shown as tables on a page, and as a chart."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.cases.case import Case
    from benchmarks.measuring import Result

MARK = "<!-- `make bench` writes what follows -->\n\n"
STARTED = time.monotonic()
GOALS = (
    "| what | against | ratio of | measured | 95 % interval | goal | | commit |",
    "|---|---|---|---|---|---|---|---|",
)
FIGURES = (
    "| case | server | requests/s | CPU µs, server | CPU µs, database | p50 ms | p99 ms | spread |",
    "|---|---|---|---|---|---|---|---|",
)
Kept = dict[str, dict[str, Any]]


def progress(what: str) -> None:
    """Tell what is being measured."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"{minutes:3}:{seconds:02}  {what}", file=sys.stderr, flush=True)


def machine() -> str:
    """What is measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    processor = models[0] if models else platform.machine()
    return (
        f"{os.cpu_count()} cores ({processor}), {memory:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}"
    )


def commit() -> str:
    """The commit of this tree, with a plus if something is not committed."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance.md", ":!benchmarks/results"
    )
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def keep(file: Path, case: "Case", result: "Result", scale: Mapping[str, Any]) -> Kept:
    """Keep what became of a case beside the others, and give them all."""
    kept: Kept = json.loads(file.read_text()) if file.exists() else {}
    kept[case.name] = {
        "title": case.title,
        "about": case.about,
        "commit": commit(),
        "measured": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        "machine": machine(),
        "scale": dict(scale),
        **asdict(result),
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return kept


def write(page: Path, kept: Kept, order: Iterable[str]) -> None:
    """Show all that is kept below the mark of a page."""
    introduction, mark, _old = page.read_text().partition(MARK)
    page.write_text(f"{introduction}{mark}{as_markdown(kept, order)}")


def as_markdown(kept: Kept, order: Iterable[str]) -> str:
    """The tables."""
    cases = [kept[name] for name in order if name in kept]
    machines = dict.fromkeys(f"{case['machine']}; {_scale(case['scale'])}" for case in cases)
    lines = [f"Measured on {one}." for one in machines]
    lines += ["", "## Goals", "", *GOALS]
    lines += [_goal(case, verdict) for case in cases for verdict in case["verdicts"]]
    lines += ["", "## What is compared", "", "| case | what | measured | |", "|---|---|---|---|"]
    lines += [_about(name, kept[name]) for name in order if name in kept]
    lines += ["", "## Cases", "", *FIGURES]
    lines += [_figure(figure) for case in cases for figure in case["figures"]]
    notes = [note for case in cases for note in case["notes"]]
    return "\n".join([*lines, "", *(f"* {note}" for note in notes)]).rstrip() + "\n"


def _scale(scale: Mapping[str, Any]) -> str:
    return f"{scale['rounds']} rounds of {scale['seconds']:g} s or more, in turns"


def _goal(case: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    measured, bounds = "–", "–"
    if verdict["mean"] is not None:
        measured = _number(verdict["mean"])
        bounds = "–" if verdict["low"] == verdict["high"] else f"{_number(verdict['low'])} … {_number(verdict['high'])}"
    cells = (verdict["what"], verdict["against"], verdict["unit"], measured, bounds, verdict["goal"], verdict["state"])
    return f"| {' | '.join(cells)} | {case['commit']} |"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _about(name: str, case: Mapping[str, Any]) -> str:
    failed = f"FAILED: {_cell(case['failed'])}" if case["failed"] else ""
    return f"| `{name}`: {case['title']} | {case['about']} | {case['measured']}, {case['commit']} | {failed} |"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def _figure(figure: Mapping[str, Any]) -> str:
    cells = (
        figure["what"],
        figure["server"],
        f"{figure['rate']:,.0f}" if figure["rate"] >= 10 else f"{figure['rate']:.2g}",
        f"{figure['server_us']:,.0f}",
        f"{figure['database_us']:,.0f}",
        f"{figure['p50_ms']:.1f}",
        f"{figure['p99_ms']:.1f}",
        f"± {figure['spread'] * 100:.0f} %",
    )
    return f"| {' | '.join(cells)} |"


def chart(file: Path, kept: Kept, order: Iterable[str]) -> None:
    """Draw the ratios that have a goal, each as a part of it, with their intervals."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = [
        verdict
        for name in order
        if name in kept
        for verdict in kept[name]["verdicts"]
        if verdict["goal"] != "–" and verdict["mean"] and verdict["low"] != verdict["high"]
    ]
    figure, axes = plt.subplots(figsize=(11, 1.5 + 0.26 * len(rows)))
    for place, row in enumerate(rows):
        bound = float(row["goal"].split()[-1])
        mean, low, high = (row[name] / bound for name in ("mean", "low", "high"))
        color = "tab:green" if row["state"] == "held" else "tab:red"
        axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], fmt="o", color=color, capsize=3)
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [f"{row['what']} / {row['against']} {row['goal']}" for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("measured, with its 95 % interval, as a part of the goal")
    figure.tight_layout()
    figure.savefig(file, dpi=120)
    plt.close(figure)
