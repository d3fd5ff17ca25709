"""Layers: stages with weights, an axis or randomness; one definition each.

Every module of this folder is imported with it, so that a new file is a new word and nothing else.
"""

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
