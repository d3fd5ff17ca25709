"""The parser's tables as plain data, so that a run does not work them out anew.

Making an LALR parser of the grammar takes Lark 0.1 s, which every `nndsl check` would wait for.
`tables.json`, beside this file, holds the outcome in the form of Lark's own serialisation:
terminals and rules by number, and for each state what follows on each token. It is numbers and
texts, never a pickle, and is part of the package as the grammar is. Where the grammar or Lark is
another than the file was made for, it is not used; `pytest tests/syntax --update-golden` writes
it anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from lark import Lark

TABLES = "tables.json"


def made_for(grammar: str) -> dict[str, object]:
    """What tables depend on: the version of Lark, and the grammar."""
    import lark

    return {"lark": lark.__version__, "grammar": crc32(grammar.encode())}


def tables_text(parser: Lark, grammar: str) -> str:
    """The tables of a parser that Lark has made of a grammar, as JSON, a state or rule a line."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, entries = parser.memo_serialize([TerminalDef, Rule])
    states = data["parser"]["parser"].pop("states")
    parts = {
        "made_for": _line(made_for(grammar)),
        "parser": _line(data),
        "entries": _lines(_line(entries[number]) for number in range(len(entries))),
        "states": _lines(_line(_state(states[number])) for number in range(len(states))),
    }
    return "{\n" + ",\n".join(f'"{name}": {text}' for name, text in parts.items()) + "\n}\n"


def _state(actions: dict[int, tuple[int, Any]]) -> dict[int, int]:
    """By token: the state to go to, or minus one minus the rule to reduce by."""
    return {t: -1 - argument["@"] if kind else argument for t, (kind, argument) in actions.items()}


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _lines(items: Any) -> str:
    return "[\n" + ",\n".join(items) + "\n]"


def parser_from_tables(grammar: str) -> Lark | None:
    """A parser from the stored tables; None where they were made for something else."""
    file = Path(__file__).with_name(TABLES)
    if not file.is_file():
        return None
    stored = json.loads(file.read_text(encoding="utf-8"))
    if stored["made_for"] != made_for(grammar):
        return None
    from lark import Lark

    data = stored["parser"]
    tables = data["parser"]["parser"]
    tables["tokens"] = {int(number): name for number, name in tables["tokens"].items()}
    tables["states"] = dict(enumerate(map(_actions, stored["states"])))
    load: Any = Lark._load_from_dict  # Lark's types leave it out
    parser: Lark = load(data, dict(enumerate(stored["entries"])))
    return parser


@cache
def _reduction(rule: int) -> tuple[int, dict[str, int]]:
    return 1, {"@": rule}


def _actions(state: dict[str, int]) -> dict[int, tuple[int, Any]]:
    """The inverse of `_state`, with keys as JSON writes them."""
    return {int(t): (0, n) if n >= 0 else _reduction(-1 - n) for t, n in state.items()}
