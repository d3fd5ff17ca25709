"""The source of a run with what the command line changed written into it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from nndsl.syntax import tree

Change = tuple[int, int, str]
"""Start, end (of the text that goes) and the text that comes."""


def resolved_text(
    file: tree.File,
    settings: Mapping[str, str],
    of_training: Collection[str] = (),
    renamed: Mapping[str, str] | None = None,
) -> str:
    """The file's text after `--set`: it means without settings what the file means with them.

    `settings` are texts of expressions by name. A `let` of such a name has the new value, in
    whatever body it stands. A name that `of_training` holds is a setting of `train`: every `train`
    section has it, in the place where it stood or at the beginning. `renamed` gives the new path
    of an `import` by the path as written.
    """
    changes: list[Change] = []
    for key, value in settings.items():
        lets = [n for n in tree.nodes(file) if isinstance(n, tree.Let) and n.name == key]
        changes += [(let.value.span.start, let.value.span.end, value) for let in lets]
        if key in of_training:
            for item in file.items:
                if isinstance(item, tree.Train):
                    changes += _settings(item, key, value)
    for item in file.items:
        if isinstance(item, tree.Import) and renamed and item.path in renamed:
            changes.append((item.path_span.start, item.path_span.end, f'"{renamed[item.path]}"'))
    text = file.span.source.text
    for start, end, value in sorted(changes, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _settings(section: tree.Train, name: str, value: str) -> list[Change]:
    """A setting in one place of a section: where it stands, else at the beginning.

    Under `if` and `for` it might not be reached; there it goes away.
    """
    statements = section.body.statements
    top = [s for s in statements if _sets(s, name)]
    if top:
        assert isinstance(top[0], tree.Bind)
        return [(top[0].value.span.start, top[0].value.span.end, value)]
    start = section.body.span.start + 1
    inner = [s for statement in statements for s in _inner(statement) if _sets(s, name)]
    return [(start, start, f" {name} = {value};"), *((s.span.start, s.span.end, "") for s in inner)]


def _sets(statement: tree.Statement, name: str) -> bool:
    if not isinstance(statement, tree.Bind):
        return False
    return isinstance(statement.target, tree.Name) and statement.target.name == name


def _inner(statement: tree.Statement) -> Iterator[tree.Statement]:
    """Statements in the bodies of an `if` or a `for`."""
    bodies: list[tree.Body | None] = []
    if isinstance(statement, tree.If):
        bodies = [statement.body, statement.otherwise]
    elif isinstance(statement, tree.For):
        bodies = [statement.body]
    for body in bodies:
        for inner in body.statements if body is not None else ():
            yield inner
            yield from _inner(inner)
