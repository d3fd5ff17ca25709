"""What the code generator must know of the processor: vector width, registers, fused multiply-add.

`host_target()` asks LLVM which processor this is; the three named targets exist so that every
form of code can be tested on one machine. The variable NNDSL_TARGET forces one of them.
"""

from __future__ import annotations

import os
import platform
from functools import cache

from nndsl.codegen.program import Element
from nndsl.records import dataclass


@dataclass(frozen=True)
class Target:
    """A processor as the code generator sees it.

    `lanes` counts float32 numbers in a vector register, `registers` the vector registers; `cpu`
    and `features` are handed to LLVM's code generator; without `fma` a multiply-add is two
    instructions, each rounded.
    """

    name: str
    cpu: str
    features: str
    lanes: int
    registers: int
    fma: bool

    @property
    def has_masks(self) -> bool:
        """Whether masked stores cost no more than others (in AVX2 they take dozens of cycles)."""
        return self.lanes == 16

    def lanes_of(self, element: Element) -> int:
        """Lanes of a vector register for one element type: half as many for float64."""
        return self.lanes * 4 // element.bytes


_NAMED = {
    "avx512": Target("avx512", "x86-64-v4", "", 16, 32, True),
    "avx2": Target("avx2", "x86-64-v3", "", 8, 16, True),
    "plain": Target("plain", "x86-64", "", 4, 16, False),
}
_AVX512 = ("avx512f", "avx512vl", "avx512dq", "avx512bw", "fma")


def target(name: str) -> Target:
    """The target called "avx512", "avx2" or "plain". Raises KeyError for another name.

    "plain" is what every processor runs: SSE2 on x86-64, NEON on 64-bit ARM.
    """
    if name == "plain" and not _is_x86():
        return Target("plain", "generic", "", 4, 32, True)
    return _NAMED[name]


def target_names() -> tuple[str, ...]:
    """The names `target` knows."""
    return tuple(_NAMED)


def host_target() -> Target:
    """The target of this machine, or the one that the variable NNDSL_TARGET names."""
    forced = os.environ.get("NNDSL_TARGET", "")
    if forced in _NAMED:
        return target(forced)
    return _detected()


@cache
def _detected() -> Target:
    import llvmlite.binding

    features = llvmlite.binding.get_host_cpu_features()
    cpu, flags = llvmlite.binding.get_host_cpu_name(), features.flatten()
    if all(features.get(name, False) for name in _AVX512):
        return Target("avx512", cpu, flags, 16, 32, True)
    if features.get("avx2", False) and features.get("fma", False):
        return Target("avx2", cpu, flags, 8, 16, True)
    if _is_x86():
        return Target("plain", cpu, flags, 4, 16, False)
    return Target("plain", cpu, flags, 4, 32, True)


def _is_x86() -> bool:
    return platform.machine().lower() in ("x86_64", "amd64")
