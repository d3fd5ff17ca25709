"""Short ways from a text to what lowering makes of it."""

from __future__ import annotations

from pathlib import Path

import nndsl.vocab  # noqa: F401 (registers the words)
from nndsl.data import read_table, schema_of
from nndsl.diagnostics import Diagnostic, NndslError, Source
from nndsl.lower import Session, data_specifications, lower
from nndsl.lower.result import Module
from nndsl.report_text import render_text
from nndsl.schema import Column, ColumnKind, InputSchema, Schema, TargetKind, TargetSchema
from nndsl.syntax.parser import parse, parse_expression

ABSENT = "not_here.csv"
MODELS = Path(__file__).resolve().parents[2] / "models"
ELSEWHERE = ("-ubyte.gz", "tinyshakespeare")
"""Parts of names of data that the models' folder has not."""


def has_local_data(model: Path) -> bool:
    """Whether a model's data lie beside it."""
    text = model.read_text(encoding="utf-8")
    return not any(name in text for name in ELSEWHERE)


def schemas_of(text: str) -> dict[str, Schema]:
    """Schemas of the data sections, but those over the file that is never there."""
    found = {}
    for name, specification in data_specifications(parse(Source("m.nn", text))).items():
        if specification.path != ABSENT:
            found[name] = schema_of(read_table(specification, MODELS), specification)
    return found


def lowered(
    text: str, settings: dict[str, str] | None = None, session: Session | None = None, **files: str
) -> Module:
    """A text lowered, with data of the models' folder; `files` are imported ones by name."""
    overrides = {k: parse_expression(Source(f"--set {k}", v)) for k, v in (settings or {}).items()}

    def load(path: str, importer: str):
        if path.removesuffix(".nn") not in files:
            raise FileNotFoundError(2, "no such file")
        return parse(Source(path, files[path.removesuffix(".nn")]))

    return lower(parse(Source("m.nn", text)), schemas_of(text), overrides, load, session)


def problems(text: str, settings: dict[str, str] | None = None, **files: str) -> list[Diagnostic]:
    """The errors of a text, else its lints."""
    try:
        return list(lowered(text, settings, **files).lints)
    except NndslError as problem:
        return list(problem.diagnostics)


def codes(text: str, settings: dict[str, str] | None = None, **files: str) -> list[str]:
    """Their codes."""
    return [d.code for d in problems(text, settings, **files)]


def rendered(text: str) -> str:
    """All diagnostics of a text as people see them."""
    return "\n\n".join(render_text(d) for d in problems(text))


def schema(
    name: str, width: int = 4, classes: tuple[str, ...] = (), target: str = "y", rows: int = 100
) -> Schema:
    """A data set with one input and one target."""
    kind = TargetKind.CLASSES if classes else TargetKind.NUMBERS
    columns = tuple(Column(f"x{i + 1}", ColumnKind.NUMBER) for i in range(width))
    return Schema(
        name,
        rows,
        columns,
        (InputSchema("input", tuple(c.name for c in columns), (width,)),),
        (TargetSchema(target, kind, classes),),
    )
