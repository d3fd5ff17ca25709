"""The source of a run in its folder: `model.nn` resolved, with the files it imports beside it.

A run folder needs nothing outside of it to predict. Imported files get names made here
(`import-blocks.nn`), and the `import` lines name those; what a run folder imports under any other
name is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

from nndsl import driver
from nndsl.diagnostics import Source, error
from nndsl.lower.train_settings import SETTINGS
from nndsl.syntax import tree
from nndsl.syntax.parser import parse
from nndsl.syntax.resolved import resolved_text
from nndsl.train import folder as folders

_PREFIX = "import-"
_NAME = re.compile(r"import-[A-Za-z0-9_-]{1,60}\.nn")


def source_files(opened: driver.Opened) -> dict[str, str]:
    """The text of `model.nn` and of each imported file, by its name in the run folder."""
    names: dict[Path, str] = {}
    for imported in opened.imports.values():
        path = _path_of(imported)
        if path not in names:
            names[path] = _free_name(path.stem, set(names.values()))
    texts = {folders.MODEL: _resolved(opened, opened.file, opened.source.name, names)}
    for imported in opened.imports.values():
        text = _resolved(opened, imported, imported.span.source.name, names)
        texts[names[_path_of(imported)]] = text
    return texts


def _path_of(imported: tree.File) -> Path:
    return Path(imported.span.source.name).resolve()


def _free_name(stem: str, taken: set[str]) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem.removeprefix(_PREFIX))[:50] or "file"
    name, number = f"{_PREFIX}{plain}.nn", 1
    while name in taken:
        number += 1
        name = f"{_PREFIX}{plain}-{number}.nn"
    return name


def _resolved(
    opened: driver.Opened, file: tree.File, source_name: str, names: dict[Path, str]
) -> str:
    renamed = {
        written: names[_path_of(imported)]
        for (importing, written), imported in opened.imports.items()
        if importing == source_name
    }
    return resolved_text(file, opened.settings, SETTINGS, renamed)


def run_source(path: Path) -> Source:
    """`model.nn` of a run folder."""
    return Source(str(path / folders.MODEL), folders.read_text(path, folders.MODEL))


def run_importer(path: Path) -> driver.Loader:
    """What reads the imported files of a run folder: those in it, under names made here."""

    def load_import(written: str, importing: str) -> tree.File:
        if not _NAME.fullmatch(written):
            raise error(
                "NN502",
                f"`{importing}` is damaged: it imports `{written}`, which is no part of a run",
                help="use a copy of the run folder, or train again",
            )
        return parse(Source(str(path / written), folders.read_text(path, written)))

    return load_import


def data_files(opened: driver.Opened) -> dict[str, str]:
    """Where the data of a run came from: a file, or `-`, for each data section that has one.

    Files of weights, `csv("w.csv")`, stand under their path in quotation marks.
    """
    found: dict[str, str] = {}
    for name, table in opened.tables.items():
        if table.origin.path is not None:
            found[name] = str(table.origin.path.resolve())
        elif table.origin.content is not None:
            found[name] = driver.STANDARD_INPUT
    return found | {f'"{w}"': str(path.resolve()) for w, path in opened.matrices.items()}
