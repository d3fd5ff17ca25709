"""No text ends in a traceback or hangs: a few here, thousands in the slow suite."""

from __future__ import annotations

import random

import pytest

from nndsl.diagnostics import NndslError, Source
from nndsl.syntax.parser import parse_expression
from tests.fuzz.__main__ import Tally
from tests.fuzz.running import outcome
from tests.fuzz.texts import WAYS, grammar, grown, text_number


def faults(count: int, seed: int, compiled: bool = False) -> list[str]:
    tally = Tally()
    for number in range(count):
        tally.add(outcome(number, *text_number(number, seed), compiled), 0.0)
    return tally.faults()


def test_texts_of_every_way() -> None:
    assert faults(60, seed=11) == []


@pytest.mark.slow
def test_many_texts() -> None:
    assert faults(10_000, seed=12) == []


@pytest.mark.slow
def test_right_texts_go_on_to_kernels() -> None:
    assert faults(2_000, seed=13, compiled=True) == []


def test_a_text_is_the_same_in_every_run() -> None:
    for number in range(len(WAYS)):
        assert text_number(number, 5) == text_number(number, 5)
    assert text_number(0, 5) != text_number(0, 6)


def test_grown_texts_use_every_rule_of_the_grammar() -> None:
    """All that can begin a part of a file comes up."""
    text = " ".join(grown(random.Random(seed)) for seed in range(200))
    rules, fixed, _ = grammar()
    assert {"start", "expr", "statement"} <= set(rules)
    for word in ("import", "data", "block", "cell", "net", "train", "for", "update", "minimize"):
        assert f" {fixed[word.upper()]} " in text, word


@pytest.mark.parametrize("text", ["1e308", "[[0, []], 1]", "-" * 30 + "1", "f(" * 30])
def test_single_values(text: str) -> None:
    try:
        parse_expression(Source("m.nn", text))
    except NndslError as problem:
        assert problem.diagnostics
