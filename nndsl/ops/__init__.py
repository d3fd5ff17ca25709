"""The operations of the IR. `OPERATIONS` finds them by name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from nndsl.ops.base import Op


def _collect() -> dict[str, type[Op]]:
    """Every concrete Op of this package's modules, by name."""
    found: dict[str, type[Op]] = {}
    for module in pkgutil.iter_modules(__path__):
        members = vars(importlib.import_module(f"{__name__}.{module.name}")).values()
        for member in members:
            if inspect.isclass(member) and issubclass(member, Op) and hasattr(member, "name"):
                known = found.setdefault(member.name, member)
                if known is not member:
                    raise ValueError(f"two ops are called {member.name}")
    return dict(sorted(found.items()))


OPERATIONS: dict[str, type[Op]] = _collect()
