"""Manual pages, for every word of every registry."""

from __future__ import annotations

from dataclasses import replace

import pytest

import nndsl.vocab  # noqa: F401  (importing it registers the words)
from nndsl import driver
from nndsl.diagnostics import Severity
from nndsl.render.formula_text import columns_of
from nndsl.render.word_page import bounded, plot_of, word_page
from nndsl.render.word_sorts import SORTS, all_words, by_name, near_names
from nndsl.render.word_text import WIDTH, overview_text, page_text
from nndsl.vocab.registry import registries, words

EVERY = [pytest.param(s, w, id=f"{s.name}-{w.name}") for s, w in all_words()]
every_word = pytest.mark.parametrize(("sort", "word"), EVERY)


def test_every_registry_has_a_page_of_the_manual():
    assert {sort.name for sort in SORTS} >= set(registries())


@every_word
def test_the_example_compiles(sort, word):
    shown = word_page(sort, word).example
    assert word.name in shown.line and shown.line in shown.file
    found = driver.check_text(shown.file)
    assert not [d.title for d in found if d.severity is Severity.ERROR]


@every_word
def test_the_page_says_all(sort, word):
    page = word_page(sort, word)
    assert [a.name for a in page.arguments] == list(word.parameters)
    assert all(a.allowed and a.meaning for a in page.arguments)
    text = page_text(page)
    assert word.doc[:20] in text and word.see[:20] in text
    assert all(columns_of(line) <= WIDTH for line in text.splitlines())
    narrow = page_text(replace(page, plot=None), 60).partition("\nexample\n")[0]
    longest = max((columns_of(part) for part in narrow.split()), default=0)
    assert all(columns_of(line) <= max(60, longest + 8) for line in narrow.splitlines())


@pytest.mark.parametrize("sort", ["activation", "optimizer"])
def test_formulas_are_there(sort):
    for found in words(sort).values():
        page = word_page(next(s for s in SORTS if s.name == sort), found)
        assert page.formulas


@pytest.mark.parametrize(("name", "lines"), [("rnn", 2), ("lstm", 10), ("last", 0)])
def test_a_recurrence_is_told_by_its_step(name, lines):
    ((sort, word),) = by_name(name)
    formulas = word_page(sort, word).formulas
    assert len(formulas) == lines
    assert all(left != right for left, _, right in (f.text.partition(" = ") for f in formulas))


@pytest.mark.parametrize("sort", ["activation", "schedule"])
def test_plots_are_there_and_hold_numbers(sort):
    without = []
    for word in words(sort).values():
        plot = plot_of(word)
        if plot is None:
            without.append(word.name)
            continue
        for series in bounded(plot).series:
            assert len(series.x) == len(series.y) > 100
            assert sum(y == y for y in series.y) > 20
    assert without in ([], ["plateau"])  # its number depends on figures of the training


@pytest.mark.parametrize("name", ["elu", "adam", "layer_norm"])
def test_pages(golden, name):
    text = "\n".join(page_text(word_page(sort, word)) for sort, word in by_name(name))
    golden(f"render/doc_{name}.txt", text)


def test_all_words_are_listed():
    text = overview_text()
    assert all(word.name in text for _, word in all_words())


def test_words_of_other_libraries_are_found():
    assert near_names("FC")[0] == "dense"
    assert near_names("adamm")[0] == "adam"
    assert near_names("zzzzzzzz") == []
