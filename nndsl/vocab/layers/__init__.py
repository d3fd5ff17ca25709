"""Layers: one definition in one file each."""
