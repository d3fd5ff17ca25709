"""Writes models/letters.csv: three letters on 8x8 cells, moved about and with cells turned over.

python -m tests.models.letters
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FILE = Path(__file__).resolve().parents[2] / "models" / "letters.csv"
COPIES = 50
TURNED = 0.04
"""Chance of a cell to be turned over."""

LETTERS = {
    "C": (".####.", "##....", "#.....", "#.....", "##....", ".####."),
    "H": ("#....#", "#....#", "######", "######", "#....#", "#....#"),
    "T": ("######", "######", "..##..", "..##..", "..##..", "..##.."),
}


def rows() -> list[str]:
    """A header, then the letters in turn, each with 64 cells of 0 and 1."""
    random = np.random.default_rng(1991)
    lines = [",".join([*(f"p{i}{j}" for i in range(8) for j in range(8)), "letter"])]
    for _ in range(COPIES):
        for name, drawing in LETTERS.items():
            cells = np.zeros((8, 8), dtype=np.int64)
            top, left = random.integers(0, 3, 2)
            cells[top : top + 6, left : left + 6] = [[c == "#" for c in line] for line in drawing]
            cells ^= random.random((8, 8)) < TURNED
            lines.append(",".join([*map(str, cells.reshape(-1)), name]))
    return lines


if __name__ == "__main__":
    FILE.write_text("\n".join(rows()) + "\n", encoding="utf-8")
