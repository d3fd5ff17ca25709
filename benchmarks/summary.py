"""What the result texts say: their comparisons, and the tables of the README made from them.

`python -m benchmarks.summary` writes the README's tables between its markers.
Goals are those that the design set, as multiples of the best peer's speed (for predictions: of
PyTorch's in inference mode).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.interleave import BEST

ROOT = Path(__file__).resolve().parent
README = ROOT.parent / "README.md"
PARTS = ("steps", "images", "sequences", "inference", "runs")
START, END = "<!-- benchmark-table -->\n", "<!-- end of benchmark-table -->\n"
GOALS = {
    ("W1", "1 thread"): (12, 20),
    ("W2", "1 thread"): (1.5, 1.9),
    ("W2b", "1 thread"): (1.15, 1.4),
    ("W3", "1 thread"): (1.15, 1.3),
    ("W4", "1 thread"): (1, 1.2),
    ("W5", "1 thread"): (1.9, 2.3),
    ("W5b", "1 thread"): (1.4, 1.7),
    ("W6", "1 thread"): (1, 1.3),
    ("W7", "1 thread"): (1.35, 1.75),
    ("W8", "1 thread"): (1, 1.5),
    ("W5", "2 threads"): (None, 3),
    ("W5b", "2 threads"): (None, 1.8),
    ("W6", "2 threads"): (None, 1.4),
    ("W7", "2 threads"): (None, 1.8),
    ("W8", "2 threads"): (None, 2.5),
    ("W2b", "2 threads"): (None, 2),
    ("W3", "2 threads"): (None, 1.5),
    ("W4", "2 threads"): (None, 1.15),
    ("W2", "1 row"): (20, 40),
    ("W3", "1 row"): (3, 4),
    ("W1", "nothing cached"): (1, 2),
    ("W2", "nothing cached"): (1, 2),
    ("W1", "a new network"): (2, 3),
    ("W2", "a new network"): (1.5, 3),
    ("W1", "the same again"): (4, 8),
    ("W2", "the same again"): (3, 4),
}
"""By workload and conditions: what must be reached (None: nothing was said), and the aim."""

KINDS = {
    "step": ("Training step", "us"),
    "inference": ("Prediction", "us"),
    "run": ("Whole run", "s"),
}
_RATIO = re.compile(
    rf"(?P<own>nndsl.*?) {BEST}, (?P<peer>.+): "
    r"(?P<ratio>[\d.]+)x  (?P<low>[\d.]+) - (?P<high>[\d.]+)"
)
_ROW = re.compile(r"(?P<name>\S.*?) {2,}(?P<median>[\d.]+) ")
REFERENCE = "torch inference"


@dataclass(frozen=True)
class Comparison:
    """nndsl against one peer under some conditions: medians, their ratio, its range by round."""

    kind: str
    workload: str
    network: str
    conditions: str
    peer: str
    own_median: float
    peer_median: float
    ratio: float
    low: float
    high: float
    reference: float | None  # the ratio to PyTorch's inference mode, where that was measured

    @property
    def goal(self) -> tuple[float | None, float] | None:
        """What must be reached, and the aim."""
        return GOALS.get((self.workload, self.conditions))

    @property
    def judged(self) -> float:
        """The ratio that the goals speak of."""
        return self.ratio if self.reference is None else self.reference


def comparisons(text: str) -> Iterator[Comparison]:
    """All comparisons of a result text, in its order."""
    for block in text.split("\n\n"):
        lines = block.splitlines()
        medians = {m["name"]: float(m["median"]) for m in map(_ROW.match, lines) if m}
        for match in filter(None, map(_RATIO.fullmatch, lines)):
            name, _, what = lines[0].partition(": ")
            kind = next((kind for kind in KINDS if kind in name), "step")
            own = medians[match["own"]]
            conditions = lines[1].split(",")[0]
            if kind == "run":
                conditions = match["own"].removeprefix("nndsl, ")
            elif kind == "inference":
                conditions = name.rpartition(", ")[2]
            numbers = (float(match[key]) for key in ("ratio", "low", "high"))
            reference = medians[REFERENCE] / own if REFERENCE in medians else None
            yield Comparison(
                kind,
                name.split()[0],
                what,
                conditions,
                match["peer"],
                own,
                medians[match["peer"]],
                *numbers,
                reference,
            )


def results() -> list[str]:
    """The result texts there are."""
    paths = [ROOT / "results" / f"{part}.txt" for part in PARTS]
    return [path.read_text(encoding="utf-8") for path in paths if path.exists()]


def markdown(texts: list[str]) -> str:
    """The README's tables, and which goals were missed."""
    found = [comparison for text in texts for comparison in comparisons(text)]
    lines: list[str] = []
    for kind, (title, unit) in KINDS.items():
        rows = [c for c in found if c.kind == kind]
        if not rows:
            continue
        lines += [
            f"| {title}, {unit} | | nndsl | best peer | times as fast (by round) | must / aim |",
            "|---|---|---|---|---|---|",
            *map(_row, rows),
            "",
        ]
    missed = [text for c in found if (text := _missed(c))]
    lines += ["Goals missed: " + ("; ".join(missed) or "none") + ".", ""]
    return "\n".join(lines)


def _row(c: Comparison) -> str:
    must, aim = c.goal or (None, None)
    goal = f"{_times(must)} / {_times(aim)}" if aim else ""
    ratio = f"{_times(c.ratio)} ({_times(c.low)} to {_times(c.high)})"
    if c.reference is not None:
        ratio += f"; PyTorch inference mode {_times(c.reference)}"
    peer = f"{_number(c.peer_median)} {c.peer}"
    own = _number(c.own_median)
    return f"| {c.network} | {c.conditions} | {own} | {peer} | {ratio} | {goal} |"


def _missed(c: Comparison) -> str:
    if c.goal is None:
        return ""
    must, aim = c.goal
    place = f"{c.network.split(',')[0]}, {c.conditions} ({_times(c.judged)})"
    if must is not None and c.judged < must:
        return f"**must** {_times(must)} of {place}"
    return f"aim {_times(aim)} of {place}" if c.judged < aim else ""


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.3g}x"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def write() -> None:
    """Put the tables into the README."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{START}{markdown(results())}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    write()
