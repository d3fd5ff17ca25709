"""`nndsl new data.csv`: a first `.nn` file from a table, with what was inferred as comments."""

from __future__ import annotations

import re
from pathlib import Path

import click

from nndsl.diagnostics import error, nearest
from nndsl.schema import Column, ColumnKind, DataSpecification, Schema, Setting, TargetKind
from nndsl.syntax.wording import RESERVED

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def written(column: str) -> str:
    """A column's name as it may stand in a `.nn` file: quoted unless it is a plain word."""
    plain = _PLAIN.fullmatch(column) and column not in RESERVED
    return column if plain else '"' + column.replace('"', "'") + '"'


def identifier(stem: str) -> str:
    """A name for the data, made of a file's name."""
    name = re.sub(r"\W+", "_", stem, flags=re.ASCII).strip("_").lower() or "table"
    return f"d_{name}" if name[0].isdigit() or name in RESERVED else name


def described(column: Column) -> str:
    """One comment for one column: kind, range or categories, empty cells."""
    if column.kind is ColumnKind.NUMBER:
        text = f"number, {column.minimum:g} to {column.maximum:g}" if column.distinct else "empty"
    else:
        shown = ", ".join(column.categories[:4])
        more = ", ..." if len(column.categories) > 4 else ""
        text = f"{len(column.categories)} categories: {shown}{more}"
    return text + (f"; {column.missing} empty cells" if column.missing else "")


def guess_target(columns: tuple[Column, ...]) -> str:
    """The last column with few categories, else the last column."""
    texts = [c.name for c in columns if c.kind is ColumnKind.CATEGORY and len(c.categories) <= 50]
    return texts[-1] if texts else columns[-1].name


def starter(path: Path, schema: Schema, target: str) -> str:
    """The text of the new file."""
    name = identifier(path.stem)
    net = "".join(part.capitalize() for part in name.split("_")) or "Net"
    width = max(len(c.name) for c in schema.columns)
    classes = schema.targets[0].kind is TargetKind.CLASSES
    columns = [
        f"#   {c.name:<{width}}  {described(c)}{'   <- target' if c.name == target else ''}"
        for c in schema.columns
    ]
    last = f"dense({name}.classes) -> softmax" if classes else "dense(1)"
    return "\n".join(
        (
            f"# {schema.rows} rows, {len(schema.columns)} columns:",
            *columns,
            f'data {name} = csv("{path.name}", target={written(target)})',
            "",
            f"net {net} on {name} {{",
            "  dense(32) -> relu",
            f"  {last}",
            "}",
            "",
            f"train {net} {{ }}   # `nndsl show defaults` says what is left out",
            "",
        )
    )


@click.command(help="Write a starter .nn file for DATA, a CSV file with a header.")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--target", help="The column to predict; guessed when left out.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The file to write.")
def command(data: Path, target: str | None, output: Path | None) -> None:
    """Read the table, guess the target, write the file (never over another)."""
    from nndsl.data import describe_columns, read_table, schema_of

    specification = DataSpecification(identifier(data.stem), "csv", str(data))
    table = read_table(specification, Path.cwd(), override=data)
    columns = describe_columns(table)
    chosen = target or guess_target(columns)
    if chosen not in {c.name for c in columns}:
        near = nearest(chosen, [c.name for c in columns])
        hint = f"did you mean `{near[0]}`?" if near else "columns: " + ", ".join(table.columns)
        raise error("NN003", f"`{data.name}` has no column `{chosen}`", help=hint)
    asked = DataSpecification(
        specification.name, "csv", str(data), options={"target": Setting(chosen)}
    )
    schema = schema_of(table, asked)
    path = output or data.with_suffix(".nn")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(starter(data, schema, chosen))
    except FileExistsError:
        raise error("NN002", f"`{path}` exists", help="choose another name with `-o`") from None
    kind = schema.targets[0]
    what = f"{len(kind.classes)} classes" if kind.classes else "a number"
    click.echo(f"read    {data.name}: {schema.rows} rows, {len(schema.columns)} columns")
    click.echo(f"target  {chosen}: {what}")
    click.echo(f"wrote   {path}")
    click.echo(f"next    nndsl train {path}")
