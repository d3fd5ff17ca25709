"""The source of a run with what the command line changed written into it."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl.syntax import tree


def resolved_text(file: tree.File, settings: Mapping[str, str]) -> str:
    """The file's text after `--set`: a `let` or a setting of `train` has the value given.

    A setting that no `train` section has is added to each of them.
    """
    changes: list[tuple[int, int, str]] = []
    for key, value in settings.items():
        found = [*_lets(file, key), *_binds(file, key)]
        changes += [(e.span.start, e.span.end, value) for e in found]
        if not found:
            changes += [
                (item.body.span.start + 1, item.body.span.start + 1, f" {key} = {value};")
                for item in file.items
                if isinstance(item, tree.Train)
            ]
    text = file.span.source.text
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _lets(file: tree.File, name: str) -> list[tree.Expression]:
    return [item.value for item in file.items if isinstance(item, tree.Let) and item.name == name]


def _binds(file: tree.File, name: str) -> list[tree.Expression]:
    return [
        statement.value
        for item in file.items
        if isinstance(item, tree.Train)
        for statement in item.body.statements
        if isinstance(statement, tree.Bind)
        and isinstance(statement.target, tree.Name)
        and statement.target.name == name
    ]
