"""One page for every code of a diagnostic: `NN203.md`, whose first line is its title."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent
_FILE = re.compile(r"(NN[0-9]{3})\.md")


def codes() -> list[str]:
    """Every code that has a page, in order."""
    names = (_FILE.fullmatch(entry.name) for entry in _FOLDER.iterdir())
    return sorted(name[1] for name in names if name)


def page(code: str) -> str:
    """The page of a code in Markdown.

    Errors: KeyError when there is none.
    """
    if re.fullmatch(r"NN[0-9]{3}", code) is None:
        raise KeyError(code)
    entry = _FOLDER / f"{code}.md"
    if not entry.is_file():
        raise KeyError(code)
    return entry.read_text(encoding="utf-8")


def title(code: str) -> str:
    """The title of a code: `shapes differ`.

    Errors: KeyError when there is no page for it.
    """
    return page(code).partition("\n")[0].removeprefix(f"# {code}:").strip()
