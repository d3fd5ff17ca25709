"""`nndsl new data.csv`: a first `.nn` file from a table, with what was inferred as comments."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from nndsl.cli.options import output_option
from nndsl.diagnostics import NndslError, counted, error, nearest
from nndsl.ir.types import format_shape
from nndsl.report_text import visible
from nndsl.schema import Column, ColumnKind, DataSpecification, Schema, Setting, TargetKind
from nndsl.syntax.wording import RESERVED

if TYPE_CHECKING:
    from nndsl.data import Table

_SOURCES = {".parquet": "parquet"}
_USUAL_TARGETS = ("target", "label", "class", "species", "outcome", "diagnosis", "y")
_MOST_SHOWN = 4
_OVER_PICTURES = ("conv(16, 3, pad=same) -> relu -> maxpool(2)", "flatten")

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def written(text: str, what: str) -> str:
    """A name in quotation marks as a `.nn` file has it; NN003 when no file can name it."""
    if '"' in text or not text.isprintable():
        raise error(
            "NN003",
            f"a .nn file cannot name {what} `{visible(text)}`",
            help="give it a name without quotation marks and line ends",
        )
    return f'"{text}"'


def column_name(name: str) -> str:
    """A column as it may stand in a `.nn` file: in quotation marks unless it is a plain word."""
    plain = _PLAIN.fullmatch(name) and name not in RESERVED
    return name if plain else written(name, "the column")


def identifier(stem: str) -> str:
    """A name for the data, made of a file's name."""
    name = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_").lower() or "table"
    return f"d_{name}" if name[0].isdigit() or name in RESERVED else name


def described(column: Column) -> str:
    """One comment for one column: kind, range or categories, empty cells."""
    if column.kind is ColumnKind.NUMBER:
        known = column.minimum is not None and column.maximum is not None
        text = f"number, {column.minimum:g} to {column.maximum:g}" if known else "empty"
    else:
        shown = ", ".join(c[:20] for c in column.categories[:_MOST_SHOWN])
        more = ", ..." if len(column.categories) > _MOST_SHOWN else ""
        text = f"{len(column.categories)} categories: {shown}{more}"
    return visible(text) + (f"; {column.missing} empty cells" if column.missing else "")


def guess_target(columns: tuple[Column, ...]) -> str:
    """A column that is called as targets are, else the last with few categories, else the last."""
    for usual in _USUAL_TARGETS:
        for column in columns:
            if column.name.lower() == usual:
                return column.name
    texts = [c.name for c in columns if c.kind is ColumnKind.CATEGORY and len(c.categories) <= 50]
    return texts[-1] if texts else columns[-1].name


def starter(source: str, schema: Schema, target: str) -> str:
    """The text of the new file; `source` is what reads the table: `csv("iris.csv"`."""
    name = schema.name
    net = "".join(part.capitalize() for part in name.split("_")) or "Net"
    shown = {c.name: visible(c.name) for c in schema.columns}
    width = min(30, max(map(len, shown.values())))
    classes = schema.targets[0].kind is TargetKind.CLASSES
    sizes = {i.columns[0]: f"{format_shape(i.shape)}, " for i in schema.inputs if len(i.shape) == 3}
    pictures = bool(sizes)
    columns = [
        f"#   {shown[c.name]:<{width}}  {sizes.get(c.name, '')}{described(c)}"
        f"{'   <- target' if c.name == target else ''}"
        for c in schema.columns
    ]
    last = f"dense({name}.classes) -> softmax" if classes else "dense(1)"
    return "\n".join(
        (
            f"# {schema.rows} rows, {counted(len(schema.columns), 'column')}:",
            *columns,
            f"data {name} = {source}, target={column_name(target)})",
            "",
            f"net {net} on {name} {{",
            *(f"  {line}" for line in (_OVER_PICTURES if pictures else ())),
            "  dense(32) -> relu",
            f"  {last}",
            "}",
            "",
            f"train {net} {{ }}  # `nndsl show defaults` says what is left out",
            "",
        )
    )


@click.command(short_help="Write a starter .nn file for a table or pictures.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--target", metavar="COLUMN", help="The column to predict; left out: a guess.")
@output_option("FILE", "The file to write; left out: beside DATA. Never over another.")
@click.option("--no-header", is_flag=True, help="The first line of DATA is a row already.")
def command(data: Path, target: str | None, output: Path | None, no_header: bool) -> None:
    """Write a starter .nn file for DATA, a CSV or Parquet file or a folder of pictures.

    It holds what was found in the table as comments, and a network to begin with.
    """
    kind = "images" if data.is_dir() else _SOURCES.get(data.suffix.lower(), "csv")
    options = {"header": Setting(False)} if no_header else {}
    request = DataSpecification(identifier(data.stem), kind, str(data), options)
    table, request = _table(request)
    schema = _schema(table, request, target)
    chosen = schema.targets[0].name
    path = output or data.with_suffix(".nn")
    inside = _path_inside(data, path.parent)
    seen = {name: _value(given.value) for name, given in request.options.items()}
    arguments = [written(inside or data.name, "the file"), *(f"{n}={v}" for n, v in seen.items())]
    _write(path, starter(f"{kind}({', '.join(arguments)}", schema, chosen))
    classes = schema.targets[0].classes
    looks = ", ".join(f"{name}={value}" for name, value in seen.items() if name != "header")
    click.echo(f"read    {data.name}: {schema.rows} rows, {counted(len(schema.columns), 'column')}"
               + (f", with {looks} by its looks" if looks else ""))  # fmt: skip
    found = f"{len(classes)} classes" if classes else "a number"
    guessed = "" if target else " (a guess; `--target COLUMN` says another)"
    click.echo(f"target  {visible(chosen)}: {found}{guessed}")
    click.echo(f"wrote   {path}")
    words = [path] if inside else [path, data]
    click.echo(" ".join(["next    nndsl train", *(quote(str(word)) for word in words)]))


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def _table(request: DataSpecification) -> tuple[Table, DataSpecification]:
    """The table, and the request with the separator and decimal sign that the file seems to have.

    Reading never guesses; here the guess is written into a source for all to see.
    """
    from nndsl.data import read_table

    try:
        return read_table(request, Path.cwd(), override=request.path), request
    except NndslError as problem:
        told = _about_header(problem, request)
        if problem.diagnostics[0].code != "NN404":
            raise told from None
    for separator, decimal in product((";", "tab", "|", ","), (None, ",")):
        signs = {"sep": separator} | ({"decimal": decimal} if decimal else {})
        settings = {name: Setting(sign) for name, sign in signs.items()}
        tried = replace(request, options={**request.options, **settings})
        try:
            table = read_table(tried, Path.cwd(), override=request.path)
        except NndslError:
            continue
        if len(table.columns) > 1:
            return table, tried
    raise told


def _schema(table: Table, request: DataSpecification, target: str | None) -> Schema:
    """The table's columns, with the column asked for, or a guess, as the target."""
    from nndsl.data import describe_columns, schema_of

    columns = describe_columns(table)
    if target is None and request.kind == "images" and len(columns) == 1:
        return schema_of(table, request)  # says how pictures get their labels
    chosen = target or guess_target(columns)
    if chosen not in {c.name for c in columns}:
        near = nearest(chosen, [c.name for c in columns])
        names = ", ".join(list(table.columns)[:10])
        hint = f"did you mean `{near[0]}`?" if near else f"columns: {names}"
        raise error("NN003", f"`{request.path}` has no column `{chosen}`", help=hint)
    options = {**request.options, "target": Setting(chosen)}
    return schema_of(table, replace(request, options=options))


def _about_header(problem: NndslError, request: DataSpecification) -> NndslError:
    """What to do about a first line of numbers here, where no source file is written yet."""
    found = problem.diagnostics[0]
    if found.code != "NN408":
        return problem
    command = f"nndsl new {quote(str(request.path))}"
    return NndslError(replace(found, help=(f"if it is a row: {command} --no-header",)))


def _write(path: Path, text: str) -> None:
    """A new file, never over another."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise error("NN002", f"`{path}` exists", help="choose another name with `-o`") from None
    except OSError as problem:
        reason = (problem.strerror or "it cannot be written").lower()
        raise error("NN005", f"cannot write `{path}`: {reason}") from None


def _path_inside(data: Path, folder: Path) -> str | None:
    """The path of the data as a file in `folder` may write it; None when it lies elsewhere."""
    try:
        path = Path(os.path.relpath(data, folder))
    except ValueError:  # on another drive of Windows
        return None
    return None if ".." in path.parts else path.as_posix()
