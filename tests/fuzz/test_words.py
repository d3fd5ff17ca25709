"""Every argument of every word given values of every sort, in range or not: words, no traceback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nndsl.params import Array, Pair, Parameter
from nndsl.vocab.registry import Word, registries
from tests.fuzz.running import outcome

VALUES = (
    *("0", "-1", "3", "1e308", "0.5", "1e-300", "1..3", "10%", "5 epochs", "3x8x8", "true"),
    *('"text"', "[1, 2]", "[[1], [2, 3]]", "relu", "nothing", "open.classes", "adam(1e-3)"),
    "cosine",
)
HEAD = 'data iris = csv("iris.csv", target=species)\ndata open = csv("not_here.csv", target=y)\n'
SETTINGS = {
    "optimizer": "optimizer = {}",
    "schedule": "schedule = {}",
    "loss": "loss = {}",
    "metric": "metrics = [{}]",
    "initializer": "",
    "distortion": "augment = {}",
    "ensemble": "ensemble = {}",
    "picture": "report = [{}]",
    "answer": "answer = {}",
}


def text_of(sort: str, call: str) -> str:
    """A file that uses a word where its sort belongs."""
    chain = "sepal_length -> " + call if sort == "preprocessing" else ""
    data = HEAD.replace("species)\n", f"species) {{ {chain} }}\n", 1) if chain else HEAD
    stage = {"layer": call, "activation": call, "initializer": f"dense(4, init={call})"}
    net = f"net A on iris {{ dense(4) -> {stage.get(sort, 'relu')} -> dense(3) -> softmax }}\n"
    image = f"net B {{ input x: 3x8x8; {call} }}\n" if sort in ("layer", "activation") else ""
    setting = SETTINGS.get(sort, "").format(call)
    return f"{data}{net}{image}train A {{ epochs = 2; {setting} }}\n"


def calls(word: Word) -> Iterator[str]:
    """The word with one argument odd, and with one too many."""
    needed = {name: sample(p) for name, p in word.parameters.items() if p.required}
    for name in word.parameters:
        for value in VALUES:
            given = {**needed, name: value}
            yield f"{word.name}({', '.join(f'{n}={v}' for n, v in given.items())})"
    yield from (word.name, f"{word.name}()", f"{word.name}(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)")


def sample(parameter: Parameter) -> str:
    """A value that many arguments take."""
    return {Pair: "2x2", Array: "1"}.get(type(parameter), "2")


WORDS = [(sort, word) for sort, members in registries().items() for word in members.values()]


@pytest.mark.slow
@pytest.mark.parametrize(("sort", "word"), WORDS, ids=lambda part: getattr(part, "name", part))
def test_any_value_for_any_argument(sort: str, word: Word) -> None:
    faults = []
    for call in calls(word):
        found = outcome(0, "word", text_of(sort, call))
        if found.fault:
            faults.append((call, found.fault))
    assert faults == []
