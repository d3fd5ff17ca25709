"""nndsl: a declarative, graph-compiled neural-network language.

`nndsl.load("model.nn")` or `nndsl.load("runs/model-1")` gives a `Model`: weights, predictions,
gradients and training from Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nndsl.version import VERSION

if TYPE_CHECKING:
    from nndsl.diagnostics import NndslError as NndslError
    from nndsl.model.api import Model as Model
    from nndsl.model.api import load as load

__version__ = VERSION

__all__ = ["Model", "NndslError", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: most commands need none of it."""
    if name in ("Model", "load"):
        from nndsl.model import api

        return getattr(api, name)
    if name == "NndslError":
        from nndsl.diagnostics import NndslError

        return NndslError
    raise AttributeError(f"module `nndsl` has no attribute `{name}`")
