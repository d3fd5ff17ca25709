"""The targets that this machine can run, as test parameters."""

from __future__ import annotations

import pytest

from nndsl.codegen.target import host_target, target_names

ORDER = ("plain", "avx2", "avx512")


def supported(name: str) -> bool:
    """Whether this machine runs a target's code."""
    return ORDER.index(name) <= ORDER.index(host_target().name)


TARGETS = [
    pytest.param(name, marks=pytest.mark.skipif(not supported(name), reason="other processor"))
    for name in target_names()
]
