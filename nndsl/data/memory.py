"""How much memory there is, asked before large files are read."""

from __future__ import annotations

import os
from pathlib import Path

from nndsl.diagnostics import Place, error

_SHARE = 0.8
_WORTH_ASKING = 100e6


def available_bytes() -> float:
    """Bytes that this process can still take, infinity when the system does not say."""
    return min(_from_system(), _from_limit(), _from_group())


def all_bytes() -> float:
    """Bytes that this process could have if it were alone: the same at any time."""
    return min(_from_system("MemTotal", "SC_PHYS_PAGES"), _from_limit(), _from_group(free=False))


def _from_system(entry: str = "MemAvailable", pages: str = "SC_AVPHYS_PAGES") -> float:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{entry}:"):
                return float(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return float(os.sysconf(pages)) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return float("inf")


def _from_limit() -> float:
    try:
        import resource
    except ImportError:
        return float("inf")
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return float("inf") if soft == resource.RLIM_INFINITY else float(soft)


def _from_group(free: bool = True) -> float:
    group = Path("/sys/fs/cgroup")
    try:
        most = (group / "memory.max").read_text(encoding="ascii").strip()
        used = float((group / "memory.current").read_text(encoding="ascii"))
        return float("inf") if most == "max" else float(most) - used * free
    except (OSError, ValueError):
        return float("inf")


def require_memory(name: str, needed: float, what: str) -> None:
    """NN620 when reading `what` would take more than most of the memory that is left."""
    if needed < _WORTH_ASKING:
        return
    there = available_bytes()
    if needed > _SHARE * there:
        raise error(
            "NN620",
            f"{name} needs about {needed / 1e9:.1f} GB of memory, {there / 1e9:.1f} GB are free",
            place=Place(name),
            notes=[f"{what}, read into columns"],
            help="train on a part of the rows, or drop columns from the file",
        )
