"""From Graphviz source to a picture: a system `dot` where there is one, else the bundled one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from pathlib import Path

from nndsl.diagnostics import error
from nndsl.render.pdf import pdf_of

FORMATS = ("svg", "png", "pdf", "dot")
SECONDS = 30


def find_dot() -> Path | None:
    """The program that draws: `dot` on the PATH, or `graphviz-pure` beside this Python."""
    system = shutil.which("dot")
    if system:
        return Path(system)
    beside = shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    found = beside or shutil.which("graphviz-pure")
    return Path(found) if found else None


def draw(source: str, kind: str) -> bytes:
    """The picture as bytes; `kind` is one of FORMATS.

    Errors: NN006 when no drawing program is there or it fails.
    """
    if kind == "dot":
        return source.encode("utf-8")
    if kind == "pdf":
        return pdf_of(json.loads(_drawn(source, "json")))
    return _drawn(source, kind)


def _drawn(source: str, kind: str) -> bytes:
    program = find_dot()
    if program is None:
        raise error(
            "NN006",
            "no drawing program was found: neither `dot` nor `graphviz-pure`",
            help="pip install graphviz-pure, or write Graphviz source: `-o x.dot`",
        )
    try:
        done = subprocess.run(
            [program, f"-T{kind}", *(["-Gdpi=144"] if kind == "png" else [])],
            input=source.encode("utf-8"),
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise error(
            "NN006", f"{program.name} did not draw: {problem}", help="use `-o x.dot`"
        ) from None
    if done.returncode != 0:
        message = done.stderr.decode("utf-8", "replace").strip().splitlines()
        told = [line for line in message if not line.startswith("Warning")] or message
        reason = told[0] if told else f"exit code {done.returncode}"
        raise error("NN006", f"{program.name} could not draw: {reason}", help="use `-o x.dot`")
    return done.stdout
