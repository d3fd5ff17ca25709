"""What the key of compiled code is made of, and when code is compiled."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from nndsl.codegen.glue import total_kernel
from nndsl.codegen.program import Element
from nndsl.codegen.target import host_target
from nndsl.runtime import compiler
from nndsl.runtime.cache import Cache


def test_identity_names_the_versions() -> None:
    identity = compiler.Machine(host_target()).identity
    assert version("llvmlite") in identity
    assert version("numba") in identity


def test_version_of_numba_without_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    assert compiler._numba_version.__wrapped__() == version("numba")


def test_kernels_of_the_next_program_are_compiled_along(tmp_path: Path) -> None:
    first, second = (total_kernel(kind, Element.FLOAT32) for kind in ("sum", "max"))
    store = Cache(tmp_path / "cache")
    ahead = compiler.Compiler(host_target(), store)
    assert len(ahead.objects([], [first], also=[first, second])) == 1
    assert ahead.compiled == 2
    after = compiler.Compiler(host_target(), store)
    assert len(after.objects([], [second])) == 1
    assert after.compiled == 0
