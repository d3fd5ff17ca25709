"""The report as one HTML file that needs nothing else: no network, no script to be read.

Text is escaped by Jinja wherever it stands; characters that do not print are written out, so that
no name can hide or turn round what follows it. The page's own style and script are named by their
digests in its Content-Security-Policy: nothing else may run or load.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from nndsl.render.report.content import Picture, Report
from nndsl.report_text import visible

_HERE = Path(__file__).parent
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_UNIT = re.compile(r"(?<=\d) (?=%)")


def page(report: Report) -> str:
    """The whole file as text."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    styles = " ".join(sorted({_digest(text) for text in (style, *_styles(report))}))
    policy = (
        f"default-src 'none'; style-src {styles}; script-src {_digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    template = _environment().get_template("page.html")
    return template.render(report=report, style=Markup(style), script=Markup(script), policy=policy)


def _styles(report: Report) -> Iterator[str]:
    """The style sheets inside drawings."""
    blocks = [block for section in report.sections for block in section.blocks]
    for block in blocks:
        if isinstance(block, Picture):
            yield from _STYLE.findall(block.drawing)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["prose"] = prose
    return environment


def _shown(value: Any) -> Any:
    """Text with what does not print written out; markup as it is."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return "\n".join(visible(line) for line in value.split("\n"))


def prose(text: str) -> Markup:
    """A text escaped, its parts between backticks set as code; no line ends before a `%`."""
    parts = _CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(_shown(part)) if i % 2 else _whole(_shown(part))
        for i, part in enumerate(parts)
    )


def _whole(text: str) -> Markup:
    return Markup("&nbsp;").join(escape(part) for part in _UNIT.split(text))


def _digest(text: str) -> str:
    """The source expression of Content-Security-Policy level 2 for an inline text."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
