"""DuckDB, locked in: in memory, one file to read, no extension, no network.

Imported only when a large CSV or a Parquet file is read. The native module is taken directly:
the package around it takes five times as long to import and adds nothing that is used here.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

THREADS = 2


def connect(path: Path) -> Any:
    """A connection that may read `path` and nothing else, and cannot be talked into more."""
    module = _module()
    connection = module.connect(
        ":memory:",
        config={
            "threads": str(THREADS),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    connection.execute(f"SET allowed_paths = [{quoted(str(path))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def failures() -> tuple[type[Exception], ...]:
    """The exceptions of a query that DuckDB refuses."""
    return (_module().Error,)


def _module() -> Any:
    try:
        return importlib.import_module("_duckdb")
    except ImportError:  # the native module has another name in older versions
        return importlib.import_module("duckdb")


def quoted(text: str) -> str:
    """A text as a SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
