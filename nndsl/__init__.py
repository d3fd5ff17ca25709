"""nndsl: a declarative, graph-compiled neural-network language."""

__version__ = "0.1.0"
