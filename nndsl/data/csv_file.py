"""A CSV file as columns: format and encoding first, then the records, then what each column is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

import nndsl.data.csv_problems as problems
from nndsl.data.cells import DECIMAL_COMMA, Gathered
from nndsl.data.csv_fast import SMALLEST, read_fast
from nndsl.data.csv_text import Records, Text, gather, read_head
from nndsl.data.formats import refuse_other_formats, undecodable
from nndsl.data.memory import require_memory
from nndsl.data.mistakes import Mistakes
from nndsl.data.options import CsvOptions
from nndsl.data.table import (
    NumberColumn,
    Origin,
    Table,
    TableColumn,
    note,
)
from nndsl.diagnostics import Diagnostic, NndslError, Place, error

_BYTES_PER_BYTE = 4.0  # a cell takes 12 bytes in a column; short cells are the worst


def read_csv(
    name: str,
    path: Path | None,
    content: bytes | None,
    options: CsvOptions,
    keep: frozenset[str] = frozenset(),
) -> Table:
    """The table in a CSV file or in the bytes of one.

    The columns in `keep` are read as categories whatever is in them. NN403 ... NN410 say what is
    wrong and on which physical line.
    """
    text = Text(name, path, content, options)
    size = path.stat().st_size if path is not None else len(content or b"")
    refuse_other_formats(name, path, content, options.encoding)
    require_memory(name, size * _BYTES_PER_BYTE, f"{size / 1e6:,.0f} MB of CSV")
    try:
        head = read_head(text, options.separator)
        found = read_fast(text, head, keep) if size >= SMALLEST else None
        found = found or gather(text, head, None, keep)
    except problems.BadQuoteError as problem:
        raise problems.quote(name, problem, _opening_line(text, problem)) from None
    except UnicodeDecodeError:
        raise undecodable(name, path, content) from None
    if path is not None and path.stat().st_size != size:
        raise error("NN422", f"{name} changed while it was read", place=Place(name))
    return _table(text, found, keep)


def _table(text: Text, found: Records, keep: frozenset[str]) -> Table:
    head = found.head
    rows = len(found.lines)
    _raise_for_mistakes(text, found, keep)
    columns: dict[str, TableColumn] = {}
    notes: list[Diagnostic] = []
    for name, gathered in zip(head.names, found.columns, strict=True):
        if gathered.is_number and name not in keep:
            columns[name] = NumberColumn(name, gathered.numbers)
        else:
            columns[name] = gathered.categories(name)
            notes += _mixed(text.name, name, gathered, name in keep | text.options.categories)
    trimmed = sum(column.trimmed for column in found.columns)
    if trimmed or head.spaced:
        notes.append(note("NN457", f"spaces around cells of {text.name} are left out"))
    if head.unnamed_end:
        notes.append(note("NN457", f"every line of {text.name} ends with a separator: ignored"))
    origin = Origin(
        text.name,
        "csv",
        text.path,
        text.content,
        head.separator,
        text.options.encoding,
        head.header,
        len(head.names),
        text.options.decimal,
    )
    return Table(origin, columns, rows, np.arange(rows, dtype=np.int64), found.lines, tuple(notes))


def _mixed(file: str, name: str, gathered: Gathered, wanted: bool) -> Iterator[Diagnostic]:
    if gathered.number_count and not wanted:
        yield note(
            "NN461",
            f"column `{name}` of {file} has {gathered.number_count} numbers and "
            f"{gathered.text_count} texts: taken as categories",
        )


def _raise_for_mistakes(text: Text, found: Records, keep: frozenset[str]) -> None:
    """NN406 for rows of another width, and NN404 or NN405 for each column."""
    mistakes = Mistakes()
    if found.ragged is not None:
        mistakes.found += found.ragged.problem().diagnostics
    for name, gathered in zip(found.head.names, found.columns, strict=True):
        if name in keep or gathered.is_number:
            continue
        if name not in text.options.categories and _has_decimal_commas(gathered):
            mistakes.found += _decimal_commas(text, found, name, gathered).diagnostics
        elif gathered.is_mistaken and name not in text.options.categories:
            rows = gathered.mistakes()
            cells = [(int(found.lines[r]), gathered.texts[gathered.codes[r]]) for r in rows[:5]]
            total = gathered.number_count + gathered.text_count
            mistakes.found += not_numbers(
                text.name, name, cells, len(rows), total, found.head.header
            ).diagnostics
    mistakes.raise_any()


def _has_decimal_commas(gathered: Gathered) -> bool:
    texts = [(code, t) for code, t in enumerate(gathered.texts) if t]
    commas = [code for code, t in texts if DECIMAL_COMMA.fullmatch(t)]
    cells = np.bincount(gathered.codes[gathered.codes >= 0], minlength=len(gathered.texts))
    found = int(cells[commas].sum())
    return found > 0 and found >= 0.9 * gathered.text_count and len(commas) >= 0.5 * len(texts)


def _decimal_commas(text: Text, found: Records, name: str, gathered: Gathered) -> NndslError:
    row = next(r for r in gathered.mistakes() if _is_comma(gathered, r))
    separator = found.head.separator
    written = "tab" if separator == "\t" else separator
    return error(
        "NN404",
        f"column `{name}` of {text.name} has numbers with a comma: "
        f"`{gathered.texts[gathered.codes[row]]}`",
        place=Place(text.name, int(found.lines[row]), name),
        help=[
            f'a decimal comma: csv("{text.name}", sep="{written}", decimal=",")',
            "a thousands separator: remove it from the file",
        ],
    )


def _is_comma(gathered: Gathered, row: int) -> bool:
    return DECIMAL_COMMA.fullmatch(gathered.texts[gathered.codes[row]]) is not None


def not_numbers(
    file: str,
    name: str,
    cells: Sequence[tuple[int | None, str]],
    count: int,
    total: int,
    header: bool = True,
) -> NndslError:
    """NN405: a column of numbers has a few cells of text. `cells` are (line, text), the first."""
    line, text = cells[0]
    others = ", ".join(f"line {at}: `{cell}`" for at, cell in cells[1:])
    more = count - len(cells)
    notes = [others + (f", and {more} more" if more > 0 else "")] if others else []
    helps = ["fix the cell, or leave it empty: an empty cell is a missing value"]
    if line == 1 and not header:
        helps = ["line 1 looks like the names of the columns: leave out `header=false`"]
    elif text.lower().lstrip("+-") in ("inf", "infinity", "nan") or _is_too_large(text):
        helps = ["only finite numbers can be learnt from; leave the cell empty if unknown"]
    elif count > 1 and len({cell for _, cell in cells}) == 1:
        helps.append(f'if `{text}` means missing: missing=["{text}"]')
    if line != 1 or header:
        helps.append(f"if the column is a category: {name} -> onehot")
    verb = "is" if count == 1 else "are"
    return error(
        "NN405",
        f"column `{name}` is numbers, but {count} of {total} cells {verb} not: `{_short(text)}`",
        place=Place(file, line, name),
        notes=notes,
        help=helps,
    )


def _is_too_large(text: str) -> bool:
    try:
        return abs(float(text)) == float("inf")
    except ValueError:
        return False


def _short(text: str, most: int = 40) -> str:
    shown = text.encode("unicode_escape").decode() if not text.isprintable() else text
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def _opening_line(text: Text, problem: problems.BadQuoteError) -> int:
    """The physical line of the quote that is not closed, or of the one that closes too soon."""
    if not ("unexpected end" in problem.reason or "limit" in problem.reason):
        return problem.line
    inside = False
    opened = problem.start
    with text.open() as stream:
        for number, line in enumerate(stream, 1):
            if number < problem.start:
                continue
            for character in line:
                if character == '"':
                    inside = not inside
                    opened = number if inside else opened
    return opened
