"""Errors told anew as the misspelt names behind them.

Stages find an unknown name where its value is used, each in its own way: a list that cannot be
indexed, a setting that is no number. Once a file has errors, this looks at the names in their
places. One that nothing is called, but that is spelt like something known, is told as such; all
uses of it together are one error; and where they agree with each other and only the definition is
spelt otherwise, the definition is what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nndsl.diagnostics import Diagnostic, Fix, Label, Span, edit_distance, nearest
from nndsl.lower.constants import FUNCTIONS
from nndsl.lower.familiar import looks_mistyped
from nndsl.lower.names import suggestion
from nndsl.lower.provenance import of_one_constant
from nndsl.syntax import tree
from nndsl.vocab.registry import registries

_UNKNOWN = ("NN301", "NN303", "NN318")
"""Codes that say of a name that nothing is called so."""
_NO_COLUMN = "NN411"
_OF_OUTPUTS = ("NN305", "NN306")
_TELLING = (*_UNKNOWN, "NN307", "NN309", "NN314")
"""Codes whose titles say more of a name than that it is unknown."""
_PLAIN_WORDS = ("true", "false", "all", "none", "kfold", "table", "csv", "least_squares")
_COMMENT = re.compile(r"#[^\n]*")
_PROSE = re.compile(r"#[^\n]*|\"[^\"\n]*\"")
MOST_USES_SHOWN = 3


def explained(errors: Sequence[Diagnostic], file: tree.File) -> list[Diagnostic]:
    """The errors of a file, with those that come from a misspelt name told as such, once each."""
    own = dict(given for node in tree.nodes(file) for given in _definitions(node))
    known = [*own, *_words()]
    unused = [name for name, span in own.items() if span is not None and _unused(span)]
    uses = [
        use
        for use in _uses(file)
        if use[0].text not in known or (use[0].text not in own and nearest(use[0].text, unused))
    ]
    told = [_with_name(error, uses, own, known) for error in errors]
    told = [_unused_first(error, unused) for error in told]
    return of_one_constant([_at_definition(error, own) for error in together(told)])


# --- what a file calls things ---------------------------------------------------------------


def _definitions(item: tree.Tree) -> Iterator[tuple[str, Span | None]]:
    """Names that a node of the tree gives, with their places where the tree keeps them."""
    name = getattr(item, "name", None)
    if isinstance(name, str) and not isinstance(item, tree.Name | tree.Field | tree.Argument):
        yield name, getattr(item, "name_span", None)
    if isinstance(item, tree.Bind):
        targets = item.target.items if isinstance(item.target, tree.TupleOf) else (item.target,)
        yield from ((t.name, t.span) for t in targets if isinstance(t, tree.Name))
    if isinstance(item, tree.For):
        yield from ((name, None) for name in item.names)
    if isinstance(item, tree.Data) and isinstance(item.source, tree.Call):
        columns = item.source.arguments
        yield from ((a.name, a.name_span) for a in columns if a.name is not None)
    if isinstance(item, tree.Import) and item.alias is not None:
        yield item.alias, None


def _words() -> Iterator[str]:
    """Names of the language itself."""
    yield from (*FUNCTIONS, *_PLAIN_WORDS)
    for members in registries().values():
        yield from members
        for word in members.values():
            for parameter in word.parameters.values():
                yield from getattr(parameter, "choices", ())


def _uses(file: tree.File) -> Iterator[tuple[Span, bool]]:
    """Places of bare names, and whether they stand in `data`, where columns have names too."""
    for item in file.items:
        for node in tree.nodes(item):
            if isinstance(node, tree.Name):
                yield node.span, isinstance(item, tree.Data)


# --- one error ------------------------------------------------------------------------------


def _with_name(
    error: Diagnostic,
    uses: Sequence[tuple[Span, bool]],
    own: dict[str, Span | None],
    known: Sequence[str],
) -> Diagnostic:
    """The error as it is, or as the misspelt name in its place explains it."""
    if error.primary is None or error.fix is not None:
        return error
    place = error.primary.span
    for span, in_data in uses:
        inside = span.source is place.source and place.start <= span.start and span.end <= place.end
        exact = inside and span.start == place.start and span.end == place.end
        likely = [name for name in known if name != span.text]
        close = nearest(span.text, likely, 1) if inside and (exact or not in_data) else []
        if not close:
            continue
        help, fix = suggestion(span.text, likely), Fix(span, close[0])
        if exact and error.code in _TELLING:
            return replace(error, help=(help, *error.help), fix=fix)
        given = own.get(close[0])
        return Diagnostic(
            "NN301",
            f"nothing is called `{span.text}`",
            Label(span),
            (Label(given, "given here"),) if given is not None else (),
            notes=error.notes,
            help=(help,),
            fix=fix,
        )
    return error


def _unused_first(error: Diagnostic, unused: Sequence[str]) -> Diagnostic:
    """The error with a name proposed that nothing uses yet, where another is no nearer."""
    if error.code not in _UNKNOWN or error.fix is None or error.primary is None:
        return error
    written, proposed = error.fix.span.text, error.fix.replacement
    better = nearest(written, unused, 1)
    if not better or proposed in unused:
        return error
    if edit_distance(written, better[0]) > edit_distance(written, proposed):
        return error
    help = f"did you mean `{better[0]}` or `{proposed}`?"
    return replace(error, help=(help,), fix=replace(error.fix, replacement=better[0]))


# --- all errors of one name -----------------------------------------------------------------


def together(errors: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The errors with all uses of one unknown name or column as one, at the first of them."""
    found: dict[object, Diagnostic] = {}
    for error in errors:
        key = _shared(error) or _unknown_name(error) or id(error)
        first = found.setdefault(key, error)
        if first is error or error.primary is None or error.primary == first.primary:
            continue
        shown = sum(label.text == "and here" for label in first.secondary)
        if shown + 1 < MOST_USES_SHOWN:
            again = Label(error.primary.span, "and here")
            found[key] = replace(first, secondary=(*first.secondary, again))
    return list(found.values())


def _shared(error: Diagnostic) -> object:
    """What an error has in common with others that the same change mends; None for most."""
    if error.code == _NO_COLUMN:
        return error.title
    text = error.primary.span.text if error.primary is not None else ""
    if error.code in _OF_OUTPUTS and text.isidentifier():
        return error.title, text  # a block that several nets consist of
    return None


def _unknown_name(error: Diagnostic) -> str | None:
    """The name that an error calls unknown."""
    if error.fix is None or error.code not in (*_UNKNOWN, *_TELLING, _NO_COLUMN):
        return None
    return error.fix.span.text


def _at_definition(error: Diagnostic, own: dict[str, Span | None]) -> Diagnostic:
    """The error at the only definition spelt otherwise, when several uses agree against it."""
    name = _unknown_name(error)
    if name is None or error.fix is None or error.primary is None:
        return error
    given = own.get(error.fix.replacement)
    if given is None or given.source is not error.primary.span.source:
        return error
    if not _the_definition_differs(given, name):
        return error
    uses = [error.primary.span, *(s.span for s in error.secondary if s.text == "and here")]
    return replace(
        error,
        code="NN301",
        title=f"`{given.text}` is never used, and nothing is called `{name}`",
        primary=Label(given, f"is this `{name}`?"),
        secondary=tuple(Label(use, "used here") for use in uses),
        help=(f"did you mean `{name}`?",),
        fix=Fix(given, name),
    )


def _the_definition_differs(given: Span, uses: str) -> bool:
    """Whether a file uses a name only as it is not defined: twice at least, or once where its
    comments and texts spell it so as well, or where the definition looks like a slip.
    """
    if not _unused(given):
        return False
    definition, text = given.text, given.source.text
    code = _COMMENT.sub("", text)
    if _count(uses, code) > 1:
        return True
    prose = " ".join(_PROSE.findall(text)).lower()
    if (uses.lower() in prose) != (definition.lower() in prose):
        return uses.lower() in prose
    return looks_mistyped(definition, uses, text)


def _unused(definition: Span) -> bool:
    """Whether a name stands nowhere but where it is given."""
    return _count(definition.text, _COMMENT.sub("", definition.source.text)) == 1


def _count(name: str, text: str) -> int:
    return len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", text))
