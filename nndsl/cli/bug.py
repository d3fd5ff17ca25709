"""When nndsl itself fails: a report file instead of a traceback on the screen."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback

from nndsl.version import VERSION


def write_bug_report(bug: Exception, arguments: list[str]) -> tuple[str, str | None]:
    """Write the traceback and versions to a file.

    Returns what the person is told, and the file's path (None when nothing could be written).
    """
    text = "\n".join(
        (
            f"nndsl {VERSION}, Python {platform.python_version()}, {platform.platform()}",
            f"command: nndsl {' '.join(arguments)}",
            "",
            "".join(traceback.format_exception(bug)),
        )
    )
    summary = f"bug: nndsl failed, and this is not your mistake ({type(bug).__name__}: {bug})"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="nndsl-bug-", suffix=".txt", delete=False, encoding="utf-8"
        ) as report:
            report.write(text)
    except OSError:
        return f"{summary}\n{text}", None
    told = f"{summary}\n  the report is in {report.name}; please send it to the authors"
    return told, report.name


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results may depend on."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"nndsl": VERSION, "python": sys.version.split()[0]}
    for name in ("numpy", "numba", "llvmlite", "lark", "duckdb", "safetensors", "graphviz"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found
