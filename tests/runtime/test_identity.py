"""What the key of compiled code is made of."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from nndsl.codegen.target import host_target
from nndsl.runtime import compiler


def test_identity_names_the_versions() -> None:
    identity = compiler.Machine(host_target()).identity
    assert version("llvmlite") in identity
    assert version("numba") in identity


def test_version_of_numba_without_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "find_spec", lambda name: None)
    assert compiler._numba_version() == version("numba")
