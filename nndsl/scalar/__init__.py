"""Scalar mathematics: expressions, derivatives, meaning, text."""
