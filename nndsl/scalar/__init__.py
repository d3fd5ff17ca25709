"""Scalar mathematics: expressions, derivatives, meaning, text."""

from nndsl.scalar import simplification as simplification  # installs itself in `expression`
