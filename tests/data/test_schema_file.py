"""`schema.json`: the same schema comes back, anything else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import prepare, read_table, schema_from_json, schema_of, schema_to_json
from nndsl.diagnostics import NndslError
from nndsl.schema import Schema
from tests.data.helpers import chain, refusal, request


@pytest.fixture
def schema(tmp_path: Path) -> Schema:
    (tmp_path / "d.csv").write_text("x,k,n,t,u\n1,a,0,yes,0.5\n2,,1,no,1.5\n4,b,2,yes,2.5\n")
    chains = (chain("x", "log1p minmax"), chain("n", "onehot"), chain("u", "standardize"))
    wanted = request(target=["t", "u"], chains=chains)
    table = read_table(wanted, tmp_path)
    return prepare(table, schema_of(table, wanted), wanted, np.arange(3)).schema


def test_the_same_schema_comes_back(schema: Schema) -> None:
    assert schema_from_json(schema_to_json(schema)) == schema


def changed(schema: Schema, *path: Any, to: Any = None) -> str:
    """The JSON with one value replaced (None: removed)."""
    document = json.loads(schema_to_json(schema))
    place = document
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return json.dumps(document)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (["format"], 2),
        (["format"], None),
        (["more"], 1),
        (["schema", "path"], "/etc/passwd"),
        (["schema", "rows"], -1),
        (["schema", "rows"], 2.5),
        (["schema", "rows"], 10**30),
        (["schema", "rows"], True),
        (["schema", "name"], 3),
        (["schema", "columns"], {}),
        (["schema", "columns", 0, "kind"], "object"),
        (["schema", "columns", 0, "minimum"], "1"),
        (["schema", "columns", 0, "name"], "other"),
        (["schema", "inputs", 0, "columns"], ["x"]),
        (["schema", "inputs", 0, "steps", "x", 0, "word"], "eval"),
        (["schema", "inputs", 0, "steps", "x", 0, "arguments"], {"a": 1}),
        (["schema", "inputs", 0, "steps", "x", 0, "learnt"], [1]),
        (["schema", "inputs", 0, "steps", "x", 0, "learnt", "value"], {"a": 1}),
        (["schema", "inputs", 0, "steps", "x", 0, "learnt", "value"], None),
        (["schema", "inputs", 0, "steps", "x", 0, "learnt", "value"], "text"),
        (["schema", "inputs", 0, "steps", "k", 0, "learnt", "classes"], 3),
        (["schema", "inputs", 0, "steps", "x", 2, "arguments", "low"], "text"),
        (["schema", "targets", 1, "steps", 0, "learnt"], {"offset": 0}),
        (["schema", "inputs", 0, "shape"], [-1]),
        (["schema", "targets", 0, "name"], "nothing"),
        (["schema", "targets", 0, "classes"], [1, 2]),
    ],
)
def test_what_does_not_agree_is_refused(schema: Schema, path: list[Any], to: Any) -> None:
    problem = refusal("NN520", schema_from_json, changed(schema, *path, to=to))
    assert "schema.json" in problem.title


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"format": 1, "format": 1}', "[" * 100000, '{"format": NaN}', "\0"],
)
def test_texts_that_are_no_schema(text: str) -> None:
    refusal("NN520", schema_from_json, text)


def test_numbers_that_json_does_not_have(schema: Schema) -> None:
    text = schema_to_json(schema).replace('"minimum": 1.0', '"minimum": 1e999')
    refusal("NN520", schema_from_json, text)


def test_any_damage_is_refused_or_harmless(schema: Schema, rng: np.random.Generator) -> None:
    text = schema_to_json(schema)
    for _ in range(300):
        at = int(rng.integers(len(text)))
        damaged = text[:at] + chr(int(rng.integers(32, 127))) + text[at + int(rng.integers(3)) :]
        try:
            found = schema_from_json(damaged)
        except NndslError as problem:
            assert problem.exit_code == 5
        else:
            assert isinstance(found, Schema)
