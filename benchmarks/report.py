"""What was measured, as a table for people, as JSON for machines, and as a chart."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

console = Console(stderr=True)
MARK = "<!-- `make bench` writes what follows -->\n\n"


def progress(what: str) -> None:
    """Tell what is being measured."""
    console.print(f"[dim]{what}[/dim]")


@dataclass(frozen=True)
class Figure:
    """One server in one case: requests a second, CPU microseconds each, and how long half and 99 % of them took."""

    case: str
    server: str
    rate: float
    cpu_us: float
    p50: float
    p99: float
    errors: int


@dataclass(frozen=True)
class Comparison:
    """A ratio to a peer, or a quantity, and what it has to be: at least the goal, or at most where it is a ceiling."""

    case: str
    against: str
    value: float
    goal: float
    aim: float | None = None
    is_ceiling: bool = False

    @property
    def is_held(self) -> bool:
        """Whether the goal is reached."""
        return self.value <= self.goal if self.is_ceiling else self.value >= self.goal

    @property
    def shown(self) -> tuple[str, str, str, str, str]:
        """As a row of the table."""
        sign, unit = ("≤", "") if self.is_ceiling else ("≥", " ×")
        goal = f"{sign} {self.goal:g}{unit}" + (f" (aim {self.aim:g})" if self.aim else "")
        return self.case, self.against, f"{self.value:.2f}{unit}", goal, "held" if self.is_held else "MISSED"


@dataclass
class Report:
    """All of one run."""

    generator: str
    machine: str = ""
    figures: list[Figure] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def all_held(self) -> bool:
        """Whether every goal is reached."""
        return all(comparison.is_held for comparison in self.comparisons)

    def write(self, folder: Path, page: Path) -> None:
        """Print it, keep it in a folder, and show its tables below the mark of a page."""
        folder.mkdir(parents=True, exist_ok=True)
        out = Console()
        out.print(self._figures())
        out.print(self._comparisons())
        for note in self.notes:
            out.print(note)
        (folder / "results.json").write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")
        introduction, mark, _old = page.read_text().partition(MARK)
        page.write_text(f"{introduction}{mark}{self.as_markdown()}")
        self._chart(folder / "results.png")

    def _figures(self) -> Table:
        table = Table("case", "server", "requests/s", "CPU µs", "p50 ms", "p99 ms", "errors", title=self.machine)
        for one in self.figures:
            times = f"{one.p50 * 1000:.1f}", f"{one.p99 * 1000:.1f}"
            table.add_row(one.case, one.server, f"{one.rate:,.0f}", f"{one.cpu_us:,.0f}", *times, str(one.errors))
        return table

    def _comparisons(self) -> Table:
        table = Table("case", "against", "measured", "goal", "", title="requests a CPU-second, or as named")
        for one in self.comparisons:
            table.add_row(*one.shown, style=None if one.is_held else "bold red")
        return table

    def as_markdown(self) -> str:
        """The tables, as the page shows them."""
        lines = [f"Measured on {self.machine}; load by {self.generator}.", ""]
        lines += ["| case | against | measured | goal | |", "|---|---|---|---|---|"]
        lines += [f"| {' | '.join(one.shown)} |" for one in self.comparisons]
        lines += ["", "| case | server | requests/s | CPU µs a request | p99 ms |", "|---|---|---|---|---|"]
        lines += [
            f"| {one.case} | {one.server} | {one.rate:,.0f} | {one.cpu_us:,.0f} | {one.p99 * 1000:.1f} |"
            for one in self.figures
        ]
        lines += ["", *self.notes]
        return "\n".join(lines).rstrip() + "\n"

    def _chart(self, path: Path) -> None:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot as plt

        cases = list(dict.fromkeys(figure.case for figure in self.figures))
        names = list(dict.fromkeys(figure.server for figure in self.figures))
        colors = dict(zip(names, plt.get_cmap("tab10").colors, strict=False))
        figure, axes = plt.subplots(figsize=(10, 1 + 0.28 * len(self.figures) + 0.3 * len(cases)))
        place, ticks, labels = 0.0, [], []
        for case in cases:
            bars = [one for one in self.figures if one.case == case]
            ticks.append(place + (len(bars) - 1) / 2)
            labels.append(case)
            for one in bars:
                axes.barh(place, 1e6 / one.cpu_us, color=colors[one.server], height=0.9)
                axes.text(1e6 / one.cpu_us, place, f" {1e6 / one.cpu_us:,.0f}", va="center", fontsize=7)
                place += 1
            place += 0.8
        axes.set_yticks(ticks, labels, fontsize=8)
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlabel("requests a CPU-second (logarithmic)")
        axes.legend([plt.Rectangle((0, 0), 1, 1, color=colors[name]) for name in names], names, fontsize=8)
        figure.tight_layout()
        figure.savefig(path, dpi=120)
