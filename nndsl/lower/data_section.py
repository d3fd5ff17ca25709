"""`data` sections as requests to the reader: sources, settings, chains of preprocessing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.lower.column_expressions import column_expression, column_name
from nndsl.lower.constants import FUNCTIONS, Interval, describe
from nndsl.lower.evaluate import evaluate
from nndsl.lower.names import not_yet, unknown_name
from nndsl.lower.preprocessing import chain_of, is_chain, target_chain
from nndsl.lower.problems import Problems
from nndsl.lower.scopes import Scope
from nndsl.lower.split import split_value
from nndsl.lower.values import Given, Mention, Shape, is_tensor
from nndsl.lower.words import bind, call_word, name_span, shown, sorts_of
from nndsl.schema import (
    DATA_SETTINGS,
    SOURCE_OPTIONS,
    ChainRequest,
    ColumnExpression,
    DataSpecification,
    PictureRequest,
    Setting,
)
from nndsl.syntax import tree
from nndsl.syntax.wording import RESERVED
from nndsl.vocab.registry import WordCall, words

PICTURES = "images"
OWN_COLUMNS = ("image", "label", "input")
"""Names that pictures which are a target may not have: those of the data beside them."""
_PATHS = {"images": 'images("folder")', "text": 'text("book.txt")'}
LATER_SOURCES = {
    "text_pairs": "pairs of texts (`text_pairs`)",
    "pairs": "pairs of examples (`pairs`)",
    "tagged": "tagged text (`tagged`)",
}


class _Section:
    """What is gathered while a section is read."""

    def __init__(self, data: tree.Data) -> None:
        self.data = data
        self.kind = ""
        self.path: str | None = None
        self.path_span: Span | None = None
        self.options: dict[str, Setting] = {}
        self.table: dict[str, Any] = {}
        self.settings: dict[str, Setting] = {}
        self.chains: list[ChainRequest] = []
        self.columns: dict[str, ColumnExpression] = {}
        self.pictures: PictureRequest | None = None

    def specification(self) -> DataSpecification:
        """The request to the reader."""
        return DataSpecification(
            self.data.name,
            self.kind,
            self.path,
            self.options,
            self.table,
            self.settings,
            tuple(self.chains),
            self.columns,
            self.data.span,
            self.path_span,
            self.pictures,
        )


def data_specification(data: tree.Data, scope: Scope) -> DataSpecification | None:
    """The request of one section; None when it has mistakes, which are reported."""
    section = _Section(data)
    problems: Problems = scope.problems
    before = len(problems.errors)
    with problems.caught() as outcome:
        _read_source(section, data.source, scope)
    for statement in data.body.statements if data.body is not None else ():
        with problems.caught() as step:
            reader = _STATEMENTS.get(type(statement), _misplaced)
            reader(section, statement, scope)
        outcome.failed = outcome.failed or step.failed
    if outcome.failed or len(problems.errors) > before:
        return None
    return section.specification()


# --- the source -----------------------------------------------------------------------------


def _read_source(section: _Section, source: tree.Expression, scope: Scope) -> None:
    if not isinstance(source, tree.Call) or not isinstance(source.function, tree.Name):
        raise error(
            "NN309",
            "`data` names a source",
            source.span,
            help='data name = csv("file.csv", target=column)',
        )
    kind = source.function.name
    if kind in LATER_SOURCES:
        raise not_yet(LATER_SOURCES[kind], source.function.span)
    section.kind = kind
    if kind == "table":
        _read_table(section, source, scope)
        return
    if kind in words("generator"):
        _read_generator(section, source, scope)
        return
    if kind not in SOURCE_OPTIONS:
        raise unknown_name(
            "NN301",
            f"there is no data source called `{kind}`",
            kind,
            [*SOURCE_OPTIONS, *words("generator")],
            source.function.span,
        )
    for argument in source.arguments:
        with scope.problems.caught():
            _read_option(section, kind, argument, scope)
    if section.path is None and not scope.problems.errors:
        raise error(
            "NN312",
            f"`{kind}` needs the path of a file",
            source.span,
            help=_PATHS.get(kind, f'{kind}("file.{kind}")'),
        )


def _read_generator(section: _Section, source: tree.Call, scope: Scope) -> None:
    """`roads(2000, size=30x32)`: arguments as of any word, and `target`."""
    given = []
    for argument in source.arguments:
        if argument.name == "target":
            _read_option(section, section.kind, argument, scope)
        else:
            value = evaluate(argument.value, scope)
            given.append(Given(value, argument.value.span, argument.name, argument.name_span))
    mention = Mention(section.kind, source.span, tuple(given))
    bound = bind(mention, words("generator")[section.kind])
    for name, value in bound.call.arguments.items():
        section.options[name] = Setting(_plain(value), bound.places.get(name, source.span))


def _read_table(section: _Section, source: tree.Call, scope: Scope) -> None:
    for argument in source.arguments:
        if argument.name is None:
            raise error(
                "NN311",
                "`table` names its columns",
                argument.span,
                help="table(x=[1, 2, 3], y=[2, 4, 6])",
            )
        if argument.name == "target" and not isinstance(argument.value, tree.ListOf):
            value = _column_reference(argument.value, scope)
            section.options["target"] = Setting(value, argument.value.span)
            continue
        values = evaluate(argument.value, scope)
        if isinstance(values, Mention) and not sorts_of(values.name):
            known = [*scope.visible(), *FUNCTIONS]
            title = f"nothing is called `{values.name}`"
            raise unknown_name("NN301", title, values.name, known, name_span(values))
        if isinstance(values, Mention) or is_tensor(values):
            raise error(
                "NN304", f"column `{argument.name}` must be a list of values", argument.value.span
            )
        section.table[argument.name] = _plain(values)


def _plain(values: Any) -> Any:
    """Constants as the reader takes them: lists, arrays, texts."""
    if isinstance(values, Shape):
        return list(values.sizes)
    return list(values) if isinstance(values, tuple) else values


def _read_option(section: _Section, kind: str, argument: tree.Argument, scope: Scope) -> None:
    name, value = argument.name, argument.value
    if name is None:
        if section.path is not None or not isinstance(value, tree.String):
            raise error("NN304", f"`{kind}` takes one path in quotes", value.span,
                        help=f'{kind}("file.csv", target=column)')  # fmt: skip
        section.path, section.path_span = value.value, value.span
        return
    known = SOURCE_OPTIONS.get(kind, ("target",))
    if name == "level" and name in known:
        section.options[name] = Setting(_read_level(value, scope), value.span)
        return
    if name in DATA_SETTINGS and name not in known:
        raise error(
            "NN307",
            f"`{name}` is a setting of `data`, not an option of `{kind}`",
            argument.name_span or argument.span,
            help=f'in braces after the source: {kind}("...") {{ {name} = {value.span.text} }}',
        )
    if name not in known:
        raise unknown_name(
            "NN307",
            f"`{kind}` has no option `{name}`",
            name,
            known,
            argument.name_span or argument.span,
        )
    if name in ("target", "time"):
        read = _read_target if name == "target" else _read_time
        section.options[name] = Setting(read(section, value, scope), value.span)
        return
    found = evaluate(value, scope)
    if isinstance(found, Mention) and found.given is None:
        found = found.name
    section.options[name] = Setting(_plain(found), value.span)


def _read_level(value: tree.Expression, scope: Scope) -> WordCall:
    """The units that a text is taken apart into: `word(8000)`."""
    found = evaluate(value, scope)
    if not isinstance(found, Mention):
        title = f"`level` is a word, not {shown(found)}"
        raise error("NN309", title, value.span, help="level = character")
    return call_word(found, "level")


def _column_reference(value: tree.Expression, scope: Scope) -> Any:
    """A column by name, quoted name or number from 1; several as a list; or an expression."""
    if isinstance(value, tree.ListOf | tree.TupleOf):
        items = value.items
        return [
            _column_reference(i.value if isinstance(i, tree.Argument) else i, scope) for i in items
        ]
    if isinstance(value, tree.Number) and isinstance(value.value, int):
        return value.value
    name = column_name(value)
    return name if name is not None else column_expression(value, scope)


# --- settings -------------------------------------------------------------------------------


def _read_setting(section: _Section, statement: tree.Bind, scope: Scope) -> None:
    if not isinstance(statement.target, tree.Name):
        raise error("NN307", "a setting of data has a plain name", statement.target.span)
    name = statement.target.name
    if name not in DATA_SETTINGS:
        raise unknown_name(
            "NN307",
            f"data has no setting `{name}`",
            name,
            DATA_SETTINGS,
            statement.target.span,
            notes=[f"an input of the network is written `input {name} = columns`"],
        )
    if name in section.settings:
        raise error(
            "NN302",
            f"`{name}` is set twice",
            statement.span,
            "the second time",
            secondary=[(section.settings[name].span, "the first time")],
        )
    reader = _SETTING_READERS.get(name, _read_plain)
    section.settings[name] = Setting(reader(section, statement.value, scope), statement.value.span)


def _read_target(section: _Section, value: tree.Expression, scope: Scope) -> Any:
    source = _picture_source(value)
    if source is not None:
        section.pictures = _picture_request(section, source, scope)
    column = section.pictures.name if source is not None and section.pictures else None
    if column is not None and not isinstance(value, tree.Pipe):
        return column
    if isinstance(value, tree.Pipe):
        chain = target_chain(value, scope, column)
        section.chains.append(chain)
        columns = list(chain.columns)
        return columns[0] if len(columns) == 1 else columns
    return _column_reference(value, scope)


def _picture_source(value: tree.Expression) -> tree.Call | None:
    """The `images(...)` that a target begins with."""
    while isinstance(value, tree.Pipe):
        value = value.left
    if not isinstance(value, tree.Call) or not isinstance(value.function, tree.Name):
        return None
    return value if value.function.name == PICTURES else None


def _picture_request(section: _Section, source: tree.Call, scope: Scope) -> PictureRequest:
    """`images("masks/")` as a target; the column is called by the folder or file."""
    if section.kind != PICTURES:
        raise error(
            "NN304",
            f"pictures are predicted from pictures, not from `{section.kind}`",
            source.span,
            help=f'data cells = images("cells", target={source.span.text})',
        )
    inner = _Section(section.data)
    for argument in source.arguments:
        if argument.name in ("target", "labels"):
            title = f"pictures that are a target have no `{argument.name}` of their own"
            raise error("NN307", title, argument.name_span or argument.span)
        _read_option(inner, PICTURES, argument, scope)
    if inner.path is None:
        help_ = 'target = images("masks")'
        raise error("NN312", "`images` needs the path of a folder or file", source.span, help=help_)
    stem = PurePosixPath(inner.path).name.split(".")[0]
    usable = stem.isidentifier() and stem not in (*RESERVED, *OWN_COLUMNS)
    name = stem if usable else "mask"
    return PictureRequest(name, inner.path, inner.options, source.span, inner.path_span)


def _read_where(section: _Section, value: tree.Expression, scope: Scope) -> Any:
    return column_expression(value, scope)


def _read_drop(section: _Section, value: tree.Expression, scope: Scope) -> Any:
    found = _column_reference(value, scope)
    return found if isinstance(found, list) else [found]


def _read_split(section: _Section, value: tree.Expression, scope: Scope) -> Any:
    return split_value(value, scope)


def _read_time(section: _Section, value: tree.Expression, scope: Scope) -> Any:
    return _column_reference(value, scope)


def _read_plain(section: _Section, value: tree.Expression, scope: Scope) -> Any:
    found = evaluate(value, scope)
    if isinstance(found, Mention | Interval) or is_tensor(found):
        shown = found.name if isinstance(found, Mention) else describe(found)
        raise error("NN309", f"a text or a list is needed here, not `{shown}`", value.span)
    return _plain(found)


_SETTING_READERS: dict[str, Callable[[_Section, tree.Expression, Scope], Any]] = {
    "target": _read_target,
    "where": _read_where,
    "drop": _read_drop,
    "split": _read_split,
    "time": _read_time,
}


# --- other lines ----------------------------------------------------------------------------


def _read_let(section: _Section, statement: tree.Let, scope: Scope) -> None:
    if statement.space is not None:
        raise not_yet("a search over columns", statement.span)
    section.columns[statement.name] = column_expression(statement.value, scope)


def _read_chain(section: _Section, statement: tree.Flow, scope: Scope) -> None:
    if not is_chain(statement.value):
        raise error(
            "NN309",
            "a line of data is a setting or a chain `columns -> steps`",
            statement.span,
            help="for instance `age -> standardize` or `target = age`",
        )
    section.chains.append(chain_of(statement.value, scope, None))


def _read_input(section: _Section, statement: tree.InputColumns, scope: Scope) -> None:
    for chain in section.chains:
        if chain.input == statement.name:
            raise error("NN302", f"the input `{statement.name}` is given twice", statement.span,
                        secondary=[(chain.span, "the first time")])  # fmt: skip
    section.chains.append(chain_of(statement.value, scope, statement.name))


def _misplaced(section: _Section, statement: Any, scope: Scope) -> None:
    raise _wrong_place(statement)


def _wrong_place(statement: tree.Tree) -> NndslError:
    word = statement.span.text.split()[0]
    return error(
        "NN309",
        f"`{word}` does not stand in `data`",
        statement.span,
        "settings, `let`, `input name = columns` and chains stand here",
    )


_STATEMENTS: dict[type, Callable[[_Section, Any, Scope], None]] = {
    tree.Bind: _read_setting,
    tree.Let: _read_let,
    tree.Flow: _read_chain,
    tree.InputColumns: _read_input,
}


def sections(file: tree.File) -> Sequence[tree.Data]:
    """The data sections of a file in order."""
    return [item for item in file.items if isinstance(item, tree.Data)]
