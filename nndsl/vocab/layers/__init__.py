"""Layers: stages with weights, an axis or randomness; one definition each."""
