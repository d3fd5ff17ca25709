"""Small tables and requests for the tests of `nndsl.data`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nndsl.data import Table, read_table
from nndsl.diagnostics import Diagnostic, ExitCode, NndslError, Source, Span
from nndsl.schema import (
    ChainRequest,
    ColumnExpression,
    DataSpecification,
    Schema,
    Setting,
    StepRequest,
)
from nndsl.vocab import words
from nndsl.vocab.arguments import call

SOURCE = Source("m.nn", 'data d = csv("d.csv", target=t)\n')
SPAN = Span(SOURCE, 9, 20)


def request(kind: str = "csv", path: str | None = "d.csv", **settings: Any) -> DataSpecification:
    """A data section with these settings; chains, columns, options, table by keyword."""
    extra = {
        name: settings.pop(name) for name in ("chains", "columns", "table") if name in settings
    }
    target = settings.get("target")
    if isinstance(target, ChainRequest):  # `target = x -> keep`
        extra["chains"] = (*extra.get("chains", ()), target)
        settings["target"] = list(target.columns)
    options = {name: Setting(v, SPAN) for name, v in settings.pop("options", {}).items()}
    return DataSpecification(
        "d",
        kind,
        path,
        options,
        settings={name: Setting(value, SPAN) for name, value in settings.items()},
        span=SPAN,
        path_span=SPAN,
        **extra,
    )


def table_of(
    folder: Path, text: str | bytes, expected: Schema | None = None, **options: Any
) -> Table:
    """The table in a CSV text."""
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "d.csv").write_bytes(data)
    return read_table(request(options=options), folder, expected=expected)


def refusal(code: str, action: Any, *arguments: Any, **keywords: Any) -> Diagnostic:
    """The first diagnostic of the error that an action must raise, which must have this code."""
    with pytest.raises(NndslError) as caught:
        action(*arguments, **keywords)
    first = caught.value.diagnostics[0]
    assert first.code == code, first
    expected = {"4": ExitCode.DATA, "5": ExitCode.MODEL_FILE, "6": ExitCode.RESOURCES}[code[2]]
    assert caught.value.exit_code is expected
    return first


def step(word: str, **arguments: Any) -> StepRequest:
    """A step as `lower` asks for it, with all its arguments."""
    return StepRequest(word, call(words("preprocessing")[word], **arguments).arguments, SPAN)


def chain(columns: str, steps: str = "", **more: Any) -> ChainRequest:
    """`chain("a b", "log1p standardize")`."""
    requests = tuple(step(word) for word in steps.split())
    return ChainRequest(tuple(columns.split()), requests, span=SPAN, **more)


def column(name: str) -> ColumnExpression:
    """A column in an expression."""
    return ColumnExpression("column", (), name, SPAN)


def constant(value: Any) -> ColumnExpression:
    """A constant in an expression."""
    return ColumnExpression("constant", (), value, SPAN)


def apply(op: str, *arguments: ColumnExpression) -> ColumnExpression:
    """An operator in an expression."""
    return ColumnExpression(op, arguments, None, SPAN)


def inline(**columns: Any) -> Mapping[str, Any]:
    """The columns of a `table(...)`."""
    return columns
