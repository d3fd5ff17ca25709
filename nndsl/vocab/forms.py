"""Forms: what stands around a stage and makes another one of it."""

from __future__ import annotations

from nndsl.params import Int, Real
from nndsl.records import dataclass
from nndsl.vocab.registry import Word, register

MOST_STEPS = 1_000


@dataclass(frozen=True)
class Form(Word):
    """A word whose first argument is a stage; the others are declared. How it is laid out is up to
    `lower`. `takes` is the shape that the input of its example is declared with.
    """

    first = ("stage",)

    takes: str = "[4]"


register(
    Form(
        "both",
        {},
        "both(stage): a recurrence from the beginning of a sequence and, with weights of its own, "
        "from its end, side by side.",
        "Schuster & Paliwal 1997, Bidirectional recurrent neural networks",
        "[T, 3]",
    ),
    example="both(lstm(8)) -> last",
)
register(
    Form(
        "settle",
        {
            "limit": Int(100, "after how many steps it ends in any case", ge=1, le=MOST_STEPS),
            "tolerance": Real(1e-6, "changes up to this size are none", ge=0),
        },
        "settle(stage): a stage, or a cell whose inputs stay the same, done again and again to its "
        "own result until nothing changes.",
        "Hopfield 1982, PNAS 79(8)",
    ),
    example="settle(dense(4) -> saturate, limit=50)",
)
