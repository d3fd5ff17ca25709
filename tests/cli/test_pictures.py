"""`render`, `diff` and `summary` as people call them."""

from __future__ import annotations

import pytest

from tests.cli.conftest import IRIS

BLOCK = """block x -> residual(n) { x + (x -> dense(n) -> relu -> dense(n)) }
net Deep { input x: [8]; dense(8) -> relu; residual(8) * 6; dense(2) -> softmax }
"""


@pytest.fixture
def deep(place):
    (place / "deep.nn").write_text(BLOCK)


def test_render_unfolds(nndsl, place, deep):
    assert nndsl("render", "deep.nn", "-o", "a.svg").code == 0
    assert nndsl("render", "deep.nn", "-o", "b.svg", "--open", "residual").code == 0
    folded, unfolded = ((place / name).read_text() for name in ("a.svg", "b.svg"))
    assert folded.count("× 6") == unfolded.count("× 6") == 1
    assert len(unfolded) > len(folded)
    wrong = nndsl("render", "deep.nn", "--open", "residul")
    assert (wrong.code, "NN019" in wrong.err, "`residual`" in wrong.err) == (2, True, True)


def test_render_in_the_terminal(nndsl, place, deep):
    ended = nndsl("render", "deep.nn", "--terminal")
    assert ended.code == 0
    assert "residual(8)   × 6" in ended.out or "residual(8)   x 6" in ended.out
    assert not (place / "deep.svg").exists()


def test_render_kernels_and_graphs(nndsl, place):
    for options in (["--fused"], ["--ir"], ["--ir", "join"]):
        ended = nndsl("render", "iris.nn", "-o", "a.dot", *options)
        assert ended.code == 0, ended.err
        assert "digraph" in (place / "a.dot").read_text()
    wrong = nndsl("render", "iris.nn", "--ir", "joyn")
    assert (wrong.code, "NN017" in wrong.err) == (2, True)


def test_diff(nndsl, place):
    (place / "b.nn").write_text(IRIS.replace("dense(8)", "dense(12)"))
    ended = nndsl("diff", "iris.nn", "b.nn", "-o", "d.svg")
    assert ended.code == 0
    assert "~   dense(8) · relu" in ended.out
    assert " →  dense(12) · relu" in ended.out
    assert "was 40 parameters" in (place / "d.svg").read_text()
    same = nndsl("diff", "iris.nn", "iris.nn")
    assert (same.code, "the networks are the same" in same.out) == (0, True)
    assert nndsl("diff", "iris.nn", "c.nn").code == 2


def test_summary_agrees_with_the_diagram(nndsl, place, deep):
    total = nndsl("summary", "deep.nn").out.splitlines()[-2].split()
    assert nndsl("render", "deep.nn", "-o", "a.dot").code == 0
    drawn = (place / "a.dot").read_text()
    assert f"{total[1]} parameters · {total[2]} flop a row" in drawn
