"""Pictures in every form, drawn without a Graphviz of the system."""

from __future__ import annotations

import re
import subprocess

import pytest

from nndsl.diagnostics import NndslError
from nndsl.render import layout
from nndsl.render.diagram import diagram_source
from nndsl.render.layout import draw
from nndsl.render.pdf import pdf_of
from tests.render.networks import GATED, RESIDUAL, network


@pytest.fixture(scope="module")
def source() -> str:
    return diagram_source(network(RESIDUAL))


@pytest.mark.parametrize(
    ("kind", "first"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n"), ("pdf", b"%PDF-1.4")]
)
def test_forms(source, kind, first):
    picture = draw(source, kind)
    assert picture.startswith(first)
    assert picture == draw(source, kind)


def test_the_svg_says_everything(source):
    text = draw(source, "svg").decode()
    for word in (
        "Branches",
        "7,651 parameters · 15.5 kflop a row",
        "dense(32)",
        "dropout(0.2)",
        "residual(32)",
        "concat",
    ):
        assert word in text


def test_a_pdf_is_well_formed():
    content = draw(diagram_source(network(GATED)), "pdf")
    start = int(content.split(b"startxref\n")[1].split(b"\n")[0])
    assert content[start:].startswith(b"xref\n")
    offsets = [int(n) for n in re.findall(rb"^(\d{10}) 00000 n ", content, re.MULTILINE)]
    for number, offset in enumerate(offsets, 1):
        assert content[offset:].startswith(b"%d 0 obj" % number)
    stream = content.split(b">>\nstream\n")[1].split(b"\nendstream")[0]
    assert int(re.search(rb"/Length (\d+)", content)[1]) == len(stream)
    assert b"(dense\\(12\\)) Tj" in stream


def test_a_pdf_escapes_text():
    drawing = {
        "bb": "0,0,10,10",
        "_ldraw_": [
            {"op": "F", "size": 9, "face": "Helvetica"},
            {"op": "T", "pt": [5, 5], "align": "c", "width": 4, "text": "a(\\)\u4e00"},
        ],
    }
    assert b"3 5 Td (a\\(\\\\\\)?) Tj" in pdf_of(drawing)


def test_no_program(monkeypatch, source):
    monkeypatch.setattr(layout, "find_dot", lambda: None)
    assert draw(source, "dot").startswith(b"digraph")
    with pytest.raises(NndslError, match="NN006") as caught:
        draw(source, "svg")
    assert "Warning" not in str(caught.value)


@pytest.mark.parametrize("failure", ["timeout", "status", "missing"])
def test_a_program_that_fails(monkeypatch, source, failure, tmp_path):
    def fails(command, **_):
        if failure == "timeout":
            raise subprocess.TimeoutExpired(command, 30)
        if failure == "missing":
            raise FileNotFoundError(2, "no such file", "dot")
        return subprocess.CompletedProcess(command, 1, b"", b"Warning: width\nError: broken\nmore")

    monkeypatch.setattr(layout.subprocess, "run", fails)
    with pytest.raises(NndslError, match="NN006"):
        draw(source, "svg")


def test_a_broken_graph_is_told(monkeypatch):
    with pytest.raises(NndslError, match="NN006"):
        draw("digraph {", "svg")
