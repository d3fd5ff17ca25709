"""`nndsl doctor`: what this machine offers, and whether everything that nndsl needs works."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable

import click

from nndsl.cli.bug import versions
from nndsl.cli.output import emit, table


def _processor() -> str:
    from nndsl.codegen.target import host_target

    target = host_target()
    return f"{platform.machine()}, {os.cpu_count()} cores, kernels for {target.name}"


def _kernel() -> str:
    """Compile and run a small network."""
    import time
    from pathlib import Path

    import numpy as np

    from nndsl.compilation import compile_prediction
    from nndsl.diagnostics import Source
    from nndsl.driver import open_source

    start = time.perf_counter()
    text = "net Probe {\n  input x: [3]\n  dense(2, weights=1, bias=0) -> tanh\n}\n"
    network = open_source(Source("probe.nn", text), Path.cwd()).module.networks["Probe"]
    executable = compile_prediction(network).executable
    values = {name: np.broadcast_to(info.values, info.shape)
              for name, info in network.parameters.items() if info.values is not None}  # fmt: skip
    executable.set_parameters(values)
    found = executable.evaluate({"input": np.full((5, 3), 0.1, np.float32)})["output"]
    if not np.allclose(found, np.tanh(0.3), atol=1e-6):
        raise RuntimeError(f"a kernel gave {found[0, 0]} where {np.tanh(0.3):.6f} is right")
    return f"compiled and ran in {time.perf_counter() - start:.2f} s"


def _cache() -> str:
    from nndsl.runtime.cache import default_folder

    return str(default_folder())


def _drawing() -> str:
    from nndsl.render.layout import find_dot

    program = find_dot()
    if program is None:
        raise RuntimeError("no drawing program: `nndsl render` writes .dot files only")
    return str(program.name)


def _disk() -> str:
    return f"{shutil.disk_usage('.').free / 1e9:.1f} GB free here"


CHECKS: tuple[tuple[str, Callable[[], str]], ...] = (
    ("processor", _processor),
    ("kernels", _kernel),
    ("cache", _cache),
    ("drawing", _drawing),
    ("disk", _disk),
)


@click.command(short_help="Check that everything nndsl needs works here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> int:
    """Check that everything nndsl needs is here and works; exit 1 when something does not."""
    found = versions()
    results = []
    for name, check in CHECKS:
        try:
            results.append((name, True, check()))
        except Exception as problem:  # whatever is broken here is the answer
            results.append((name, False, f"{type(problem).__name__}: {problem}"))
    if as_json:
        checks = {name: {"ok": ok, "found": text} for name, ok, text in results}
        emit({"event": "doctor", "versions": found, "checks": checks})
    else:
        click.echo("  ".join(f"{name} {version}" for name, version in found.items()))
        click.echo(table([("ok" if ok else "FAILS", name, text) for name, ok, text in results]))
    return 0 if all(ok for _, ok, _ in results) else 1
