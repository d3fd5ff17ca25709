from __future__ import annotations

import pytest

from nndsl.codegen.program import Element
from nndsl.codegen.target import host_target, target, target_names


def test_lanes_halve_for_double_precision():
    assert target("avx512").lanes_of(Element.FLOAT32) == 16
    assert target("avx512").lanes_of(Element.FLOAT64) == 8
    assert target("avx2").lanes_of(Element.FLOAT64) == 4


def test_host_is_one_of_the_known():
    assert host_target().name in target_names()
    assert host_target().cpu


@pytest.mark.parametrize("name", target_names())
def test_environment_overrides(name, monkeypatch):
    monkeypatch.setenv("NNDSL_TARGET", name)
    assert host_target() == target(name)


def test_unknown_override_is_ignored(monkeypatch):
    before = host_target()
    monkeypatch.setenv("NNDSL_TARGET", "sparc")
    assert host_target() == before


def test_unknown_target():
    with pytest.raises(KeyError):
        target("sparc")


def test_other_processors_get_the_plain_target(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    plain = target("plain")
    assert plain.fma
    assert plain.registers == 32
