"""The mistakes of CSV files, each said with its line, its column and its remedy."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nndsl.data.mistakes import Mistakes
from nndsl.diagnostics import NndslError, Place, error

LISTED = 5

_SAID = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
_WRITTEN = {"\t": "tab"}


class BadQuoteError(Exception):
    """A record that begins on line `start` has a quote that does not close rightly."""

    def __init__(self, start: int, line: int, reason: str) -> None:
        super().__init__(reason)
        self.start = start
        self.line = line
        self.reason = reason


def empty(name: str) -> NndslError:
    """A file without a single record."""
    return error(
        "NN410", f"{name} is empty", place=Place(name), help="a header and rows are needed"
    )


def separator(
    name: str, used: str, better: str, widths: Collection[int], columns: int
) -> NndslError:
    """Another separator cuts the lines evenly."""
    found = "1 column" if set(widths) == {1} else "columns of uneven number"
    written = _WRITTEN.get(better, better)
    return error(
        "NN404",
        f"{found} found in {name}; its lines look separated by {_SAID[better]}",
        place=Place(name, 1),
        notes=[f"{_SAID.get(used, repr(used))} gives {found}, {_SAID[better]} gives {columns}"],
        help=f'csv("{name}", sep="{written}")',
    )


def header(name: str, line: int, numbers: Sequence[str], columns: int) -> NndslError:
    """The first record holds numbers, so it may be data."""
    shown = ", ".join(numbers[:3])
    return error(
        "NN408",
        f"the first line of {name} has numbers ({shown}): is it a row of data?",
        place=Place(name, line),
        help=[
            f'a row of data: csv("{name}", header=false); '
            f'the columns are then called "1" to "{columns}"',
            f'names of columns: csv("{name}", header=true)',
        ],
    )


def check_names(name: str, line: int, names: Sequence[str]) -> None:
    """NN407 for names that are empty and for every one that stands twice."""
    mistakes = Mistakes()
    places: dict[str, list[int]] = {}
    for position, column in enumerate(names, 1):
        places.setdefault(column, []).append(position)
    blank = places.pop("", [])
    if blank:
        positions = ", ".join(map(str, blank[:LISTED]))
        with mistakes.caught():
            raise error(
                "NN407",
                f"column {positions} of {name} has no name"
                if len(blank) == 1
                else f"columns {positions} of {name} have no names",
                place=Place(name, line),
                help="give every column a name in the first line",
            )
    for column, found in places.items():
        if len(found) > 1:
            with mistakes.caught():
                raise _stands_twice(name, line, column, found)
    mistakes.raise_any()


def _stands_twice(name: str, line: int, column: str, positions: Sequence[int]) -> NndslError:
    times = "twice" if len(positions) == 2 else f"{len(positions)} times"
    return error(
        "NN407",
        f"the column `{column}` stands {times} in {name}",
        place=Place(name, line, column),
        notes=["it is " + " and ".join(f"column {position}" for position in positions[:LISTED])],
        help="give one of them another name",
    )


class Ragged:
    """Records with a number of cells other than the header's."""

    def __init__(self, name: str, width: int, header: bool) -> None:
        self.name = name
        self.width = width
        self.header = header
        self.count = 0
        self.first: list[tuple[int, int]] = []
        self.one_more = True  # each has one cell more, and that is empty

    def add(self, line: int, record: Sequence[str]) -> None:
        """Count one."""
        self.count += 1
        if len(self.first) < LISTED:
            self.first.append((line, len(record)))
        self.one_more &= len(record) == self.width + 1 and not record[-1].strip()

    def problem(self) -> NndslError:
        """NN406 with the first few lines and their counts."""
        lines = ", ".join(f"line {line} has {count}" for line, count in self.first)
        more = self.count - len(self.first)
        against = "the header" if self.header else "the first row"
        line, count = self.first[0]
        if self.one_more:
            help_text = "these rows end with a separator that the header lacks: remove it"
        elif count > self.width:
            help_text = 'put cells that hold a separator in quotes: "a, b"'
        else:
            help_text = "fill the rows up, an empty cell is a missing value: a,,c"
        rows = "1 row has" if self.count == 1 else f"{self.count} rows have"
        return error(
            "NN406",
            f"{rows} another number of cells than {against}: {count} instead of {self.width}",
            place=Place(self.name, line),
            notes=[lines + (f", and {more} more" if more > 0 else "")],
            help=help_text,
        )


def quote(name: str, problem: BadQuoteError, line: int) -> NndslError:
    """A quote that is not closed, or is followed by more text."""
    if "unexpected end" in problem.reason or "limit" in problem.reason:
        title = f"the quote opened on line {line} of {name} is never closed"
        help_text = 'close it with `"`; a quote inside quotes is written twice: ""'
    else:
        title = f"text follows the closing quote of a cell on line {line} of {name}"
        help_text = 'a quote inside a quoted cell is written twice: "say ""hi"""'
    return error("NN409", title, place=Place(name, line), help=help_text)


def nul(name: str, line: int) -> NndslError:
    """A NUL character among text."""
    return error(
        "NN403",
        f"line {line} of {name} holds a NUL character: this is not a text file",
        place=Place(name, line),
        help="export the table again as CSV in UTF-8",
    )
