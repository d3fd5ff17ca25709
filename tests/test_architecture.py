"""The house rules, held by tests: levels of imports, no cycles, sizes, forbidden calls."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "nndsl"

LEVELS = {
    "records": -1,
    "version": -1,
    "diagnostics": 0,
    "random": 0,
    "row_orders": 1,
    "schema": 1,
    "params": 1,
    "catalogue": 0,
    "report_text": 1,
    "scalar": 1,
    "ir": 2,
    "ops": 3,
    "vocab": 4,
    "syntax": 4,
    "lower": 5,
    "passes": 6,
    "codegen": 7,
    "runtime": 8,
    "data": 9,
    "compilation": 10,
    "driver": 10,
    "train": 11,
    "render": 11,
    "export": 11,
    "model": 12,
    "cli": 13,
}
"""A module imports only from a lower level, or from its own folder."""

RESULT_TYPES = {"nndsl.lower.result"}  # recipes are data that later stages read

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else path.stem


def is_module(name: str) -> bool:
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


@cache
def imported(path: Path) -> list[tuple[str, int]]:
    return list(imports_in(path))


def imports_in(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            for alias in node.names:
                # `from package import module` depends on the module, not on the package's list
                inner = f"{node.module}.{alias.name}"
                yield (inner if is_module(inner) else node.module), node.lineno


def test_imports_point_down() -> None:
    wrong = []
    for path in modules():
        here = room(path)
        if here in ("__init__", "__main__"):
            continue
        for name, line in imported(path):
            parts = name.split(".")
            if parts[0] != "nndsl" or len(parts) == 1 or parts[1] == "__version__":
                continue
            there = parts[1]
            if there != here and LEVELS[there] >= LEVELS[here]:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_has_a_level() -> None:
    rooms = {room(path) for path in modules()} - {"__init__", "__main__"}
    assert rooms <= set(LEVELS)


def test_no_import_cycles_between_modules() -> None:
    names = {
        ".".join(("nndsl", *path.relative_to(PACKAGE).with_suffix("").parts)): path
        for path in modules()
    }
    names = {name.removesuffix(".__init__"): path for name, path in names.items()}
    edges = {
        name: {found for found, _ in imported(path) if found in names and found != name}
        for name, path in names.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in done:
            for other in edges[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_numba_only_where_code_is_compiled() -> None:
    for path in modules():
        for name, line in imported(path):
            if name.split(".")[0] == "numba":
                assert room(path) == "runtime", f"{path.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("library", ["numba", "duckdb", "rich", "graphviz"])
def test_checking_does_not_import(library: str) -> None:
    code = (
        "import sys; import nndsl.syntax.parser, nndsl.lower, nndsl.cli.main;"
        f"sys.exit({library!r} in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_sizes_of_files() -> None:
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in modules()}
    assert max(lengths.values()) <= MAX_FILE_LINES, max(lengths, key=lambda p: lengths[p])
    ordered = sorted(lengths.values())
    assert ordered[int(0.95 * (len(ordered) - 1))] <= 400


def test_sizes_of_functions() -> None:
    lengths = {}
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                place = f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
                lengths[place] = (node.end_lineno or 0) - node.lineno + 1
    longest = max(lengths, key=lambda place: lengths[place])
    assert lengths[longest] <= MAX_FUNCTION_LINES, longest
    ordered = sorted(lengths.values())
    assert ordered[int(0.95 * (len(ordered) - 1))] <= 30


FORBIDDEN_MODULES = {"pickle", "cloudpickle", "marshal", "shelve", "dill"}
EXECUTION = {"eval", "exec", "compile", "__import__"}
MAY_EXECUTE = {"nndsl/runtime/lowering.py"}  # builds our own generated kernels, nothing else


def test_nothing_from_outside_can_execute() -> None:
    for path in modules():
        place = path.relative_to(ROOT).as_posix()
        for name, line in imported(path):
            assert name.split(".")[0] not in FORBIDDEN_MODULES, f"{place}:{line}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in EXECUTION:
                assert place in MAY_EXECUTE, f"{place}:{node.lineno} executes text"
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant) and node.value.value is False
            if isinstance(node, ast.keyword) and node.arg in ("cache", "parallel"):
                assert not (isinstance(node.value, ast.Constant) and node.value.value), place


def test_no_paths_of_a_machine() -> None:
    needles = [f"/{name}/" for name in ("work", "tmp", "root")]
    for path in modules():
        text = path.read_text(encoding="utf-8")
        for needle in needles:
            assert needle not in text, f"{path.relative_to(ROOT)} names {needle}"


def test_dataclasses_are_the_quick_ones() -> None:
    for path in modules():
        if room(path) != "records":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^from dataclasses import .*\bdataclass\b", text, re.M), (
                f"{path.relative_to(ROOT)}: `from nndsl.records import dataclass`"
            )
