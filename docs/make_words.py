"""Writes docs/words.md, the table of all words, from their definitions.

    python docs/make_words.py

A test compares the file with what this writes, so a new word comes with its row.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import nndsl.vocab  # noqa: F401  (importing it registers the words)
from nndsl.lower.constants import FUNCTIONS
from nndsl.lower.recipe_words import CLIPS, PENALTIES, RULES, STOPS
from nndsl.lower.tensors import ELEMENTWISE, REDUCTIONS
from nndsl.params import Length, Parameter, Real
from nndsl.vocab.arguments import value_text
from nndsl.vocab.registry import Word, words

PAGE = Path(__file__).parent / "words.md"
LENGTH = "a [length](language.md#lengths)"

HEAD = """# Words

Written by `python docs/make_words.py` from the definitions in `nndsl/vocab/`; not by hand. How words are put
together is in [language.md](language.md). The first column shows the arguments that a word must have; all others
may be left out. Arguments are listed in the order in which they may be given without their name.
"""

SECTIONS = (
    ("layer", "Layers", "Stages with an axis, weights or randomness."),
    ("activation", "Activations", "Stages on every number alone. The initialiser is the one that weights before "
     "this activation get when `init` is left out."),
    ("initializer", "Initialisers", "For `init=` of a layer."),
    ("loss", "Losses", "For `loss =` in `train`."),
    ("metric", "Metrics", "For `metrics =`; as `train_`, `val_` or `test_` figures for `keep`, `stop`, `expect`."),
    ("optimizer", "Optimizers", "For `optimizer =`. Arguments marked † may be schedules."),
    ("schedule", "Schedules", "For `schedule =`, or in place of a number marked † of an optimizer."),
    ("preprocessing", "Preprocessing", "Steps of a chain in `data`; what a step learns comes from the training "
     "part only."),
    ("picture", "Pictures", "For `report =` in `train`: what `nndsl report` shows of a run."),
)  # fmt: skip

TRAIN_WORDS = (
    ("Penalties", "For `penalty =`.", PENALTIES),
    ("Clipping", "For `clip =`.", CLIPS),
    ("Conditions of stopping", "For `stop =`.", STOPS),
    ("Rules", "For `rule =`: a name for several settings, which `nndsl show defaults` lists.", RULES),
)


def escaped(text: str) -> str:
    """Text as it may stand in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def argument(name: str, parameter: Parameter) -> str:
    """One argument: what is allowed, its default, what it means."""
    mark = "†" if isinstance(parameter, Real) and parameter.schedule else ""
    allowed = LENGTH if isinstance(parameter, Length) else parameter.describe()
    default = parameter.default
    taken = "" if parameter.required or default is None else f", default {value_text(default)}"
    meaning = f": {parameter.doc}" if parameter.doc else ""
    return escaped(f"`{name}`{mark} {allowed}{taken}{meaning}")


def written(word: Word) -> str:
    """The word with the arguments that it must have."""
    needed = ", ".join(name for name, parameter in word.parameters.items() if parameter.required)
    return f"{word.name}({needed})" if needed else word.name


def row(word: Word) -> str:
    """A word as a row: how it is written, what it is, its arguments, its source."""
    arguments = "<br>".join(argument(n, p) for n, p in word.parameters.items())
    doc = word.doc
    initializer = getattr(word, "initializer", "")
    if initializer:
        doc += f" Initialiser: `{initializer}`."
    if getattr(word, "joint", ""):
        doc += f" Computed jointly with `{word.joint}`."  # type: ignore[attr-defined]
    return f"| `{escaped(written(word))}` | {escaped(doc)} | {arguments} | {escaped(word.see)} |"


def table(found: Iterable[Word]) -> list[str]:
    """Rows under a heading."""
    return ["| word | meaning | arguments | source |", "|---|---|---|---|", *map(row, found)]


def names(found: Iterable[str]) -> str:
    """Words in a sentence."""
    return ", ".join(f"`{name}`" for name in found)


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for registry, title, use in SECTIONS:
        lines += [f"## {title}", "", use, "", *table(words(registry).values()), ""]
    for title, use, found in TRAIN_WORDS:
        lines += [f"## {title}", "", use, "", *table(found.values()), ""]
    lines += [
        "## Functions",
        "",
        f"On constants and constant arrays: {names(FUNCTIONS)}, and `least_squares(data)`.",
        f"On tensors, number by number: {names(ELEMENTWISE)}; over everything: {names(REDUCTIONS)}.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
